// SPDX-License-Identifier: Apache-2.0
// Serves greeter.hpp: quickstart_server [ADDRESS]. See quickstart_client.cpp.

// [server]
#include "greeter.hpp"

#include <futon/server.hpp>

#include <iostream>

struct greeter_impl {  // any class with matching methods
    std::string greet(std::string name) { return "hello " + name; }
    Person older(Person who, int years) { return {who.name, who.age + years}; }
    void log(std::string line) { std::clog << line + "\n"; }
};

int main(int argc, char** argv) {
    futon::server server{argc > 1 ? argv[1] : "tcp://127.0.0.1:12200"};
    server.provide<Greeter>(greeter_impl{});
    server.run();  // until SIGINT, SIGTERM or stop(); then finishes the calls in flight
}
// [/server]
