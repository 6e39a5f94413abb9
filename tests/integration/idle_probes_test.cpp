// SPDX-License-Identifier: Apache-2.0
// A client that makes no calls for a while still asks servers how busy they are, and stops in time: in virtual time.

#include "integration/support/town.hpp"

#include <futon/cluster/least_request.hpp>
#include <futon/cluster/prequal.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

void open_five(town& t) {
    for (const auto* name : {"a", "b", "c", "d", "e"}) t.open(name);
}
std::uint64_t bytes_of(const town& t) { return t.client->stats().wire.bytes_sent; }

TEST_CASE("idle probes: the first call after a pause knows which server others keep busy") {
    const auto answered_by_busy_one = [](futon::prequal_options options) {
        town t{{.balancer = futon::prequal{options}}};
        open_five(t);
        const auto stub = t.client->stub<Shop>();
        static_cast<void>(t.ask(9, stub));
        futon::client other{{.endpoints = "memory://a", .timeout = 10min, .runtime = t.world.runtime()}};
        std::vector<futon::future<std::string>> busy;
        for (int i = 0; i < 50; ++i) busy.push_back(other.stub<Shop>().slowly(300'000));
        int count = 0;
        for (int i = 0; i < 30; ++i) {
            t.world.advance(3s);
            count += t.world.get(stub.who()) == "a";
        }
        return count;
    };
    CHECK(answered_by_busy_one({}) == 0);
    CHECK(answered_by_busy_one({.idle_interval = 0s}) > 2);  // By turns of peak_ewma, which knows only its own calls.
}

TEST_CASE("idle probes: end some time after the last call, and begin again with the next") {
    town t{{.balancer = futon::prequal{}}};
    open_five(t);
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        static_cast<void>(t.ask(1, stub));
        t.world.run();
        for (int second = 0; second < 9; ++second) {
            const auto before = bytes_of(t);
            t.world.advance(1s);
            CHECK(bytes_of(t) > before);
        }
        t.world.advance(1100ms);
        const auto before = bytes_of(t);
        const auto timers = t.world.timers();
        t.world.advance(3900ms);  // After 15 s of silence connections have heartbeats.
        CHECK(bytes_of(t) == before);
        CHECK(t.world.timers() == timers);
    }
}

TEST_CASE("idle probes: a policy that does not want them costs neither messages nor a timer") {
    town t{{.balancer = futon::least_request{}}};
    open_five(t);
    static_cast<void>(t.ask(9, t.client->stub<Shop>()));
    t.world.advance(5s);  // Deadlines are over then.
    const auto before = bytes_of(t);
    const auto timers = t.world.timers();
    t.world.advance(9s);
    CHECK(bytes_of(t) == before);
    CHECK(t.world.timers() == timers);
}

TEST_CASE("idle probes: follow a policy that is changed meanwhile") {
    town t{{.balancer = futon::prequal{}}};
    open_five(t);
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.client->update({.balancer = futon::any_load_balancer{futon::least_request{}}});
    t.world.advance(1s);
    const auto before = bytes_of(t);
    t.world.advance(5s);
    CHECK(bytes_of(t) == before);
    t.client->update({.balancer = futon::any_load_balancer{futon::prequal{}}});
    static_cast<void>(t.ask(1, stub));
    t.world.run();
    const auto after_call = bytes_of(t);
    t.world.advance(1s);
    CHECK(bytes_of(t) > after_call);
}

TEST_CASE("idle probes: a client that is closed meanwhile leaves no timer behind") {
    town t{{.balancer = futon::prequal{}}};
    open_five(t);
    static_cast<void>(t.ask(9, t.client->stub<Shop>()));
    t.world.advance(700ms);
    t.client->close();
    t.servers.clear();
    t.world.advance(20s);
    CHECK(t.world.timers() == 0);
}

}  // namespace
