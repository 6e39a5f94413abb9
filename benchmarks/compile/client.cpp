// SPDX-License-Identifier: Apache-2.0

/// \file
/// A client of the contract that makes each call once.

#include "greeter.hpp"

#include <futon/client.hpp>

int main() {
    futon::client client{"tcp://127.0.0.1:12200"};
    const auto greeter = client.stub<Greeter>();
    const auto hello = greeter.greet("ann").get();
    greeter.older({"tom", 1}, 2).then([](Person who) { return who.age; }).on_complete([](futon::result<int>) {});
    greeter.log("line", [](futon::result<void>) {});
    return static_cast<int>(hello.size());
}
