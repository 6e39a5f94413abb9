// SPDX-License-Identifier: Apache-2.0
// Servers that come and go, and a client that finds them: in virtual time, over a network in memory.

#include "integration/support/town.hpp"

#include <futon/cluster/balancer_names.hpp>
#include <futon/cluster/prequal.hpp>
#include <futon/cluster/round_robin.hpp>
#include <futon/cluster/routers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

struct refusal {
    const bool* refuses;  // Null: it never does.
    futon::decision before(futon::server_call&) const {
        if (refuses != nullptr && *refuses) return futon::errc::overloaded;
        return {};
    }
};

TEST_CASE("cluster: calls go to all servers that are registered, and to those that come later") {
    town t;
    t.open("a");
    t.open("b");
    const auto stub = t.client->stub<Shop>();
    auto answered = t.ask(60, stub);
    CHECK(answered.size() == 2);
    CHECK(answered["a"] > 10);
    CHECK(answered["b"] > 10);
    t.open("c");
    answered = t.ask(90, stub);
    CHECK(answered["c"] > 10);
    CHECK(t.client->stats().providers == 3);
    CHECK(t.client->stats().usable_providers == 3);
    CHECK(t.client->stats().connections == 3);
}

TEST_CASE("cluster: each service has its own providers") {
    town t;
    t.open_all();
    auto got = t.world.get_result(t.client->stub<Shop>({.version = "9.0"}).who());
    REQUIRE_FALSE(got);
    CHECK(got.error() == futon::errc::no_provider);
    CHECK(got.error().message() == "nobody has registered 'Shop:9.0' in written:; version and unique id must be the same in stub() and provide()");
    CHECK(got.error().ran() == futon::executed::no);
}

TEST_CASE("cluster: calls wait until the registry has answered, and no longer than their deadline") {
    town t;
    t.registry->silent = true;
    t.open("a");
    const auto stub = t.client->stub<Shop>();
    auto early = stub.who();
    t.world.run();
    CHECK_FALSE(early.is_ready());
    const auto late = t.error_of(stub.with({.timeout = 50ms}).who());
    CHECK(late == futon::errc::deadline_exceeded);
    CHECK(late.message().find("no provider of 'Shop' in written: is known yet") != std::string::npos);
    t.registry->silent = false;
    t.registry->tell("Shop");
    CHECK(t.world.get(std::move(early)) == "a");
}

TEST_CASE("cluster: a registry that cannot be read fails calls at once with its reason, and is forgiven") {
    town t;
    t.registry->broken = futon::error{futon::errc::unavailable, "registry is down"};
    t.open("a");
    const auto stub = t.client->stub<Shop>();
    const auto why = t.error_of(stub.who());
    CHECK(why == futon::errc::no_provider);
    CHECK(why.message().find("registry is down") != std::string::npos);
    CHECK(std::count(t.log.begin(), t.log.end(), "registry_unreadable") == 1);
    t.registry->tell("Shop");
    CHECK(t.world.get(stub.who()) == "a");
}

TEST_CASE("cluster: a server that goes offline gets no new calls, and comes back with its weight") {
    town t{{.balancer = futon::round_robin{}}};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(3, stub));
    CHECK(t.ask(30, stub)["a"] == 10);
    t.servers["a"]->offline();
    CHECK(t.ask(30, stub)["a"] == 0);
    t.servers["a"]->online();
    CHECK(t.ask(30, stub)["a"] == 10);
    t.servers["a"]->set_weight(0);
    CHECK(t.ask(30, stub)["a"] == 0);
}

TEST_CASE("cluster: a rolling restart of all servers loses no call, idempotent or not") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(3, stub));
    int made = 0;
    std::vector<futon::future<std::string>> calls;
    const auto load = [&](int times) {
        for (int i = 0; i < times; ++i) {
            calls.push_back(stub.buy());
            calls.push_back(stub.slowly(5));
            ++made;
            t.world.advance(1ms);
        }
    };
    for (const auto* name : {"a", "b", "c"}) {
        load(20);
        auto stopped = t.servers[name]->stop();
        load(20);
        REQUIRE(stopped.is_ready());
        t.servers[name].reset();
        load(20);
        t.open(name);
        load(200);
    }
    for (auto& each : calls) {
        auto got = t.world.get_result(std::move(each));
        if (!got) FAIL_CHECK(got.error().message());
    }
    CHECK(t.bought == made);
    CHECK(t.client->stats().usable_providers == 3);
}

