// SPDX-License-Identifier: Apache-2.0
// An object that cannot be moved, given by value.
// error: futon: provide() cannot move this object in: give it a std::shared_ptr, or std::ref(x) of one that outlives it
#include <futon/futon.hpp>

#include <mutex>
#include <string>
#include <utility>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

struct greeter_impl {
    std::mutex mutex;
    std::string greet(std::string name) { return name; }
};

void serve(futon::server& server) {
    greeter_impl mine;
    server.provide<Greeter>(std::move(mine));  // HERE
}
