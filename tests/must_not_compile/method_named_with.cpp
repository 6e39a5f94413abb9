// SPDX-License-Identifier: Apache-2.0
// The stub's own name.
// error: futon: Greeter::with cannot have this name: the stub needs it for itself
#include <futon/contract.hpp>

struct Greeter {
    std::string with(std::string name);
};
FUTON_SERVICE(Greeter, with)  // HERE
