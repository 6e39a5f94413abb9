// SPDX-License-Identifier: Apache-2.0
// An ellipsis has no types.
// error: futon: Greeter::greet is variadic: a remote method has a fixed number of parameters
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(const std::string name, ...);
};
FUTON_SERVICE(Greeter, greet)  // HERE
