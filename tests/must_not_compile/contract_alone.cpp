// SPDX-License-Identifier: Apache-2.0
// A call where only the contract's light header is included.
// error: futon: include <futon/calls.hpp> where calls are made
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void use(const futon::stub<Greeter>& greeter) {
    greeter.greet("ann");  // HERE
}
