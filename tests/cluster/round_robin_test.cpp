// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/round_robin.hpp>

#include <futon/cluster/weighted_round_robin.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace std::chrono_literals;

namespace {

template <class Policy>
std::vector<std::size_t> order_of_picks(Policy& policy, tests::nodes& of, std::size_t picks) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < picks; ++i) {
        auto call = of.call();
        order.push_back(policy.pick(of.set, call)->slot);
    }
    return order;
}

TEST_CASE("round_robin: each round has every node once, in the same order") {
    tests::nodes twenty{20};
    futon::round_robin policy;
    policy.rebuild(twenty.set);
    const auto first = order_of_picks(policy, twenty, 20);
    auto sorted = first;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < 20; ++i) CHECK(sorted[i] == i);
    for (int round = 0; round < 3; ++round) CHECK(order_of_picks(policy, twenty, 20) == first);
}

TEST_CASE("round_robin: clients have different orders and begin anywhere") {
    std::vector<std::size_t> starts(10);
    std::vector<std::vector<std::size_t>> orders;
    for (std::uint64_t client = 0; client < 1000; ++client) {
        tests::nodes ten{10, 100, client};
        futon::round_robin policy;
        policy.rebuild(ten.set);
        orders.push_back(order_of_picks(policy, ten, 10));
        ++starts[orders.back()[0]];
    }
    CHECK(tests::chi_square(starts, std::vector<double>(10, 1)) < 27.9);
    std::sort(orders.begin(), orders.end());
    CHECK(std::unique(orders.begin(), orders.end()) - orders.begin() > 990);
}

TEST_CASE("round_robin: the turns of an unusable node are shared by all, not taken by its neighbour") {
    tests::nodes ten{10};
    futon::round_robin policy;
    policy.rebuild(ten.set);
    ten[4].set(futon::hold::ejected, true);
    const auto counts = tests::count_picks(policy, ten, 90'000);
    CHECK(counts[4] == 0);
    for (std::size_t i = 0; i < 10; ++i)
        if (i != 4) CHECK(counts[i] == doctest::Approx(10'000).epsilon(0.04));
}

TEST_CASE("round_robin: a change of weights keeps the order and the place in it") {
    tests::nodes five{5};
    futon::round_robin policy;
    policy.rebuild(five.set);
    const auto round = order_of_picks(policy, five, 5);
    CHECK(order_of_picks(policy, five, 2) == std::vector<std::size_t>{round[0], round[1]});
    five[0].weight = 10;
    five.set.reweigh();
    policy.rebuild(five.set);
    CHECK(order_of_picks(policy, five, 3) == std::vector<std::size_t>{round[2], round[3], round[4]});
}

TEST_CASE("weighted_round_robin: shares are right within one pick for each node and cycle (G13)") {
    const std::vector<std::vector<std::uint32_t>> tables{{100, 100, 100}, {1, 2, 3, 4}, {100, 50, 100, 25, 10}, {7}};
    for (const auto& weights : tables) {
        tests::nodes some{0};
        for (std::size_t i = 0; i < weights.size(); ++i) some.add(i, weights[i]);
        some.publish();
        futon::weighted_round_robin policy;
        policy.rebuild(some.set);
        const auto sum = std::accumulate(weights.begin(), weights.end(), 0u);
        // After any number of picks, not only after a whole cycle.
        std::vector<double> counts(weights.size());
        for (int i = 1; i <= 2000; ++i) {
            auto call = some.call();
            ++counts[policy.pick(some.set, call)->slot];
            for (std::size_t k = 0; k < weights.size(); ++k) {
                const auto expected = i * static_cast<double>(weights[k]) / sum;
                REQUIRE(std::abs(counts[k] - expected) <= 2.0);
            }
        }
        const auto cycle = static_cast<int>(sum) * 10;
        auto before = counts;
        for (int i = 0; i < cycle; ++i) {
            auto call = some.call();
            ++counts[policy.pick(some.set, call)->slot];
        }
        for (std::size_t k = 0; k < weights.size(); ++k)
            CHECK(std::abs(counts[k] - before[k] - 10.0 * weights[k]) <= 1.01);
    }
}

TEST_CASE("weighted_round_robin: the heaviest counts as ten times the mean at most") {
    tests::nodes some{0};
    for (std::size_t i = 0; i < 99; ++i) some.add(i, 1);
    some.add(99, 1'000'000);
    some.publish();
    futon::weighted_round_robin policy;
    policy.rebuild(some.set);
    const auto counts = tests::count_picks(policy, some, 10'000);
    CHECK(counts[99] > 8000);
    CHECK(counts[0] < 100);
}

TEST_CASE("weighted_round_robin: reports become weights after the blackout, and expire") {
    tests::nodes four{4};
    futon::weighted_round_robin policy{{.from_reports = true}};
    policy.rebuild(four.set);
    const auto report = [&](std::size_t i, float utilisation, float eps = 0) {
        four[i].report = {.utilisation = utilisation, .qps = 100, .eps = eps};
        four[i].reported_at = four.now;
    };
    const auto shares = [&] { return tests::count_picks(policy, four, 4000); };
    const auto tell = [&] {
        report(0, 0.25f);
        report(1, 0.5f);
        report(2, 0.5f, 50);  // Half of what it answers fails: as if it were used all.
    };
    tell();
    for (const auto count : shares()) CHECK(count == doctest::Approx(1000).epsilon(0.01));
    four.now += 5s;
    tell();
    for (const auto count : shares()) CHECK(count == doctest::Approx(1000).epsilon(0.01));
    four.now += 6s;
    tell();
    // 400, 200, 100 and the mean of these, 233.3.
    const auto weighed = shares();
    CHECK(weighed[0] == doctest::Approx(1715).epsilon(0.02));
    CHECK(weighed[1] == doctest::Approx(857).epsilon(0.02));
    CHECK(weighed[2] == doctest::Approx(429).epsilon(0.02));
    CHECK(weighed[3] == doctest::Approx(1000).epsilon(0.02));
    four.now += 200s;
    for (const auto count : shares()) CHECK(count == doctest::Approx(1000).epsilon(0.01));
}

TEST_CASE("weighted_round_robin: unusable nodes are left out, if need be down to the last") {
    tests::nodes fifty{50};
    futon::weighted_round_robin policy;
    policy.rebuild(fifty.set);
    for (std::size_t i = 1; i < 50; ++i) fifty[i].set(futon::hold::draining, true);
    CHECK(tests::count_picks(policy, fifty, 100)[0] == 100);
}

}  // namespace
