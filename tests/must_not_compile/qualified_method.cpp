// SPDX-License-Identifier: Apache-2.0
// There is no object whose value category could matter.
// error: futon: Greeter::greet is marked &, && or volatile: a remote method may be const and noexcept
#include <futon/contract.hpp>

struct Greeter {
    std::string greet(std::string name) &&;
};
FUTON_SERVICE(Greeter, greet)  // HERE
