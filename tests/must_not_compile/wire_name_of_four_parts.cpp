// SPDX-License-Identifier: Apache-2.0
// A name on the wire with more than its name, version and unique id.
// error: futon: the wire name of Greeter must have 1 to 255 characters, no blanks, and at most three parts with a ':' between them
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE_AS(Greeter, "com.example.Greeter:1.0:blue:2", greet)  // HERE
