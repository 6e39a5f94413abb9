// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/zone_aware.hpp>

#include <futon/cluster/balancer_names.hpp>
#include <futon/cluster/local_preference.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/cluster/routers.hpp>
#include <futon/cluster/sticky.hpp>
#include <futon/cluster/subset.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// `local` of `count` in zone "a", the rest in "b".
struct two_zones {
    two_zones(std::size_t count, std::size_t local, futon::zone_aware_options options = {.zone = "a"})
        : cluster{0}, policy{options}, locals{local} {
        for (std::size_t i = 0; i < count; ++i) cluster.add(i).told.zone = i < local ? "a" : "b";
        cluster.publish();
        policy.rebuild(cluster.set);
    }
    double stay(std::size_t unhealthy) {
        for (std::size_t i = 0; i < locals; ++i) cluster[i].set(futon::hold::ejected, i < unhealthy);
        cluster.now += 1s;
        const auto counts = tests::count_picks(policy, cluster, 20'000);
        std::size_t within = 0;
        for (std::size_t i = 0; i < locals; ++i) within += counts[i];
        return static_cast<double>(within) / 20'000;
    }
    tests::nodes cluster;
    futon::zone_aware<> policy;
    std::size_t locals;
};

TEST_CASE("zone_aware: all calls stay down to 71 % healthy, then what is missing spills over") {
    two_zones zones{30, 10};
    CHECK(zones.stay(0) == 1);
    CHECK(zones.stay(2) == 1);
    CHECK(zones.stay(3) == doctest::Approx(0.98).epsilon(0.01));
    CHECK(zones.stay(5) == doctest::Approx(0.70).epsilon(0.02));
    CHECK(zones.stay(9) == doctest::Approx(0.14).epsilon(0.1));
    CHECK(zones.stay(10) == 0);
    CHECK(zones.stay(0) == 1);
}

TEST_CASE("zone_aware: small sets, no zone, no local node, a panic: zones do not count") {
    CHECK(two_zones{5, 2}.stay(0) == doctest::Approx(0.4).epsilon(0.05));
    CHECK(two_zones{30, 10, {}}.stay(0) == doctest::Approx(0.33).epsilon(0.05));
    CHECK(two_zones{30, 10, {.zone = "c"}}.stay(0) == doctest::Approx(0.33).epsilon(0.05));
    two_zones panic{30, 10};
    panic.cluster.set.set_panic(true);
    CHECK(panic.stay(0) == doctest::Approx(0.33).epsilon(0.05));
    CHECK(two_zones{30, 10, {.zone = "a", .most_local = 0.5}}.stay(0) == doctest::Approx(0.5).epsilon(0.03));
}

TEST_CASE("zone_aware: with no node left in the other zones, the local ones carry all") {
    two_zones zones{8, 4};
    for (std::size_t i = 4; i < 8; ++i) zones.cluster[i].set_connected(false);
    CHECK(zones.stay(3) == 1);
}

// Asks the last node of its set after each pick, and the first one when it was idle for a second.
struct curious {
    [[nodiscard]] futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        due = call.now + 1s;
        return &nodes[0];
    }
    [[nodiscard]] std::size_t next_probes(const futon::node_set& nodes, futon::pick_context&,
                                          std::span<futon::node*> into) noexcept {
        into[0] = &nodes[nodes.size() - 1];
        return 1;
    }
    void probed(futon::node& n, const futon::load_report&, futon::time_point) noexcept { heard_of = n.slot; }
    [[nodiscard]] futon::time_point idle_probes_due() const noexcept { return due; }
    [[nodiscard]] std::size_t idle_probes(const futon::node_set& nodes, futon::pick_context&,
                                          std::span<futon::node*> into) noexcept {
        due = futon::no_deadline;
        into[0] = &nodes[0];
        return 1;
    }
    futon::time_point due = futon::no_deadline;
    std::size_t heard_of = 99;
};
// What any_load_balancer asks of it: the slots of the nodes.
template <class P>
std::vector<std::size_t> asked(P& policy, tests::nodes& cluster, bool idle) {
    futon::dice random{1};
    futon::pick_context call{.now = cluster.now, .random = random};
    futon::node* into[4] = {};
    const auto count = idle ? policy.idle_probes(cluster.set, call, into) : policy.next_probes(cluster.set, call, into);
    std::vector<std::size_t> slots;
    for (std::size_t i = 0; i < count; ++i) slots.push_back(into[i]->slot);
    return slots;
}

