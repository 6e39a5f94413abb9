// SPDX-License-Identifier: Apache-2.0
// One filter that writes an access log, on the client and on the server.
// expected output:
//   server: Bakery.bake ok
//   client: Bakery.bake ok, it took a while
//   server: Bakery.bake out of flour
//   client: Bakery.bake out of flour, it took a while
#include <futon/futon.hpp>

#include <iostream>
#include <string>
#include <utility>

struct Bakery {
    std::string bake(std::string what);
};
FUTON_SERVICE(Bakery, bake)

struct bakery_impl {
    futon::result<std::string> bake(const std::string& what) {
        if (what == "cake") return futon::error{futon::errc::unavailable, "out of flour", futon::executed::yes};
        return what;
    }
};

// [filter]
// A filter is a class with a before(), an after(), or both. One that takes filtered_call works on either side.
struct access_log {
    std::string side;

    // What it has to remember from before to after: one for each call.
    struct per_call {
        futon::time_point begun{};
    };

    void before(futon::filtered_call& call, per_call& mine) { mine.begun = call.now(); }
    void after(futon::filtered_call& call, futon::call_outcome& how, per_call& mine) {
        std::string line = side + ": " + call.method().full_name() + (how.succeeded() ? " ok" : " " + how.failure()->message());
        if (side == "client") line += call.now() > mine.begun ? ", it took a while" : ", it took no time";
        std::cout << line + "\n";
    }
};
// [/filter]

int main() {
    // [use]
    futon::server server{{.listen = "tcp://127.0.0.1:0", .filters = {access_log{"server"}}}};
    server.provide<Bakery>(bakery_impl{});
    server.start();
    futon::client client{{.endpoints = server.addresses(), .filters = {access_log{"client"}}}};
    // [/use]

    const auto bakery = client.stub<Bakery>();
    static_cast<void>(bakery.bake("bread").get());
    static_cast<void>(bakery.bake("cake").get_result());
}
