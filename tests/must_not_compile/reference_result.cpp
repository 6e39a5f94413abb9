// SPDX-License-Identifier: Apache-2.0
// A reference to something in another process.
// error: futon: Greeter::greet returns a reference: the result of a remote method is a value
#include <futon/contract.hpp>

struct Greeter {
    const std::string& greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
