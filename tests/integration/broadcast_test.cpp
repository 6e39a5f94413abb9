// SPDX-License-Identifier: Apache-2.0
// One call at every provider of a service: in virtual time, over a network in memory.

#include "integration/support/town.hpp"

#include <futon/cluster/round_robin.hpp>
#include <futon/cluster/router.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

using replies = std::vector<futon::broadcast_reply<std::string>>;

// "a: a, b: connect_failed", by address.
std::string text_of(const replies& all) {
    std::string text;
    for (const auto& each : all) {
        if (!text.empty()) text += ", ";
        text += each.from.path + ": ";
        text += each.outcome ? *each.outcome
                             : std::string{futon::name(static_cast<futon::errc>(each.outcome.error().code().value()))};
    }
    return text;
}

TEST_CASE("broadcast: every provider is called once, and each answer says whose it is") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::buy>(stub))) == "a: a, b: b, c: c");
    CHECK(t.bought == 3);
    CHECK(t.client->stats().calls == 3);
    // Those that come later, too; arguments are converted as those of a call are.
    t.open("d");
    const short ms = 5;
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::slowly>(stub, ms))) == "a: a, b: b, c: c, d: d");
}

// Leaves all, and counts how often it is asked: once for each look at a call that names its provider.
struct counting_router {
    std::shared_ptr<std::size_t> asked = std::make_shared<std::size_t>(0);
    void narrow(const futon::route&, std::vector<futon::node*>&) const { ++*asked; }
};

TEST_CASE("broadcast: to very many of which none is connected, each is looked at a few times, and not once for each other") {
    for (const bool alive : {true, false}) {
        CAPTURE(alive);
        constexpr std::size_t many = 400;
        futon::testing::simulation world;
        std::vector<std::string> addresses;
        for (std::size_t i = 0; i < many; ++i) addresses.push_back("memory://" + std::to_string(i));
        futon::server server{{.listen = futon::endpoints{addresses},
                              .limits = {.max_connections_per_address = many},
                              .runtime = world.runtime()}};
        int bought = 0;
        server.provide<Shop>(shop_impl{"all", &bought});
        if (alive) server.start();
        const counting_router counter;
        futon::client client{
            {.endpoints = futon::endpoints{addresses}, .routers = {counter}, .runtime = world.runtime()}};
        const auto got = world.get(futon::broadcast<&Shop::who>(client.stub<Shop>()));
        REQUIRE(got.size() == many);
        for (const auto& each : got) {
            if (each.outcome.has_value() == alive && (alive || each.outcome.error().message() ==
                                                                   "cannot connect to " + each.from.text() +
                                                                       ": nobody listens there"))
                continue;
            FAIL_CHECK(each.from.text() << (alive ? "did not answer" : each.outcome.error().message()));
        }
        CHECK(*counter.asked < 10 * many);
    }
}

TEST_CASE("broadcast: calls that name no provider, and others that name one, are not held up by those that wait") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    t.world.faults("memory://a", {.drop = true});
    auto everywhere = futon::broadcast<&Shop::who>(stub.with({.timeout = 700ms}));
    std::vector<futon::future<std::string>> some;
    for (int i = 0; i < 3; ++i) some.push_back(stub.who());
    some.push_back(stub.with({.route = {.address = "memory://c"}}).who());
    for (auto& each : some) CHECK(t.world.get_result(std::move(each)).has_value());
    CHECK(t.world.elapsed() < 500ms);
    CHECK(t.client->stats().queued == 1);
    CHECK(text_of(t.world.get(std::move(everywhere))) == "a: deadline_exceeded, b: b, c: c");
}

TEST_CASE("broadcast: where a provider is down its entry says why, and the others are not held up") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://b", {.refuse = true});
    t.world.cut("memory://b");
    t.world.advance(1ms);
    const auto since = t.world.now();
    const auto got = t.world.get(futon::broadcast<&Shop::who>(stub));
    CHECK(text_of(got) == "a: a, b: connect_failed, c: c");
    CHECK(t.world.now() - since < 100ms);
    CHECK(got[1].outcome.error().ran() == futon::executed::no);
    CHECK(got[1].outcome.error().message().find("memory://b") != std::string::npos);
    t.world.faults("memory://b", {});
    t.world.advance(1s);
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub))) == "a: a, b: b, c: c");
}

TEST_CASE("broadcast: a provider that fails in the midst of it has an entry with what is known") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    auto all = futon::broadcast<&Shop::slowly>(stub, 50);
    t.world.advance(10ms);
    t.world.faults("memory://c", {.refuse = true});
    t.world.cut("memory://c");
    const auto got = t.world.get(std::move(all));
    CHECK(text_of(got) == "a: a, b: b, c: connection_lost");
    CHECK(got[2].outcome.error().ran() == futon::executed::maybe);
}

TEST_CASE("broadcast: all share one deadline") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://a", {.drop = true});
    const auto since = t.world.now();
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::slowly>(stub.with({.timeout = 100ms}), 20))) ==
          "a: deadline_exceeded, b: b, c: c");
    CHECK(t.world.now() - since == 100ms);
}

