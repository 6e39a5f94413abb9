// SPDX-License-Identifier: Apache-2.0
// A name in the macro that the contract does not have.
// error: futon: Greeter has no method gret
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, gret)  // HERE
