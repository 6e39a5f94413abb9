// SPDX-License-Identifier: Apache-2.0
// A callback that does not take the method's result.
// error: function for call to
// error: constraints not satisfied
// error: completion_for
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void use(futon::stub<Greeter> greeter) {
    greeter.greet("ann", [](int) {});  // HERE
}
