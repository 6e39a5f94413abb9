// SPDX-License-Identifier: Apache-2.0
// A pointer to something in another process.
// error: futon: Greeter::greet returns a pointer: the result of a remote method is a value
#include <futon/contract.hpp>

struct Greeter {
    const char* greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
