// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <futon/contract.hpp>

#include <string>

namespace shop {

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

}  // namespace shop
