// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/routers.hpp>

#include <futon/cluster/random.hpp>
#include <futon/cluster/route_cache.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// a: v1; b: v1, canary; c: v2, tag disk=ssd; d: v2, canary, tag disk=ssd.
struct four {
    four() {
        const auto put = [&](std::size_t i, std::string version, std::string group, futon::metadata tags) {
            auto p = tests::numbered_provider(i);
            p.version = std::move(version);
            p.group = std::move(group);
            p.tags = std::move(tags);
            table.put(std::move(p), now).set_connected(true);
        };
        put(0, "1", "", {});
        put(1, "1", "canary", {});
        put(2, "2", "", {{"disk", "ssd"}});
        put(3, "2", "canary", {{"disk", "ssd"}});
    }
    std::string left(const futon::any_router& r, const futon::route& wanted) const {
        auto nodes = table.listed();
        r.narrow(wanted, nodes);
        std::string names;
        for (const auto* n : nodes) names += static_cast<char>('a' + n->slot);
        return names;
    }
    futon::node_table table;
    futon::time_point now{10s};
};

TEST_CASE("router_chain: a call that names an address goes there or nowhere, before any router is asked") {
    const four f;
    const futon::router_chain chain{futon::version_router{}};
    CHECK(f.left(chain, {.address = f.table.listed()[1]->told.address.text()}) == "b");
    CHECK(f.left(chain, {.address = f.table.listed()[1]->told.address.text(), .version = "2"}).empty());
    CHECK(f.left(chain, {.address = "tcp://192.0.2.9:1"}).empty());
    CHECK(f.left(chain, {.address = "nonsense"}).empty());
    CHECK(chain.blocked_by({.address = "tcp://192.0.2.9:1"}, f.table.listed()) == "address");
}

TEST_CASE("routers: which providers are left") {
    const four all;
    const futon::route none;
    const futon::route v2{.version = "2"};
    const futon::route v3{.version = "3"};
    const futon::route canary{.group = "canary"};
    const futon::route blue{.group = "blue"};
    const futon::route ssd{.tags = {{"disk", "ssd"}, {"tenant", "7"}}};
    const futon::condition_router ssd_for_two{
        .when = [](const futon::route& r) { return r.version == "2"; },
        .then = [](const futon::provider& p) { return p.tags.get("disk") == "ssd" && p.group.empty(); }};
    struct row {
        futon::any_router router;
        futon::route wanted;
        std::string left;
    };
    for (const auto& [r, wanted, left] : std::vector<row>{
             {futon::version_router{}, none, "abcd"},
             {futon::version_router{}, v2, "cd"},
             {futon::version_router{}, v3, ""},
             {futon::version_router{.or_all = true}, v3, "abcd"},
             {futon::group_router{}, none, "ac"},
             {futon::group_router{}, canary, "bd"},
             {futon::group_router{}, blue, ""},
             {futon::group_router{.or_all = true}, blue, "abcd"},
             {futon::tag_router{}, none, "abcd"},
             {futon::tag_router{}, ssd, ""},
             {futon::tag_router{.keys = {"disk"}}, ssd, "cd"},
             {ssd_for_two, none, "abcd"},
             {ssd_for_two, v2, "c"},
             {futon::condition_router{}, v2, "abcd"},
         }) {
        CAPTURE(r.name());
        CHECK(all.left(r, wanted) == left);
    }
}

TEST_CASE("routers: a call that names no group goes to all where every provider has one") {
    four all;
    for (auto* n : all.table.listed()) {
        auto p = n->told;
        p.group = "primary";
        all.table.put(std::move(p), all.now);
    }
    CHECK(all.left(futon::any_router{futon::group_router{}}, {}) == "abcd");
}

TEST_CASE("routers: a chain narrows step by step, and names the router that left nothing") {
    const four all;
    const futon::router_chain chain{futon::version_router{}, futon::group_router{}};
    CHECK(all.left(chain, {.version = "2"}) == "c");
    CHECK(all.left(chain, {.version = "2", .group = "canary"}) == "d");
    CHECK(chain.blocked_by({.version = "2"}, all.table.listed()).empty());
    CHECK(chain.blocked_by({.version = "9"}, all.table.listed()) == "version");
    CHECK(chain.blocked_by({.group = "blue"}, all.table.listed()) == "group");
    CHECK(chain.blocked_by({.group = "blue"}, {}).empty());
}

