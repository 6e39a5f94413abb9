// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/prequal.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <set>
#include <cstdint>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::errc;

namespace {

struct probed {
    explicit probed(std::size_t count, futon::prequal_options options = {}) : cluster{count}, policy{options} {
        policy.rebuild(cluster.set);
    }
    void tell(std::size_t i, std::uint32_t in_flight, futon::duration latency) {
        futon::take_report(policy, cluster[i], {.in_flight = in_flight, .latency = latency}, cluster.now);
    }
    std::size_t pick() {
        auto call = cluster.call();
        return policy.pick(cluster.set, call)->slot;
    }
    std::vector<futon::node*> probes() {
        auto call = cluster.call();
        std::array<futon::node*, 8> into{};
        const auto count = policy.next_probes(cluster.set, call, into);
        return {into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count)};
    }
    std::vector<futon::node*> idle_probes() {
        auto call = cluster.call();
        std::array<futon::node*, 8> into{};
        const auto count = policy.idle_probes(cluster.set, call, into);
        return {into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count)};
    }
    tests::nodes cluster;
    futon::prequal policy;
};

TEST_CASE("prequal: the lowest latency among those that are not hot, else the fewest in flight") {
    struct row {
        std::vector<std::pair<std::uint32_t, futon::duration>> told;  // Of nodes 0, 1, ...
        std::size_t best;
    };
    for (const auto& [told, best] : std::vector<row>{
             {{{1, 9ms}, {1, 3ms}, {1, 5ms}}, 1},            // Alike in flight: the quickest.
             {{{1, 9ms}, {1, 8ms}, {1, 7ms}, {20, 1ms}}, 2}, // The quickest is hot.
             {{{0, 4ms}, {0, 2ms}, {50, 1ms}, {60, 1ms}, {0, 3ms}}, 1},
         }) {
        probed some{20};
        for (std::size_t i = 0; i < told.size(); ++i) some.tell(i, told[i].first, told[i].second);
        CHECK(some.pick() == best);
    }
    // All hot: there were many reports of idle nodes, which are used up.
    probed all_hot{20};
    for (int i = 0; i < 60; ++i) all_hot.tell(0, 0, 1ms);
    all_hot.tell(0, 9, 1ms);
    all_hot.tell(1, 7, 9ms);
    all_hot.tell(2, 8, 5ms);
    CHECK(all_hot.pick() == 1);
}

TEST_CASE("prequal: hot_quantile 0 goes by calls in flight alone") {
    probed some{20, {.hot_quantile = 0}};
    some.tell(0, 3, 1ms);
    some.tell(1, 2, 50ms);
    some.tell(2, 4, 1ms);
    CHECK(some.pick() == 1);
}

TEST_CASE("prequal: a report is used a few times, and grows by what was sent on its word") {
    probed some{200};
    for (std::size_t i = 0; i < 16; ++i) some.tell(i, static_cast<std::uint32_t>(i), 5ms);
    CHECK(some.policy.pooled() == 16);
    std::vector<std::size_t> used(200);
    for (int i = 0; i < 5; ++i) ++used[some.pick()];
    for (const auto count : used) CHECK(count <= 2);
    CHECK(some.policy.pooled() <= 11);
}

TEST_CASE("prequal: reports expire, and with less than two peak_ewma chooses") {
    probed some{20};
    for (std::size_t i = 0; i < 8; ++i) some.tell(i, 1, 5ms);
    some.cluster.now += 999ms;
    CHECK(some.pick() < 8);
    some.cluster.now += 1ms;
    std::set<std::size_t> seen;
    for (int i = 0; i < 300; ++i) seen.insert(some.pick());
    CHECK(seen.size() == 20);
    CHECK(some.policy.pooled() == 0);
}

TEST_CASE("prequal: a node whose calls fail is avoided, whatever it reports") {
    probed some{20};
    some.tell(0, 0, 1ms);  // It fails at once and so is idle.
    some.tell(1, 2, 5ms);
    some.tell(2, 2, 6ms);
    for (int i = 0; i < 12; ++i) {
        futon::begin_attempt(some.policy, some.cluster[0], some.cluster.now);
        futon::end_attempt(some.policy, some.cluster[0],
                           futon::attempt_outcome::failed(errc::unavailable, some.cluster.now, some.cluster.now, 1s));
    }
    CHECK(some.pick() == 1);
}

TEST_CASE("prequal: a node that has answered nothing of late is neither the best nor the worst") {
    const auto picks_silent = [](futon::duration others) {
        probed some{20};
        for (int i = 0; i < 30; ++i) some.tell(1, 1, 5ms);  // What is typical.
        for (std::size_t i = 1; i < 9; ++i) some.tell(i, 1, others);
        some.tell(0, 1, 0ms);
        return some.pick() == 0;
    };
    CHECK_FALSE(picks_silent(2ms));
    CHECK(picks_silent(50ms));
}

TEST_CASE("prequal: a node that has only failed is avoided from its first failure on") {
    probed some{20};
    for (std::size_t i = 1; i < 9; ++i) some.tell(i, 1, 5ms);
    some.tell(0, 0, 0ms);  // All its calls fail, so it knows of no latency.
    futon::begin_attempt(some.policy, some.cluster[0], some.cluster.now);
    futon::end_attempt(some.policy, some.cluster[0],
                       futon::attempt_outcome::failed(errc::unavailable, some.cluster.now, some.cluster.now, 1s));
    for (int i = 0; i < 3; ++i) CHECK(some.pick() != 0);
}

