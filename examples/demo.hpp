// SPDX-License-Identifier: Apache-2.0
// The contract of the demo: what its two programs agree on.
#pragma once

#include <futon/contract.hpp>

#include <chrono>
#include <string>

struct Person {
    std::string name;
    int age = 0;
};

struct Demo {
    std::string greet(std::string name);
    Person older(Person who, int years);
    double divide(double a, double b);
    std::string slow(std::string what, std::chrono::milliseconds after);
    std::string who_calls();
    void fail(std::string why);
    void log(std::string line);
};
FUTON_SERVICE_AS(Demo, "futon.Demo:1.0", greet, (older, futon::idempotent, futon::timeout(500ms)), divide, slow, who_calls,
                 fail, log)
