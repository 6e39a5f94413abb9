// SPDX-License-Identifier: Apache-2.0
// A view of a reply that is gone.
// error: futon: Greeter::greet returns a view, which nobody would own: return std::string or futon::bytes
#include <futon/contract.hpp>

struct Greeter {
    std::string_view greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
