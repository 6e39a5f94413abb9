// SPDX-License-Identifier: Apache-2.0
// A client that uses a few of many servers, some of which are out: in virtual time, over a network in memory.

#include "integration/support/town.hpp"

#include <futon/cluster/round_robin.hpp>
#include <futon/cluster/subset.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

futon::client_options with_subset(futon::duration refill_after) {
    return {.balancer = futon::round_robin{},
            .routers = {futon::rendezvous_subset{.size = 4, .client = 7, .refill_after = refill_after}}};
}

struct wide_town : town {
    explicit wide_town(futon::client_options options) : town{std::move(options)} {
        for (int i = 0; i < 12; ++i) open("s" + std::to_string(i));
    }
    // Those that answer.
    std::set<std::string> used() {
        std::set<std::string> names;
        for (const auto& [name, times] : ask(40, client->stub<Shop>())) names.insert(name);
        return names;
    }
    void take_down(const std::string& name) const {
        world.faults("memory://" + name, {.refuse = true});
        world.cut("memory://" + name);
    }
    void bring_back(const std::string& name) const { world.faults("memory://" + name, {}); }
};

TEST_CASE("subset: servers that cannot be connected are replaced after a while, and return when they are back") {
    wide_town t{with_subset(5s)};
    const auto first = t.used();
    REQUIRE(first.size() == 4);
    const std::vector<std::string> down{*first.begin(), *std::next(first.begin())};
    for (const auto& name : down) t.take_down(name);
    t.world.advance(4900ms);
    CHECK(t.used().size() == 2);
    t.world.advance(200ms);
    static_cast<void>(t.used());
    t.world.run();
    const auto second = t.used();
    CHECK(second.size() == 4);
    for (const auto& name : down) CHECK_FALSE(second.contains(name));
    CHECK(t.client->stats().connections == 4);
    CHECK(t.client->stats().failed == 0);

    for (const auto& name : down) t.bring_back(name);
    t.world.advance(15s);
    static_cast<void>(t.used());
    CHECK(t.used() == first);
    CHECK(t.client->stats().failed == 0);
}

TEST_CASE("subset: a server that is ejected for long is replaced, and returns for its trial") {
    auto options = with_subset(5s);
    options.health.outliers.base = 20s;
    wide_town t{std::move(options)};
    const auto first = t.used();
    const auto silent = *first.begin();
    t.world.faults("memory://" + silent, {.drop = true});
    const auto stub = t.client->stub<Shop>().with({.timeout = 10ms});
    for (int i = 0; i < 40; ++i) static_cast<void>(t.world.get_result(stub.who()));
    REQUIRE(t.client->stats().ejected_providers == 1);
    t.world.faults("memory://" + silent, {});
    CHECK(t.used().size() == 3);
    t.world.advance(5s);
    static_cast<void>(t.used());
    t.world.run();
    CHECK(t.used().size() == 4);
    CHECK_FALSE(t.used().contains(silent));
    t.world.advance(25s);
    static_cast<void>(t.used());
    CHECK(t.used() == first);
    CHECK(t.client->stats().ejected_providers == 0);
}

TEST_CASE("subset: stays as it is where nothing is to be replaced") {
    wide_town t{with_subset(0s)};
    const auto first = t.used();
    t.take_down(*first.begin());
    t.world.advance(60s);
    CHECK(t.used().size() == 3);
    t.world.run();
    CHECK(t.used().size() == 3);
}

TEST_CASE("subset: a client that reaches nobody tries as many again as it would use, and no more") {
    wide_town t{with_subset(5s)};
    static_cast<void>(t.used());
    for (int i = 0; i < 12; ++i) t.take_down("s" + std::to_string(i));
    const auto stub = t.client->stub<Shop>();
    for (int i = 0; i < 60; ++i) {
        CHECK_FALSE(t.world.get_result(stub.who()));
        t.world.advance(1s);
    }
    // A report for each one at its first failure.
    std::size_t tried = 0;
    for (const auto& kind : t.log) tried += kind == "connect_failed";
    CHECK(tried >= 4);
    CHECK(tried <= 8);
    for (int i = 0; i < 12; ++i) t.bring_back("s" + std::to_string(i));
    t.world.advance(20s);
    static_cast<void>(t.world.get_result(stub.who()));
    t.world.advance(10s);
    CHECK(t.used().size() == 4);
}

}  // namespace