TEST_CASE("cluster: a server that says goodbye before the registry takes it out still finishes what it has") {
    town t;
    futon::server leaving{{.listen = "memory://a", .runtime = t.world.runtime()}};
    leaving.provide<Shop>(shop_impl{"a", &t.bought});
    leaving.start();
    t.registry->write("Shop", {{.address = futon::endpoint::parse("memory://a").value()}});
    auto call = t.client->stub<Shop>().slowly(50);
    t.world.advance(10ms);
    auto stopped = leaving.stop(20s);
    t.world.advance(10ms);
    t.registry->write("Shop", {});
    CHECK(t.world.get(std::move(call)) == "a");
    t.world.get(std::move(stopped));
    CHECK(t.client->stats().connections == 0);
}

TEST_CASE("cluster: where a server is killed, what may repeat goes elsewhere, and the rest says what it knows") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    CHECK(t.ask(30, stub).size() == 3);  // One that has never answered is given only one call at a time.
    std::vector<futon::future<std::string>> repeatable;
    std::vector<futon::future<std::string>> others;
    for (int i = 0; i < 30; ++i) {
        repeatable.push_back(stub.who());
        others.push_back(stub.slowly(20));
    }
    t.world.advance(0ms);
    t.world.network().cut("memory://b");
    t.servers["b"].reset();
    for (auto& each : repeatable) CHECK(t.world.get_result(std::move(each)).has_value());
    int lost = 0;
    for (auto& each : others) {
        const auto got = t.world.get_result(std::move(each));
        if (got) continue;
        ++lost;
        CHECK(got.error().ran() == futon::executed::maybe);
    }
    CHECK(lost > 0);
    CHECK(lost < 30);
    CHECK(t.ask(30, stub).count("b") == 0);
}

TEST_CASE("cluster: a server that does not answer is ejected, tried again, and let back in") {
    town t{{.balancer = futon::round_robin{}}};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    CHECK(t.ask(30, stub).size() == 3);
    t.world.network().faults("memory://a", {.drop = true});
    int late = 0;
    for (int i = 0; i < 60; ++i) late += t.world.get_result(stub.with({.timeout = 10ms}).buy()) ? 0 : 1;
    CHECK(late >= 5);
    CHECK(late <= 7);
    CHECK(t.client->stats().ejected_providers == 1);
    CHECK(t.client->stats().usable_providers == 2);
    t.world.network().faults("memory://a", {});
    t.world.advance(40s);
    std::map<std::string, int> answered;
    for (int i = 0; i < 400; ++i) {
        const auto got = t.world.get_result(stub.with({.timeout = 10ms}).buy());
        if (got) ++answered[*got];
        t.world.advance(100ms);
    }
    CHECK(answered["a"] > 90);
    CHECK(t.client->stats().ejected_providers == 0);
}

TEST_CASE("cluster: a server that refused for a while is tried by calls that can go elsewhere, and then used like all") {
    for (const auto* name : {"least_request", "peak_ewma", "prequal"}) {
        CAPTURE(name);
        town t{{.balancer = futon::make_load_balancer(name).value()}};
        bool refuses = false;
        const auto open = [&](const std::string& as, bool* refusing) {
            auto made = std::make_unique<futon::server>(
                futon::server_options{.listen = "memory://" + as,
                                      .registry = t.registry,
                                      .filters = {refusal{refusing}},
                                      .runtime = t.world.runtime()});
            made->provide<Shop>(shop_impl{as, &t.bought});
            made->start();
            t.servers[as] = std::move(made);
        };
        for (const auto* each : {"b", "c", "d", "e"}) open(each, nullptr);
        open("a", &refuses);
        const auto stub = t.client->stub<Shop>();
        const auto once = stub.with({.retry = futon::failfast});
        std::map<std::string, int> answered;
        int refused = 0;
        // Of each kind, 50 calls a second.
        const auto go_on_for = [&](futon::duration time) {
            answered.clear();
            refused = 0;
            for (auto end = t.world.elapsed() + time; t.world.elapsed() < end; t.world.advance(20ms)) {
                ++answered[t.world.get(stub.who())];  // Never fails.
                refused += !t.world.get_result(once.buy()).has_value();
            }
        };
        go_on_for(2s);
        CHECK(answered["a"] > 0);
        refuses = true;
        go_on_for(3s);
        CHECK(answered["a"] == 0);
        go_on_for(20s);
        CHECK(refused == 0);
        CHECK(t.client->stats().retries >= 5);
        refuses = false;
        go_on_for(5s);  // The pauses have grown to four seconds and a fifth.
        CHECK(refused == 0);
        go_on_for(4s);
        CHECK(answered["a"] >= 20);  // A fair share were 40.
    }
}

