// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/ring_hash.hpp>

#include <futon/cluster/bounded_load.hpp>
#include <futon/cluster/maglev.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/rendezvous.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Who gets each of the keys 0, 1, ..., by address.
template <class Policy>
std::vector<std::uint64_t> owners(Policy& policy, const futon::node_set& set, std::size_t keys) {
    futon::dice random{1};
    std::vector<std::uint64_t> ids;
    for (std::uint64_t key = 0; key < keys; ++key) {
        futon::pick_context call{.now = {}, .random = random, .hash_key = futon::stable_hash(key, 77)};
        ids.push_back(policy.pick(set, call)->id);
    }
    return ids;
}

struct spread {
    double most = 0, least = 1e9;  // Over the mean.
};
spread spread_of(const std::vector<std::uint64_t>& owned, std::size_t nodes) {
    auto sorted = owned;
    std::sort(sorted.begin(), sorted.end());
    const auto mean = static_cast<double>(owned.size()) / static_cast<double>(nodes);
    spread s;
    std::size_t seen = 0;
    for (auto at = sorted.begin(); at != sorted.end();) {
        const auto end = std::upper_bound(at, sorted.end(), *at);
        s.most = std::max(s.most, static_cast<double>(end - at) / mean);
        s.least = std::min(s.least, static_cast<double>(end - at) / mean);
        at = end;
        ++seen;
    }
    if (seen < nodes) s.least = 0;
    return s;
}

// A client that has seen providers come and go, in an order of its own, until the first `count` are left.
template <class Policy>
struct client {
    client(std::uint64_t seed, std::size_t count, Policy made = Policy{}) : policy(std::move(made)) {
        futon::dice random{seed};
        const futon::time_point now{1s};
        std::vector<std::size_t> order(count + count / 2);
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        const auto some = order.size() / 3;
        for (std::size_t i = 0; i < order.size(); ++i) {
            table.put(tests::numbered_provider(order[i], 100 + static_cast<std::uint32_t>(random.below(3)) * 50), now);
            if (i % some == 0) publish();
        }
        for (const auto i : order) {
            if (i >= count) table.remove(tests::numbered_provider(i).address, now);
            if (i % some == 1) publish();
        }
        for (const auto i : order)
            if (i < count) table.put(tests::numbered_provider(i), now);
        for (auto* n : table.listed()) n->set_connected(true);
        publish();
    }
    void publish() {
        set.assign(table.listed(), table.version());
        policy.rebuild(set);
        table.collect(table.version());
    }
    futon::node_table table;
    futon::node_set set;
    Policy policy;
};

TEST_CASE_TEMPLATE("hashing: clients with different histories send every key to the same node (G11)", Policy,
                   futon::ring_hash, futon::maglev, futon::rendezvous, futon::bounded_load<>) {
    const std::size_t nodes = std::is_same_v<Policy, futon::rendezvous> ? 50 : 300;
    client<Policy> one{1, nodes};
    client<Policy> other{2, nodes};
    REQUIRE(one.set.size() == nodes);
    REQUIRE(other.set.size() == nodes);
    const auto keys = std::is_same_v<Policy, futon::rendezvous> ? 20'000u : 200'000u;
    CHECK(owners(one.policy, one.set, keys) == owners(other.policy, other.set, keys));
}

