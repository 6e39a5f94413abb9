// SPDX-License-Identifier: Apache-2.0
// The contract of the quickstart programs.
#pragma once

// [contract]
// greeter.hpp: the contract, compiled by both sides. Declared, never defined.
#include <futon/contract.hpp>  // light: no sockets, no Asio

#include <string>

struct Person {  // a plain aggregate needs no macro
    std::string name;
    int age = 0;
};

struct Greeter {
    std::string greet(std::string name);
    Person older(Person who, int years);
    void log(std::string line);
};
FUTON_SERVICE(Greeter, greet, (older, futon::idempotent, futon::timeout(500ms)), log)
// [/contract]