TEST_CASE("cluster: an application's errors never count against its server") {
    town t;
    t.open("a");
    t.open("b");
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(4, stub));
    for (int i = 0; i < 50; ++i) CHECK_FALSE(t.world.get_result(stub.fail()));
    CHECK(t.client->stats().ejected_providers == 0);
    // Nor do both, of which none is worse, get fewer calls than the other.
    std::vector<futon::future<std::string>> at_once;
    for (int i = 0; i < 40; ++i) at_once.push_back(stub.slowly(2));
    std::map<std::string, int> answered;
    for (auto& each : at_once) ++answered[t.world.get(std::move(each))];
    CHECK(answered["a"] >= 10);
    CHECK(answered["b"] >= 10);
}

TEST_CASE("cluster: after a total outage the first server that is back gets its share, and no more") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    for (const auto* name : {"a", "b", "c"}) {
        t.world.network().faults("memory://" + std::string{name}, {.refuse = true});
        t.world.network().cut("memory://" + std::string{name});
    }
    t.world.advance(1s);
    CHECK(t.error_of(stub.who()) == futon::errc::connect_failed);
    t.world.network().faults("memory://a", {});
    t.world.advance(12s);
    int answered = 0;
    int turned_away = 0;
    for (int i = 0; i < 300; ++i) {
        const auto got = t.world.get_result(stub.buy());
        ++(got ? answered : turned_away);
        if (!got) CHECK(got.error() == futon::errc::unavailable);
    }
    CHECK(answered > 60);
    CHECK(answered < 140);
    // Their number rests: it is all that will come for now.
    t.world.advance(6s);
    CHECK(t.ask(50, stub)["a"] == 50);
}

TEST_CASE("cluster: a list that is suddenly empty is not believed, and those that do not answer leave it") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    t.registry->believed = false;
    t.registry->write("Shop", {});
    CHECK(t.ask(60, stub).size() == 3);
    CHECK(t.client->stats().suspect_providers == 3);
    t.world.network().cut("memory://b");
    t.servers["b"].reset();
    CHECK(t.ask(60, stub).size() == 2);
    CHECK(t.client->stats().providers == 2);
    t.registry->believed = true;
    t.registry->write("Shop", {});
    CHECK(t.error_of(stub.who()) == futon::errc::no_provider);
}

TEST_CASE("cluster: calls of one key go to one server, whichever client makes them") {
    town t;
    t.open_all();
    futon::client other{{.registry = t.registry, .runtime = t.world.runtime()}};
    const auto one = t.client->stub<Shop>();
    const auto two = other.stub<Shop>();
    static_cast<void>(t.ask(3, one));
    static_cast<void>(t.ask(3, two));
    std::map<std::string, int> used;
    for (int key = 0; key < 40; ++key) {
        const auto text = "user-" + std::to_string(key);
        const auto first = t.world.get(one.with({.hash_key = text}).who());
        CHECK(t.world.get(one.with({.hash_key = text}).who()) == first);
        CHECK(t.world.get(two.with({.hash_key = text}).who()) == first);
        ++used[first];
    }
    CHECK(used.size() == 3);
}

