// SPDX-License-Identifier: Apache-2.0
// An argument that does not convert to the method's parameter.
// error: function for call to
// error: no known conversion
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void use(futon::stub<Greeter> greeter) {
    greeter.greet(42).get();  // HERE
}
