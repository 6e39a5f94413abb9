// SPDX-License-Identifier: Apache-2.0
// A static method has no object on the other side.
// error: futon: Greeter::greet is static or no function: a remote method is a plain member function
#include <futon/contract.hpp>

struct Greeter {
    static std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