TEST_CASE("cluster: a call may name a group, or the very server, and hears if there is none") {
    town t;
    t.open("a");
    t.open("b");
    t.open("c", {.group = "canary"});
    const auto stub = t.client->stub<Shop>();
    CHECK(t.ask(30, stub).count("c") == 0);
    const auto canary = stub.with({.route = {.group = "canary"}});
    CHECK(t.ask(10, canary)["c"] == 10);
    CHECK(t.error_of(stub.with({.route = {.group = "canery"}}).who()) == futon::errc::no_provider);
    CHECK(t.error_of(stub.with({.route = {.group = "canery"}}).who()).message() ==
          "no provider comes into question: the router 'group' leaves none of the 3 providers before it, for a "
          "call with group 'canery'");
    CHECK(t.ask(10, stub.with({.route = {.address = "memory://b"}}))["b"] == 10);
    const auto why = t.error_of(stub.with({.route = {.address = "memory://z"}}).who());
    CHECK(why == futon::errc::no_provider);
    CHECK(why.message() == "no provider comes into question: the call's route names memory://z, which is none of "
                           "the 3 providers");
}

TEST_CASE("cluster: where a router leaves nobody for calls without a route, they hear which one") {
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://a", .runtime = world.runtime()}};
    int bought = 0;
    server.provide<Shop>(shop_impl{"a", &bought});
    server.start();
    futon::client client{{.endpoints = "memory://a",
                          .routers = {futon::condition_router{.then = [](const auto&) { return false; }}},
                          .runtime = world.runtime()}};
    const auto why = world.get_result(client.stub<Shop>().who()).error();
    CHECK(why == futon::errc::no_provider);
    CHECK(why.message() ==
          "no provider comes into question: the router 'condition' leaves none of the 1 provider before it, for a "
          "call without a route");
}

TEST_CASE("cluster: a call with a route is not sent to the only endpoint of a client, connected or not, unless it fits") {
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://a", .runtime = world.runtime()}};
    int bought = 0;
    server.provide<Shop>(shop_impl{"a", &bought});
    server.start();
    futon::client client{{.endpoints = "memory://a", .runtime = world.runtime()}};
    const auto stub = client.stub<Shop>();
    for (int i = 0; i < 2; ++i) {
        CAPTURE(i);
        CHECK(world.get_result(stub.with({.route = {.address = "memory://z"}}).who()).error() ==
              futon::errc::no_provider);
        CHECK(world.get_result(stub.with({.route = {.version = "9"}}).who()).error() == futon::errc::no_provider);
        CHECK(world.get(stub.with({.route = {.address = "memory://a"}}).who()) == "a");
        CHECK(world.get(stub.who()) == "a");  // From now on it is connected.
    }
    CHECK(client.stats().failed == 4);
}

TEST_CASE("cluster: an update changes the deadline of new calls and the policy") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    t.client->update({.timeout = 30ms, .balancer = futon::any_load_balancer{futon::round_robin{}}});
    CHECK(t.error_of(stub.slowly(50)) == futon::errc::deadline_exceeded);
    const auto answered = t.ask(30, stub);
    for (const auto& [name, times] : answered) CHECK(times == 10);
    t.client->update({});
    CHECK(t.world.get_result(stub.slowly(50)).has_value());
}

TEST_CASE(
    "cluster: what the registry sets for a service holds for new calls, before what the client says, until it is taken back") {
    town t{{.balancer_by_name = &futon::make_load_balancer}};
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(3, stub));
    t.registry->settings = futon::metadata{{"timeout", "30ms"}, {"balancer", "round_robin"}};
    t.registry->tell("Shop");
    t.client->update({.timeout = 10s});
    CHECK(t.error_of(stub.slowly(50)) == futon::errc::deadline_exceeded);
    for (const auto& [name, times] : t.ask(30, stub)) CHECK(times == 10);
    t.registry->settings = futon::metadata{{"timeout", "soon"}, {"balancer", "best"}, {"retries", "-1"}};
    t.registry->tell("Shop");
    // One report names all three: of several at once only the first would be printed.
    REQUIRE(std::count(t.log.begin(), t.log.end(), "bad_setting") == 1);
    const auto& words =
        t.texts[static_cast<std::size_t>(std::find(t.log.begin(), t.log.end(), "bad_setting") - t.log.begin())];
    for (const auto* each : {"'timeout=soon'", "'balancer=best'", "'retries=-1'"})
        CHECK(words.find(each) != std::string::npos);
    CHECK(t.world.get_result(stub.slowly(50)).has_value());
}

