// SPDX-License-Identifier: Apache-2.0
// An implementation without one of the contract's methods.
// error: futon: the implementation has no public method greet that can be called with the parameters of Greeter::greet
// error: greeter_impl
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
    void log(std::string line);
};
FUTON_SERVICE(Greeter, greet, log)  // HERE

struct greeter_impl {
    void log(const std::string&) {}
    std::string great(std::string name) { return name; }
};

void serve(futon::server& server) { server.provide<Greeter>(greeter_impl{}); }
