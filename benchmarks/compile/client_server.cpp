// SPDX-License-Identifier: Apache-2.0

/// \file
/// Server and client of the contract in one translation unit, with calls ended in each of the usual ways.

#include "greeter.hpp"

#include <futon/futon.hpp>

struct greeter_impl {
    std::string greet(std::string name) { return "hello " + name; }
    Person older(Person who, int years) { return {who.name, who.age + years}; }
    void log(std::string) {}
};

int main() {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<Greeter>(greeter_impl{});
    server.start();

    futon::client client{"tcp://127.0.0.1:" + std::to_string(server.port())};
    const auto greeter = client.stub<Greeter>();
    const auto hello = greeter.greet("ann").get();
    greeter.older({"tom", 1}, 2).then([](Person who) { return who.age; }).on_complete([](futon::result<int>) {});
    greeter.log("line", [](futon::result<void>) {});
    return static_cast<int>(hello.size());
}