TEST_CASE("cluster: a setting that is not known is a warning with its place and the nearest name, once for each value") {
    town t;
    t.open_all();
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(3, stub));
    const auto warned = [&] { return std::count(t.log.begin(), t.log.end(), "bad_setting"); };
    const auto set = [&](futon::metadata to) {
        t.registry->settings = std::move(to);
        t.registry->tell("Shop");
    };
    set({{"retires", "2"}});
    REQUIRE(warned() == 1);
    CHECK(t.texts.back() ==
          "of what is set for 'Shop' in written: is ignored: 'retires=2': there is no such setting; did you mean "
          "'retries'? Known: timeout, retries, cluster, hedge, balancer");
    CHECK(t.client->stats().ignored_settings == 1);
    t.registry->tell("Shop");
    set({{"retires", "2"}, {"timeout", "10s"}});
    t.client->update({.timeout = 9s});
    CHECK(warned() == 1);
    set({{"retires", "2"}, {"timeout", "ten"}});
    REQUIRE(warned() == 2);
    CHECK(t.texts.back().find("retires") == std::string::npos);
    CHECK(t.client->stats().ignored_settings == 2);
    set({{"retires", "3"}});
    CHECK(warned() == 3);
    set({{"retries", "3"}});
    CHECK(t.client->stats().ignored_settings == 0);
    set({{"retires", "3"}});
    CHECK(warned() == 4);
}

TEST_CASE("cluster: what stands in the registry and is no provider is a warning, and takes no others with it") {
    town t;
    t.open_all();
    t.registry->refused = 2;
    const auto stub = t.client->stub<Shop>();
    CHECK(t.ask(30, stub).size() == 3);
    REQUIRE(std::count(t.log.begin(), t.log.end(), "bad_provider") == 1);
    CHECK(t.texts.front() ==
          "2 of what is listed for 'Shop' in written: cannot be read as a provider, and is left out");
    t.registry->fault = "'/node/7': it has no port";
    t.registry->tell("Shop");
    CHECK(t.texts.back().ends_with("is left out; the first: '/node/7': it has no port"));
}

TEST_CASE("cluster: prequal asks servers how busy they are, and leaves a slow one alone") {
    town t{{.balancer = futon::prequal{}}};
    for (const auto* name : {"a", "b", "c", "d", "e"}) t.open(name);
    const auto stub = t.client->stub<Shop>();
    static_cast<void>(t.ask(9, stub));
    // Another client keeps a busy, which only a itself knows.
    futon::client other{{.endpoints = "memory://a", .timeout = 60s, .runtime = t.world.runtime()}};
    const auto burden = other.stub<Shop>();
    std::vector<futon::future<std::string>> busy;
    for (int i = 0; i < 50; ++i) busy.push_back(burden.slowly(10'000));
    std::map<std::string, int> answered;
    for (int i = 0; i < 300; ++i) {
        ++answered[t.world.get(stub.slowly(2))];
        t.world.advance(1ms);
    }
    CHECK(answered["a"] < 15);
    for (const auto* name : {"b", "c", "d", "e"}) CHECK(answered[name] > 30);
}

TEST_CASE("cluster: a server whose handlers throw at once draws no calls, whatever looks quick") {
    for (const auto* name : {"least_request", "peak_ewma", "prequal"}) {
        CAPTURE(name);
        town t{{.balancer = futon::make_load_balancer(name).value()}};
        for (const auto* each : {"a", "b", "c", "d", "broken"}) t.open(each);
        const auto stub = t.client->stub<Shop>();
        int failed = 0;
        for (int i = 0; i < 300; ++i) {
            // Two at a time, so that there is something in flight where calls take time.
            auto one = stub.slowly(2);
            auto other = stub.slowly(2);
            failed += !t.world.get_result(std::move(one)).has_value();
            failed += !t.world.get_result(std::move(other)).has_value();
            t.world.advance(1ms);
        }
        CHECK(failed < 30);  // A fair share were 120.
        CHECK(t.client->stats().usable_providers == 5);
    }
}

}  // namespace