TEST_CASE("hashing: keys are spread evenly enough (G11)") {
    client<futon::ring_hash> ring{1, 1000};
    CHECK(ring.policy.points() == 160'000);
    const auto of_ring = spread_of(owners(ring.policy, ring.set, 1'000'000), 1000);
    CHECK(of_ring.most <= 1.35);
    CHECK(of_ring.least >= 0.65);

    client<futon::maglev> table{1, 1000};
    CHECK(table.policy.entries() == 131'101);
    const auto of_table = spread_of(owners(table.policy, table.set, 1'000'000), 1000);
    CHECK(of_table.most <= 1.15);
    CHECK(of_table.least >= 0.87);

    client<futon::rendezvous> drawn{1, 20};
    const auto of_draw = spread_of(owners(drawn.policy, drawn.set, 100'000), 20);
    CHECK(of_draw.most <= 1.06);
    CHECK(of_draw.least >= 0.94);
}

TEST_CASE_TEMPLATE("hashing: a node that leaves moves its own keys and no others (G11)", Policy, futon::ring_hash,
                   futon::rendezvous) {
    client<Policy> c{3, 50};
    const auto before = owners(c.policy, c.set, 20'000);
    const auto gone = c.table.find(tests::numbered_provider(17).address)->id;
    c.table.remove(tests::numbered_provider(17).address, {});
    c.publish();
    const auto after = owners(c.policy, c.set, 20'000);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] == gone) {
            ++moved;
            CHECK(after[i] != gone);
        } else {
            REQUIRE(after[i] == before[i]);
        }
    }
    CHECK(moved > 200);
}

TEST_CASE("hashing: maglev moves few other keys") {
    client<futon::maglev> c{3, 300};
    const auto before = owners(c.policy, c.set, 100'000);
    const auto gone = c.table.find(tests::numbered_provider(17).address)->id;
    c.table.remove(tests::numbered_provider(17).address, {});
    c.publish();
    const auto after = owners(c.policy, c.set, 100'000);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) moved += before[i] != gone && after[i] != before[i];
    CHECK(moved < 2000);
}

TEST_CASE_TEMPLATE("hashing: where the owner is not usable, a second choice that all clients share", Policy,
                   futon::ring_hash, futon::maglev, futon::rendezvous) {
    client<Policy> one{1, 40};
    client<Policy> other{2, 40};
    const auto before = owners(one.policy, one.set, 5000);
    for (auto* c : {&one, &other})
        for (const std::size_t i : {3u, 4u, 30u})
            c->table.find(tests::numbered_provider(i).address)->set(futon::hold::ejected, true);
    const auto now_one = owners(one.policy, one.set, 5000);
    CHECK(now_one == owners(other.policy, other.set, 5000));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < before.size(); ++i) kept += now_one[i] == before[i];
    CHECK(kept > 4400);
    // A call that tried the owner goes to the next.
    futon::dice random{1};
    futon::pick_context call{.now = {}, .random = random, .hash_key = 5};
    futon::node* tried[] = {one.policy.pick(one.set, call)};
    call.tried = tried;
    CHECK(one.policy.pick(one.set, call) != tried[0]);
}

TEST_CASE_TEMPLATE("hashing: weights decide how many keys; ramps do not", Policy, futon::ring_hash, futon::maglev,
                   futon::rendezvous) {
    tests::nodes some{0};
    for (std::size_t i = 0; i < 20; ++i) some.add(i, i < 10 ? 100 : 200);
    some.publish();
    Policy policy;
    policy.rebuild(some.set);
    const auto before = owners(policy, some.set, 60'000);
    std::size_t heavy = 0;
    for (const auto id : before)
        for (std::size_t i = 10; i < 20; ++i) heavy += some[i].id == id;
    CHECK(heavy == doctest::Approx(40'000).epsilon(0.06));
    some[3].weight = 10;
    some.set.reweigh();
    policy.rebuild(some.set);
    CHECK(owners(policy, some.set, 60'000) == before);
}

TEST_CASE_TEMPLATE("hashing: calls without a key go by chance", Policy, futon::ring_hash, futon::maglev,
                   futon::rendezvous, futon::bounded_load<>) {
    tests::nodes ten{10};
    Policy policy;
    policy.rebuild(ten.set);
    CHECK(tests::chi_square(tests::count_picks(policy, ten, 50'000), std::vector<double>(10, 1)) < 27.9);
}

TEST_CASE_TEMPLATE("hashing: empty sets, single nodes and nothing usable", Policy, futon::ring_hash, futon::maglev,
                   futon::rendezvous, futon::bounded_load<>, futon::bounded_load<futon::maglev>) {
    tests::nodes none{0};
    Policy policy;
    policy.rebuild(none.set);
    auto call = none.call();
    call.hash_key = 7;
    CHECK(policy.pick(none.set, call) == nullptr);
    auto& one = none.add(1);
    none.publish();
    policy.rebuild(none.set);
    CHECK(policy.pick(none.set, call) == &one);
    one.set(futon::hold::draining, true);
    CHECK(policy.pick(none.set, call) == nullptr);
}

TEST_CASE("ring_hash: large sets get fewer points each, by steps") {
    tests::nodes some{0};
    for (std::size_t i = 0; i < 9000; ++i) some.add(i);
    some.publish();
    futon::ring_hash policy{{.points = 160, .most_points = 100'000}};
    policy.rebuild(some.set);
    CHECK(policy.points() == 9000 * 8);
    CHECK(futon::ring_hash{}.points() == 0);
}

TEST_CASE("bounded_load: no node has more than 1.25 of its share in flight, however busy its keys are (G11)") {
    client<futon::bounded_load<>> c{1, 100};
    futon::dice random{5};
    // Zipf: key k comes 1/k as often as the first; 2000 calls in flight, 20'000 in all.
    std::vector<double> sums{0};
    for (int k = 1; k <= 10'000; ++k) sums.push_back(sums.back() + 1.0 / k);
    std::vector<futon::node*> in_flight;
    const futon::time_point now{1s};
    for (int i = 0; i < 20'000; ++i) {
        const auto at = std::lower_bound(sums.begin(), sums.end(), random.fraction() * sums.back());
        futon::pick_context call{.now = now, .random = random,
                                 .hash_key = futon::stable_hash(static_cast<std::uint64_t>(at - sums.begin()), 3)};
        auto* const n = c.policy.pick(c.set, call);
        futon::begin_attempt(c.policy, *n, now);
        REQUIRE(n->in_flight <= std::ceil(1.25 * static_cast<double>(in_flight.size() + 1) / 100));
        in_flight.push_back(n);
        if (in_flight.size() == 2000) {
            const auto ends = random.below(in_flight.size());
            futon::end_attempt(c.policy, *in_flight[ends], futon::attempt_outcome::success(now, now));
            in_flight[ends] = in_flight.back();
            in_flight.pop_back();
        }
    }
}

}  // namespace
