// SPDX-License-Identifier: Apache-2.0
// Pings find out providers that hang before calls do: in virtual time, over a network in memory.

#include "integration/support/town.hpp"

#include <futon/cluster/round_robin.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

futon::client_options with_pings(futon::ping_options how = {.interval = 2s, .timeout = 500ms}) {
    return {.balancer = futon::round_robin{}, .health = {.pings = how}};
}

std::uint64_t pings_of(const town& t) { return t.client->stats().wire.pings_sent; }

TEST_CASE("active pings: a provider that hangs is out within interval and timeout, and no call is lost to it") {
    town t{with_pings()};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    CHECK(t.ask(9, stub).size() == 3);
    // As a process that was stopped: its connections stay, and nothing comes.
    t.world.faults("memory://b", {.drop = true});
    t.world.advance(2499ms);
    const auto since = t.world.now();
    t.world.advance(1ms);
    CHECK(t.client->stats().ejected_providers == 1);
    CHECK(t.ask(30, stub).count("b") == 0);
    CHECK(t.client->stats().failed == 0);
    CHECK(t.world.now() - since < 500ms);
}

TEST_CASE("active pings: one that hangs under calls is out as soon, for what counts is that nothing comes") {
    town t{with_pings({.interval = 500ms, .timeout = 200ms})};
    t.open_all();
    const auto stub = t.client->stub<Shop>().with({.timeout = 10s});
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://b", {.drop = true});
    // Five would have to fail without pings, after ten seconds.
    auto lost = stub.who();
    auto other = stub.who();
    auto another = stub.who();
    t.world.advance(700ms);
    CHECK(t.client->stats().ejected_providers == 1);
    CHECK(t.ask(10, stub).count("b") == 0);
}

TEST_CASE("active pings: what was out comes back by a ping, and no call is a trial") {
    town t{with_pings()};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://b", {.drop = true});
    t.world.advance(2500ms);
    REQUIRE(t.client->stats().ejected_providers == 1);
    // Out again and again, each time for longer.
    for (int i = 0; i < 100; ++i) {
        CHECK(t.ask(3, stub).count("b") == 0);
        t.world.advance(100ms);
    }
    CHECK(t.client->stats().failed == 0);
    t.world.faults("memory://b", {});
    t.world.advance(31s);
    CHECK(t.client->stats().ejected_providers == 0);
    CHECK(t.client->stats().usable_providers == 3);
    t.world.advance(10s);
    CHECK(t.ask(30, stub)["b"] > 0);
    CHECK(t.client->stats().failed == 0);
}

TEST_CASE("active pings: a connection that broke meanwhile is made again, and tried as soon as it is there") {
    town t{with_pings()};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://b", {.drop = true});
    t.world.advance(2500ms);
    REQUIRE(t.client->stats().ejected_providers == 1);
    t.world.cut("memory://b");
    t.world.advance(5s);
    CHECK(t.client->stats().connections == 2);
    t.world.faults("memory://b", {});
    t.world.advance(40s);
    CHECK(t.client->stats().usable_providers == 3);
    CHECK(t.client->stats().failed == 0);
}

TEST_CASE("active pings: who answers calls is not pinged, and without the option nobody is") {
    {
        town t{with_pings({.interval = 1s, .jitter = 0})};
        t.open_all();
        const auto stub = t.client->stub<Shop>();
        for (int i = 0; i < 100; ++i) {
            static_cast<void>(t.ask(3, stub));
            t.world.advance(100ms);
        }
        CHECK(pings_of(t) == 0);
        t.world.advance(10s);
        CHECK(pings_of(t) >= 27);
        CHECK(pings_of(t) <= 30);
        CHECK(t.client->stats().usable_providers == 3);
    }
    town t{{.balancer = futon::round_robin{}}};
    t.open_all();
    static_cast<void>(t.ask(3, t.client->stub<Shop>()));
    t.world.advance(14s);
    CHECK(pings_of(t) == 0);
}

TEST_CASE("active pings: so many in a row must fail as was asked for") {
    town t{with_pings({.interval = 1s, .jitter = 0, .timeout = 200ms, .failures = 3})};
    t.open_all();
    static_cast<void>(t.ask(3, t.client->stub<Shop>()));
    t.world.faults("memory://b", {.drop = true});
    t.world.advance(2500ms);
    CHECK(t.client->stats().ejected_providers == 0);
    t.world.advance(1200ms);
    CHECK(t.client->stats().ejected_providers == 1);
}

TEST_CASE("active pings: one that answers pings and fails calls is out again with the first call that fails") {
    town t{with_pings({.interval = 1s})};
    t.open_all();
    const auto stub = t.client->stub<Shop>().with({.timeout = 50ms, .retry = futon::failfast});
    static_cast<void>(t.ask(9, stub));
    // Calls to it time out; it answers pings.
    int failed = 0;
    const auto call = [&] {
        auto got = t.world.get_result(stub.slowly(t.client->stats().ejected_providers == 0 ? 100 : 1));
        if (!got) ++failed;
    };
    for (int i = 0; i < 15; ++i) call();
    CHECK(failed >= 5);
    REQUIRE(t.client->stats().ejected_providers == 1);
    t.world.advance(2s);
    REQUIRE(t.client->stats().ejected_providers == 0);  // A ping let it back.
    failed = 0;
    while (t.client->stats().ejected_providers == 0 && failed < 100) call();
    CHECK(failed < 15);
}

TEST_CASE("active pings: may be turned on and off while the client is used") {
    town t{{.balancer = futon::round_robin{}}};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.advance(5s);
    CHECK(pings_of(t) == 0);
    t.client->update({.health = futon::health_options{.pings = {.interval = 1s, .timeout = 200ms}}});
    t.world.faults("memory://b", {.drop = true});
    t.world.advance(1200ms);
    REQUIRE(t.client->stats().ejected_providers == 1);
    t.client->update({.health = futon::health_options{}});
    const auto before = pings_of(t);
    t.world.faults("memory://b", {});
    t.world.advance(5s);
    CHECK(pings_of(t) == before);
    CHECK(t.ask(300, stub).count("b") == 1);  // A call was its trial.
}

}  // namespace