TEST_CASE("zone_aware, local_preference: a policy within that probes is let probe, each part for itself") {
    tests::nodes cluster{0};
    for (std::size_t i = 0; i < 8; ++i) {
        cluster.add(i).told.zone = i < 4 ? "a" : "b";
        cluster[i].told.address.host = i < 4 ? "127.0.0.1" : "10.0.0." + std::to_string(i);
    }
    cluster.publish();
    using slots = std::vector<std::size_t>;
    futon::any_load_balancer zones{futon::zone_aware<curious>{{.zone = "a"}}};
    zones.rebuild(cluster.set);
    CHECK(zones.probes());
    static_cast<void>(tests::count_picks(zones, cluster, 1));
    CHECK(asked(zones, cluster, false) == slots{3});
    CHECK(zones.idle_probes_due() == cluster.now + 1s);
    CHECK(asked(zones, cluster, true).empty());
    cluster.now += 1s;
    CHECK(asked(zones, cluster, true) == slots{0});
    CHECK(zones.idle_probes_due() == futon::no_deadline);
    futon::any_load_balancer nearby{futon::local_preference<curious>{}};
    nearby.rebuild(cluster.set);
    static_cast<void>(tests::count_picks(nearby, cluster, 1));
    CHECK(asked(nearby, cluster, false) == slots{3, 7});
    cluster.now += 1s;
    CHECK(asked(nearby, cluster, true) == slots{0, 4});
    CHECK_FALSE(futon::any_load_balancer{futon::zone_aware<>{}}.probes());
}

TEST_CASE("local_preference: the local node first, while it is at most twice as costly") {
    tests::nodes some{6};
    some[2].told.address.host = "192.168.7.7";
    futon::local_preference<> policy{{.hosts = {"192.168.7.7"}}};
    policy.rebuild(some.set);
    CHECK(tests::count_picks(policy, some, 100)[2] == 100);
    some[2].in_flight = 1;
    CHECK(tests::count_picks(policy, some, 100)[2] == 100);
    some[2].in_flight = 2;
    CHECK(tests::count_picks(policy, some, 100)[2] == 0);

    // Idle, but slow.
    some[2].in_flight = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        some[i].samples = 1;
        some[i].latency = i == 2 ? 0.030f : 0.010f;
    }
    CHECK(tests::count_picks(policy, some, 100)[2] == 0);
    for (std::size_t i = 0; i < 6; ++i)
        if (i != 2) some[i].set(futon::hold::draining, true);
    CHECK(tests::count_picks(policy, some, 100)[2] == 100);

    // SOFARPC's way, and its trap.
    futon::local_preference<> always{{.hosts = {"192.168.7.7"}, .guard = 0}};
    for (std::size_t i = 0; i < 6; ++i) some[i].set(futon::hold::draining, false);
    always.rebuild(some.set);
    some[2].in_flight = 1000;
    CHECK(tests::count_picks(always, some, 100)[2] == 100);
    some[2].set(futon::hold::ejected, true);
    CHECK(tests::count_picks(always, some, 100)[2] == 0);
}

TEST_CASE("local_preference: loopback and sockets of the machine are local") {
    for (const auto* at : {"tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:1", "unix:///run/x"}) {
        tests::nodes some{4};
        some[1].told.address = *futon::endpoint::parse(at);
        futon::local_preference<futon::peak_ewma> policy;
        policy.rebuild(some.set);
        CHECK(tests::count_picks(policy, some, 50)[1] == 50);
    }
}

TEST_CASE("pick_first: every client calls the same node, the next one when that is gone") {
    tests::nodes some{0};
    for (std::size_t i = 0; i < 5; ++i) some.add(i, i == 3 || i == 4 ? 200 : 100);
    some.publish();
    futon::pick_first policy;
    policy.rebuild(some.set);
    auto call = some.call();
    auto* const first = policy.pick(some.set, call);
    auto* const second = first == &some[3] ? &some[4] : &some[3];
    CHECK(first->told.weight == 200);
    for (int i = 0; i < 20; ++i) CHECK(policy.pick(some.set, call) == first);
    first->set_connected(false);
    CHECK(policy.pick(some.set, call) == second);
    first->set_connected(true);
    CHECK(policy.pick(some.set, call) == first);
}

