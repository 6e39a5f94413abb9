// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

#include <futon/futon.hpp>

#include <string>

std::string greet_from_second_file(const futon::stub<shop::Greeter>& greeter);

namespace {

struct greeter_impl {
    std::string greet(std::string name) { return "hello " + name; }
};

}  // namespace

int main() {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<shop::Greeter>(greeter_impl{});
    server.start();
    futon::client client{"tcp://127.0.0.1:" + std::to_string(server.port())};
    const auto greeter = client.stub<shop::Greeter>();
    return greeter.greet("ann").get() == "hello ann" && greet_from_second_file(greeter) == "hello bob" ? 0 : 1;
}
