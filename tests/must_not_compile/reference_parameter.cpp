// SPDX-License-Identifier: Apache-2.0
// What the method writes would not travel back.
// error: futon: a parameter of Greeter::greet is a pointer or a reference to non-const: nothing travels back
#include <futon/contract.hpp>

struct Greeter {
    void greet(std::string& name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