TEST_CASE("sticky: stays until the node is not usable or its time is over; clients differ") {
    std::set<std::uint32_t> chosen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        tests::nodes ten{10, 100, seed};
        futon::sticky<> policy;
        policy.rebuild(ten.set);
        auto call = ten.call();
        auto* const at = policy.pick(ten.set, call);
        chosen.insert(at->slot);
        for (int i = 0; i < 20; ++i) CHECK(policy.pick(ten.set, call) == at);
        futon::node* tried[] = {at};
        call.tried = tried;
        CHECK(policy.pick(ten.set, call) != at);
        call.tried = {};
        CHECK(policy.pick(ten.set, call) == at);
        at->set(futon::hold::draining, true);
        auto* const next = policy.pick(ten.set, call);
        CHECK(next != at);
        call.now += 7min;
        CHECK(policy.pick(ten.set, call) == next);
    }
    CHECK(chosen.size() == 10);

    tests::nodes ten{10};
    futon::sticky<> policy{{.stay = 1min}};
    policy.rebuild(ten.set);
    std::set<const futon::node*> seen;
    for (int i = 0; i < 100; ++i) {
        auto call = ten.call();
        seen.insert(policy.pick(ten.set, call));
        ten.now += 30s;
    }
    CHECK(seen.size() > 5);
}

// How many of `clients` keep each node.
template <class Make>
std::map<const futon::node*, std::size_t> kept_by(const futon::node_table& table, std::size_t clients,
                                                  const Make& make) {
    std::map<const futon::node*, std::size_t> counts;
    for (const auto* n : table.listed()) counts[n] = 0;
    for (std::size_t i = 0; i < clients; ++i) {
        auto nodes = table.listed();
        make(i).narrow({}, nodes);
        for (const auto* n : nodes) ++counts[n];
    }
    return counts;
}

TEST_CASE("subset: deterministic ones give each provider the same number of clients, within two (G12)") {
    struct row {
        std::size_t nodes, clients, size;
    };
    for (const auto& [count, clients, size] : {row{300, 300, 30}, row{1000, 100, 20}, row{100, 7, 20}, row{97, 31, 13},
                                               row{50, 1, 60}, row{13, 5, 12}, row{1, 9, 5}}) {
        CAPTURE(count);
        futon::node_table table;
        for (std::size_t i = 0; i < count; ++i) table.put(tests::numbered_provider(i), {});
        const auto counts = kept_by(table, clients, [&](std::size_t i) {
            return futon::deterministic_subset{.size = size, .client_index = i, .client_count = clients};
        });
        std::size_t most = 0;
        std::size_t least = 1'000'000;
        for (const auto& [n, kept] : counts) {
            most = std::max(most, kept);
            least = std::min(least, kept);
        }
        CHECK(least >= 1);
        CHECK(most - least <= 2);
    }
}

TEST_CASE("subset: one provider more or less changes a node or two of a client (G12)") {
    futon::node_table table;
    for (std::size_t i = 0; i < 300; ++i) table.put(tests::numbered_provider(i), {});
    const auto kept = [&](const auto& subset) {
        auto nodes = table.listed();
        subset.narrow({}, nodes);
        std::set<std::uint64_t> ids;
        for (const auto* n : nodes) ids.insert(n->id);
        return ids;
    };
    std::vector<std::set<std::uint64_t>> drawn, sliced;
    for (std::size_t i = 0; i < 300; ++i) {
        drawn.push_back(kept(futon::rendezvous_subset{.size = 30, .client = i}));
        sliced.push_back(kept(futon::deterministic_subset{.size = 30, .client_index = i, .client_count = 300}));
        CHECK(drawn.back().size() == 30);
        CHECK(sliced.back().size() == 30);
    }
    table.remove(tests::numbered_provider(123).address, {});
    for (std::size_t i = 0; i < 300; ++i) {
        const auto fresh = [](const auto& before, const auto& after) {
            std::size_t count = 0;
            for (const auto id : after) count += before.count(id) == 0;
            return count;
        };
        CHECK(fresh(drawn[i], kept(futon::rendezvous_subset{.size = 30, .client = i})) <= 1);
        CHECK(fresh(sliced[i], kept(futon::deterministic_subset{.size = 30, .client_index = i, .client_count = 300})) <=
              2);
    }
}

TEST_CASE("subset: drawn ones leave no provider out, and vary as chance does") {
    futon::node_table table;
    for (std::size_t i = 0; i < 300; ++i) table.put(tests::numbered_provider(i), {});
    const auto counts =
        kept_by(table, 300, [](std::size_t i) { return futon::rendezvous_subset{.size = 30, .client = i}; });
    for (const auto& [n, kept] : counts) {
        CHECK(kept > 8);
        CHECK(kept < 60);
    }
    auto all = table.listed();
    futon::rendezvous_subset{.size = 0}.narrow({}, all);
    CHECK(all.size() == 300);
    futon::deterministic_subset{.size = 0}.narrow({}, all);
    CHECK(all.size() == 300);
}

