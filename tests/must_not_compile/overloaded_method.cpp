// SPDX-License-Identifier: Apache-2.0
// One name, two signatures.
// error: futon: Greeter::greet is overloaded, a template or not public: a remote method has one signature
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
    std::string greet(int number);
};
FUTON_SERVICE(Greeter, greet)  // HERE
