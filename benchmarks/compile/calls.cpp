// SPDX-License-Identifier: Apache-2.0

/// \file
/// The calls of client.cpp in a file that is given the stub.

#include "greeter.hpp"

#include <futon/calls.hpp>

int make_calls(const futon::stub<Greeter>& greeter);

int make_calls(const futon::stub<Greeter>& greeter) {
    const auto hello = greeter.greet("ann").get();
    greeter.older({"tom", 1}, 2).then([](Person who) { return who.age; }).on_complete([](futon::result<int>) {});
    greeter.log("line", [](futon::result<void>) {});
    return static_cast<int>(hello.size());
}