TEST_CASE("routers: a chain says which router left nothing, of how many, for which route; and which address is unknown") {
    const four all;
    const auto listed = all.table.listed();
    const futon::router_chain chain{futon::version_router{}, futon::tag_router{}};
    CHECK(chain.why_none({.version = "2", .tags = {{"disk", "tape"}, {"tenant", "7"}}}, listed) ==
          "the router 'tags' leaves none of the 2 providers before it, for a call with version '2', tag 'disk=tape', tag "
          "'tenant=7'");
    CHECK(chain.why_none({.address = listed[0]->told.address.text(), .version = "2"}, listed) ==
          "the router 'version' leaves none of the 1 provider before it, for a call with address '" +
              listed[0]->told.address.text() + "', version '2'");
    CHECK(chain.why_none({.address = "tcp://192.0.2.9:1"}, listed) ==
          "the call's route names tcp://192.0.2.9:1, which is none of the 4 providers");
    CHECK(chain.why_none({.address = "nonsense:"}, listed) ==
          "the call's route names nonsense:, which is no address, and none of the 4 providers");
    CHECK(chain.why_none({.version = "2"}, listed).empty());
    CHECK(chain.why_none({.version = "9"}, {}).empty());
    const futon::router_chain nobody{futon::condition_router{.then = [](const auto&) { return false; }, .title = "shut"}};
    CHECK(nobody.why_none({}, listed) ==
          "the router 'shut' leaves none of the 4 providers before it, for a call without a route");
    CHECK(chain.why_none({.tags = {{"disk", std::string(5000, 'x')}}}, listed).size() < 700);
}

// Counts how often it is asked.
struct counting_router {
    std::shared_ptr<int> asked = std::make_shared<int>(0);
    void narrow(const futon::route&, std::vector<futon::node*>&) const { ++*asked; }
};

TEST_CASE("route_cache: routers run once for each route and version of the table, never per pick") {
    four all;
    const counting_router counter;
    futon::route_cache cache{futon::random{}, futon::router_chain{counter, futon::version_router{}}};
    const futon::route v2{.version = "2"};
    futon::dice random{1};
    for (int i = 0; i < 100; ++i) {
        futon::pick_context call{.now = all.now, .random = random};
        auto& any = *cache.find({}, all.table);
        CHECK(any.policy.pick(any.nodes, call) != nullptr);
        auto& second = *cache.find(v2, all.table);
        CHECK(second.policy.pick(second.nodes, call)->told.version == "2");
        CHECK(second.nodes.size() == 2);
    }
    CHECK(*counter.asked == 2);
    all.table.remove(tests::numbered_provider(3).address, all.now);
    CHECK(cache.oldest_version() < all.table.version());
    CHECK(cache.find(v2, all.table)->nodes.size() == 1);
    CHECK(*counter.asked == 3);
    CHECK(all.table.collect(cache.oldest_version()) == 1);  // The other view still lists it.
    cache.refresh_all(all.table);
    CHECK(all.table.collect(cache.oldest_version()) == 0);
}

TEST_CASE("route_cache: the view that was used longest ago makes room, and lives while it is held") {
    four all;
    futon::route_cache cache{futon::random{}, {}, 2};
    const auto first = cache.find({.version = "1"}, all.table);
    const auto second = cache.find({.version = "2"}, all.table);
    (void)cache.find({.version = "1"}, all.table);
    (void)cache.find({.version = "3"}, all.table);
    CHECK(cache.views().size() == 2);
    CHECK(cache.find({.version = "1"}, all.table) == first);
    CHECK(cache.find({.version = "2"}, all.table) != second);
    CHECK(second->nodes.size() == 4);
}

TEST_CASE("route_cache: calls without a route find theirs again after others have taken its place") {
    four all;
    for (const std::size_t capacity : {1u, 2u}) {
        CAPTURE(capacity);
        futon::route_cache cache{futon::random{}, {}, capacity};
        const futon::route pinned{.address = (*all.table.listed().begin())->told.address.text()};
        for (int i = 0; i < 3; ++i) {
            CHECK(cache.find({}, all.table)->nodes.size() == 4);
            CHECK(cache.find(pinned, all.table)->nodes.size() == 1);
            CHECK(cache.find({.version = "1"}, all.table)->nodes.size() == 4);
            CHECK(cache.find({}, all.table)->wanted == futon::route{});
            CHECK(cache.find({}, all.table) == cache.find({}, all.table));
        }
        CHECK(cache.views().size() == capacity);
    }
}

TEST_CASE(
    "route_cache: a large set that changes all the time is made anew by and by; what was removed is not used meanwhile") {
    futon::node_table table;
    futon::time_point now{10s};
    for (std::size_t i = 0; i < 10'000; ++i) table.put(tests::numbered_provider(i), now).set_connected(true);
    futon::route_cache cache{futon::random{}};
    (void)cache.find({}, table, now);
    table.put(tests::numbered_provider(20'000), now);
    auto* const gone = table.remove(tests::numbered_provider(5).address, now);
    now += 49ms;  // 5 us a node.
    const auto& view = cache.find({}, table, now);
    CHECK(view->nodes.version() != table.version());
    CHECK_FALSE(view->nodes.usable(*gone));
    CHECK(table.collect(cache.oldest_version()) == 1);
    now += 1ms;
    CHECK(cache.find({}, table, now)->nodes.version() == table.version());
    table.put(tests::numbered_provider(20'001), now);
    CHECK(cache.find({}, table)->nodes.version() == table.version());
}

TEST_CASE("route_cache: a panic outlives an update of the list") {
    four all;
    futon::route_cache cache{futon::random{}};
    cache.find({}, all.table)->nodes.set_panic(true);
    all.table.put(tests::numbered_provider(9), all.now);
    CHECK(cache.find({}, all.table)->nodes.panic());
    CHECK(cache.find({}, all.table)->nodes.size() == 5);
}

}  // namespace
