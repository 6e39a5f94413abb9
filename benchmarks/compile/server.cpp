// SPDX-License-Identifier: Apache-2.0

/// \file
/// A server of the contract.

#include "greeter.hpp"

#include <futon/server.hpp>

struct greeter_impl {
    std::string greet(std::string name) { return "hello " + name; }
    Person older(Person who, int years) { return {who.name, who.age + years}; }
    void log(std::string) {}
};

int main() {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<Greeter>(greeter_impl{});
    server.run();
}
