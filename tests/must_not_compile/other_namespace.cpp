// SPDX-License-Identifier: Apache-2.0
// The macro away from its contract, where nobody would find it.
// error: futon: FUTON_SERVICE(app::Greeter, ...) must stand in the namespace of app::Greeter
#include <futon/contract.hpp>

namespace app {
struct Greeter {
    std::string greet(std::string name);
};
}  // namespace app
FUTON_SERVICE(app::Greeter, greet)  // HERE