// Which of `table` the subset keeps.
std::set<const futon::node*> kept_of(const futon::node_table& table, const futon::any_router& subset) {
    auto nodes = table.listed();
    subset.narrow({}, nodes);
    return {nodes.begin(), nodes.end()};
}

TEST_CASE("subset: what is absent is replaced until it is back, and the others stay") {
    futon::node_table table;
    for (std::size_t i = 0; i < 100; ++i) table.put(tests::numbered_provider(i), {});
    const futon::any_router drawn{futon::rendezvous_subset{.size = 10, .client = 3}};
    const futon::any_router sliced{
        futon::deterministic_subset{.size = 10, .client_index = 7, .client_count = 30, .least = 0}};
    for (const auto& subset : {drawn, sliced}) {
        CAPTURE(subset.absent_after().count());
        CHECK(subset.absent_after() == 10s);
        const auto before = kept_of(table, subset);
        REQUIRE(before.size() == 10);
        std::vector<futon::node*> gone;
        for (auto* n : table.listed())
            if (before.contains(n) && gone.size() < 3) gone.push_back(n);
        for (auto* n : gone) n->absent = true;
        const auto now = kept_of(table, subset);
        CHECK(now.size() == 10);
        std::size_t stayed = 0;
        for (const auto* n : now) {
            CHECK_FALSE(n->absent);
            stayed += before.count(n);
        }
        CHECK(stayed == 7);
        for (auto* n : gone) n->absent = false;
        CHECK(kept_of(table, subset) == before);
    }
}

TEST_CASE("subset: as many as it keeps may be replaced, no more, and none where that is not wanted") {
    futon::node_table table;
    for (std::size_t i = 0; i < 100; ++i) table.put(tests::numbered_provider(i), {});
    const futon::any_router subset{futon::rendezvous_subset{.size = 10, .client = 3}};
    const futon::any_router fixed{futon::rendezvous_subset{.size = 10, .client = 3, .refill_after = 0s}};
    const auto before = kept_of(table, subset);
    CHECK(kept_of(table, fixed) == before);
    for (auto* n : table.listed()) n->absent = before.contains(n);
    CHECK(kept_of(table, fixed) == before);
    const auto others = kept_of(table, subset);
    for (const auto* n : others) CHECK_FALSE(before.contains(n));
    // These are out as well: of all that come into question the first are kept.
    for (auto* n : table.listed()) n->absent = true;
    CHECK(kept_of(table, subset) == before);
    // Nor does it look further for the one that is not.
    for (auto* n : table.listed()) n->absent = before.contains(n) || others.contains(n);
    CHECK(kept_of(table, subset) == before);
}

TEST_CASE("router_chain: heeds who is absent if one of its routers does") {
    CHECK(futon::router_chain{}.absent_after() == 0s);
    CHECK(futon::router_chain{futon::rendezvous_subset{.refill_after = 0s}}.absent_after() == 0s);
    const futon::router_chain two{futon::version_router{}, futon::deterministic_subset{.refill_after = 3s}};
    CHECK(two.absent_after() == 3s);
}

TEST_CASE(
    "balancer_names: every name makes a policy that picks; SOFARPC's are there; others are refused with the list") {
    tests::nodes ten{10};
    std::set<std::string> names;
    for (const auto& one : futon::balancer_names) {
        CHECK(names.insert(std::string{one.name}).second);
        auto policy = futon::make_load_balancer(one.name);
        REQUIRE(policy.has_value());
        policy->rebuild(ten.set);
        auto call = ten.call();
        call.hash_key = 5;
        CHECK(policy->pick(ten.set, call) != nullptr);
        CHECK((one.means.empty() || futon::make_load_balancer(one.means).has_value()));
    }
    for (const auto* name :
         {"random", "roundRobin", "weightRoundRobin", "consistentHash", "weightConsistentHash", "localPref", "auto"})
        CHECK(names.count(name) == 1);
    const auto refused = futon::make_load_balancer("best");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == futon::errc::bad_arguments);
    CHECK(refused.error().message().find("'best' is not a load balancer; there are random, ") != std::string::npos);
}

}  // namespace