TEST_CASE("broadcast: an application's error is an entry like any other") {
    town t;
    t.open("a");
    t.open("b");
    const auto got = t.world.get(futon::broadcast<&Shop::fail>(t.client->stub<Shop>()));
    REQUIRE(got.size() == 2);
    for (const auto& each : got) {
        REQUIRE_FALSE(each.outcome);
        CHECK(each.outcome.error().message().find("sold out") != std::string::npos);
    }
}

TEST_CASE("broadcast: goes where the stub's route goes, and not to who takes no calls") {
    town t;
    t.open("a");
    t.open("b");
    t.open("c", {.group = "canary"});
    const auto stub = t.client->stub<Shop>();
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub))) == "a: a, b: b");
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub.with({.route = {.group = "canary"}})))) == "c: c");
    t.servers["a"]->set_weight(0);
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub))) == "b: b");
    t.servers["b"]->offline();
    // As for any call, weights of 0 do not count where there is nothing else.
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub))) == "a: a");
}

TEST_CASE("broadcast: an ejected provider is called, too") {
    town t{{.balancer = futon::round_robin{}}};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.world.faults("memory://a", {.drop = true});
    for (int i = 0; i < 60; ++i) static_cast<void>(t.world.get_result(stub.with({.timeout = 10ms}).buy()));
    REQUIRE(t.client->stats().ejected_providers == 1);
    t.world.faults("memory://a", {});
    t.bought = 0;
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::buy>(stub))) == "a: a, b: b, c: c");
    CHECK(t.bought == 3);
}

TEST_CASE("broadcast: waits until the registry has answered, and no longer than its deadline") {
    town t;
    t.registry->silent = true;
    t.open("a");
    t.open("b");
    const auto stub = t.client->stub<Shop>();
    auto early = futon::broadcast<&Shop::who>(stub);
    auto late = futon::broadcast<&Shop::who>(stub.with({.timeout = 50ms}));
    t.world.advance(50ms);
    REQUIRE(late.is_ready());
    CHECK(std::move(late).get_result().error() == futon::errc::deadline_exceeded);
    CHECK_FALSE(early.is_ready());
    t.registry->silent = false;
    t.registry->tell("Shop");
    CHECK(text_of(t.world.get(std::move(early))) == "a: a, b: b");
}

TEST_CASE("broadcast: fails as a whole where there is nobody to ask") {
    town t;
    auto got = t.world.get_result(futon::broadcast<&Shop::who>(t.client->stub<Shop>()));
    REQUIRE_FALSE(got);
    CHECK(got.error() == futon::errc::no_provider);
    CHECK(got.error().message().find("nobody has registered 'Shop' in written:") != std::string::npos);
    got = t.world.get_result(futon::broadcast<&Shop::who>(futon::stub<Shop>{}));
    CHECK(got.error() == futon::errc::no_state);
}

TEST_CASE("broadcast: a client that ends completes it, with a list and without") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.registry->silent = true;
    auto under_way = futon::broadcast<&Shop::slowly>(stub, 1000);
    auto waiting = futon::broadcast<&Shop::who>(t.client->stub<Shop>({.version = "2.0"}));
    t.world.advance(10ms);
    t.client.reset();
    t.world.run();
    REQUIRE(under_way.is_ready());
    CHECK(text_of(std::move(under_way).get()) == "a: client_closed, b: client_closed, c: client_closed");
    REQUIRE(waiting.is_ready());
    CHECK(std::move(waiting).get_result().error() == futon::errc::client_closed);
    CHECK(t.world.get_result(futon::broadcast<&Shop::who>(stub)).error() == futon::errc::client_closed);
}

TEST_CASE("broadcast: a cancel reaches every provider") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    auto all = futon::broadcast<&Shop::slowly>(stub, 1000);
    t.world.advance(10ms);
    all.cancel();
    t.world.run();
    REQUIRE(all.is_ready());
    CHECK(t.client->stats().wire.cancels_sent == 3);
    CHECK(t.client->stats().wire.in_flight_sent == 0);
}

// Counts what passes.
struct counting_filter {
    std::shared_ptr<int> seen;
    void before(futon::client_call& call) const {
        ++*seen;
        call.headers().set("counted", "yes");
    }
};

TEST_CASE("broadcast: each of its calls passes the filters") {
    const auto seen = std::make_shared<int>(0);
    town t{{.filters = {counting_filter{seen}}}};
    t.open_all();
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(t.client->stub<Shop>()))) == "a: a, b: b, c: c");
    CHECK(*seen == 3);
}

TEST_CASE("broadcast: more providers than there are kinds of calls remembered") {
    town t;
    std::string expected;
    for (int i = 100; i < 200; ++i) {
        const auto name = "s" + std::to_string(i);
        t.open(name);
        expected += (expected.empty() ? "" : ", ") + name + ": " + name;
    }
    const auto stub = t.client->stub<Shop>();
    for (int round = 0; round < 3; ++round) CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(stub))) == expected);
}

TEST_CASE("broadcast: a client with a list of addresses asks them all") {
    town t;
    t.open_all();
    futon::client other{{.endpoints = {"memory://c", "memory://a"}, .runtime = t.world.runtime()}};
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(other.stub<Shop>()))) == "a: a, c: c");
    futon::client single{{.endpoints = "memory://b", .runtime = t.world.runtime()}};
    CHECK(text_of(t.world.get(futon::broadcast<&Shop::who>(single.stub<Shop>()))) == "b: b");
}

}  // namespace
