// SPDX-License-Identifier: Apache-2.0
// A name on the wire that nobody could type.
// error: futon: the wire name of Greeter must have 1 to 255 characters and no blanks
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE_AS(Greeter, "com.example Greeter", greet)  // HERE
