// SPDX-License-Identifier: Apache-2.0
// An implementation that returns something else.
// error: futon: the implementation's greet does not return what Greeter::greet promises
// error: greeter_impl
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
    void log(std::string line);
};
FUTON_SERVICE(Greeter, greet, log)  // HERE

struct greeter_impl {
    void log(const std::string&) {}
    std::string_view greet(const std::string& name) { return name; }
};

void serve(futon::server& server) { server.provide<Greeter>(greeter_impl{}); }
