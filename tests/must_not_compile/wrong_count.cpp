// SPDX-License-Identifier: Apache-2.0
// More arguments than the method has, and no completion token.
// error: function for call to
// error: 2 arg
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name, int times);
    std::string hello();
};
FUTON_SERVICE(Greeter, greet, hello)

void use(futon::stub<Greeter> greeter) {
    greeter.greet("ann").get();  // HERE
}
