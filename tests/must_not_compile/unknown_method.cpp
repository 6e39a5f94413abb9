// SPDX-License-Identifier: Apache-2.0
// A method that the contract does not have.
// error: no member named 'gret'
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void use(futon::stub<Greeter> greeter) {
    greeter.gret("ann").get();  // HERE
}
