// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The contract of the page in the README.

#include <futon/contract.hpp>

#include <chrono>
#include <string>

struct Person {
    std::string name;
    int age = 0;
};

struct Greeter {
    std::string greet(std::string name);
    Person older(Person who, int years);
    void log(std::string line);
};
FUTON_SERVICE(Greeter, greet, (older, futon::idempotent, futon::timeout(std::chrono::milliseconds{500})), log)
