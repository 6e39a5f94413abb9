// SPDX-License-Identifier: Apache-2.0
// A macro that names one method twice.
// error: futon: FUTON_SERVICE(Greeter, ...) names greet twice
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name);
    void log(std::string line);
};
FUTON_SERVICE(Greeter, greet, log, greet)  // HERE
