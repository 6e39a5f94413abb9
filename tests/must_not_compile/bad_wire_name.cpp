// SPDX-License-Identifier: Apache-2.0
// A name on the wire that nobody could type.
// error: futon: the wire name of Greeter must have 1 to 255 characters, no blanks, and at most three parts
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE_AS(Greeter, "com.example Greeter", greet)  // HERE
