// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

// The same stub from another translation unit: nothing of the contract or of futon is defined twice.
std::string greet_from_second_file(const futon::stub<shop::Greeter>& greeter);
std::string greet_from_second_file(const futon::stub<shop::Greeter>& greeter) { return greeter.greet("bob").get(); }