TEST_CASE("prequal: failures are forgotten, without a call that could make up for them") {
    probed some{20};
    for (int i = 0; i < 12; ++i) {
        futon::begin_attempt(some.policy, some.cluster[0], some.cluster.now);
        futon::end_attempt(some.policy, some.cluster[0],
                           futon::attempt_outcome::failed(errc::unavailable, some.cluster.now, some.cluster.now, 1s));
    }
    const auto picks_it = [&] {
        for (std::size_t i = 1; i < 9; ++i) some.tell(i, 1, 5ms);
        some.tell(0, 1, 4ms);
        return some.pick() == 0;
    };
    some.cluster.now += 10s;
    CHECK_FALSE(picks_it());
    some.cluster.now += 30s;
    CHECK(picks_it());
}

TEST_CASE("prequal: what is held, tried or listed no more is not picked") {
    probed some{20};
    for (std::size_t i = 0; i < 6; ++i) some.tell(i, static_cast<std::uint32_t>(i), 5ms);
    some.cluster[0].set(futon::hold::ejected, true);
    some.cluster[1].set(futon::hold::draining, true);
    futon::node* tried[] = {&some.cluster[2]};
    auto call = some.cluster.call();
    call.tried = tried;
    CHECK(some.policy.pick(some.cluster.set, call) == &some.cluster[3]);

    // Node 19 leaves; its answer comes late.
    probed other{20};
    for (std::size_t i = 10; i < 20; ++i) other.tell(i, 1, (20 - i) * 1ms);
    auto gone = std::move(other.cluster.owned.back());
    other.cluster.owned.pop_back();
    other.cluster.publish();
    other.policy.rebuild(other.cluster.set);
    futon::take_report(other.policy, *gone, {}, other.cluster.now);
    CHECK(other.policy.pooled() == 9);
    CHECK(other.pick() == 18);
}

TEST_CASE("prequal: probes go to distinct usable nodes, all alike, as many as calls earn") {
    probed some{20};
    some.cluster[7].set(futon::hold::ejected, true);
    std::vector<std::size_t> counts(20);
    for (int i = 0; i < 10'000; ++i) {
        const auto asked = some.probes();
        REQUIRE(asked.size() == 3);
        CHECK(std::set<futon::node*>{asked.begin(), asked.end()}.size() == 3);
        for (const auto* n : asked) ++counts[n->slot];
    }
    std::vector<double> expected(20, 1);
    expected[7] = 0;
    CHECK(tests::chi_square(counts, expected) < 42.4);

    probed half{20, {.probes_per_call = 0.5}};
    std::size_t total = 0;
    for (int i = 0; i < 100; ++i) total += half.probes().size();
    CHECK(total == 50);

    CHECK(probed{3}.probes().empty());
    CHECK(probed{20, {.probes_per_call = 0}}.probes().empty());
    CHECK(probed{20, {.probe_age = 0s}}.probes().empty());
}

TEST_CASE("prequal: while no call comes nodes are asked each interval, for a while after the last call") {
    struct row {
        futon::prequal_options options;
        std::size_t each_time;
        int times;
    };
    for (const auto& [options, each_time, times] : std::vector<row>{
             {{}, 3, 20},
             {{.probes_per_call = 0.5}, 2, 20},
             {{.idle_interval = 2s, .idle_for = 5s}, 3, 2},
             {{.idle_interval = 0s}, 0, 0},
             {{.idle_for = 0s}, 0, 0},
             {{.probes_per_call = 0}, 0, 0},
             {{.probe_age = 0s}, 0, 0},
             {{.least_nodes = 21}, 0, 0},
         }) {
        CAPTURE(times);
        probed some{20, options};
        CHECK(some.policy.idle_probes_due() == futon::no_deadline);  // Nobody has called yet.
        const auto last_call = some.cluster.now;
        some.probes();
        int rounds = 0;
        for (auto due = some.policy.idle_probes_due(); due != futon::no_deadline; due = some.policy.idle_probes_due()) {
            REQUIRE(++rounds <= times);
            CHECK(due == last_call + rounds * options.idle_interval);
            some.cluster.now = due;
            const auto asked = some.idle_probes();
            CHECK(asked.size() == each_time);
            CHECK(std::set<futon::node*>{asked.begin(), asked.end()}.size() == each_time);
        }
        CHECK(rounds == times);
    }
}

TEST_CASE("prequal: a call puts idle probes off, and after a long silence has them begin again") {
    probed some{20};
    some.probes();
    some.cluster.now += 400ms;
    some.probes();
    CHECK(some.policy.idle_probes_due() == some.cluster.now + 500ms);
    some.cluster.now += 1h;
    static_cast<void>(some.idle_probes());
    CHECK(some.policy.idle_probes_due() == futon::no_deadline);
    some.probes();
    CHECK(some.policy.idle_probes_due() == some.cluster.now + 500ms);
}

}  // namespace
