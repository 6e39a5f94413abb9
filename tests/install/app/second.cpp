// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

#include <futon/calls.hpp>

#include <string>

// A file that is given the stub has no need of the client.
std::string greet_from_second_file(const futon::stub<shop::Greeter>& greeter);
std::string greet_from_second_file(const futon::stub<shop::Greeter>& greeter) { return greeter.greet("bob").get(); }
