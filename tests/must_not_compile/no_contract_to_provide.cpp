// SPDX-License-Identifier: Apache-2.0
// A service of a type that has no FUTON_SERVICE.
// error: futon: this type is no contract: add FUTON_SERVICE(X, ...) beside it, in its namespace
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};
struct greeter_impl {
    std::string greet(std::string name) { return name; }
};

void serve(futon::server& server) {
    server.provide<Greeter>(greeter_impl{});  // HERE
}
