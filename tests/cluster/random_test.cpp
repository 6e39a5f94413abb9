// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/random.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

TEST_CASE("dice: seeds that follow each other give streams that share nothing") {
    std::vector<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        futon::dice one{seed};
        for (int i = 0; i < 100; ++i) seen.push_back(one.throw_bits());
    }
    std::sort(seen.begin(), seen.end());
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("dice: the same seed gives the same stream on every platform, evenly spread") {
    futon::dice one{42};
    futon::dice other{42};
    std::vector<std::size_t> counts(10);
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        CHECK(one.throw_bits() == other.throw_bits());
        ++counts[one.below(10)];
        CHECK(other.below(1) == 0);
        sum += one.fraction();
        CHECK(other.fraction() < 1);
    }
    CHECK(tests::chi_square(counts, std::vector<double>(10, 1)) < 27.9);  // 9 degrees of freedom, p = 0.001.
    CHECK(sum / 100'000 == doctest::Approx(0.5).epsilon(0.01));
    CHECK(futon::dice{1}.throw_bits() == 7823597568782961325u);
}

TEST_CASE("random: equal weights get equal shares") {
    tests::nodes ten{10};
    futon::random policy;
    policy.rebuild(ten.set);
    CHECK(tests::chi_square(tests::count_picks(policy, ten, 100'000), std::vector<double>(10, 1)) < 27.9);
}

TEST_CASE("random: unequal weights get shares in proportion (G13)") {
    // A million throws, p > 0.001 for each: a broken table fails by orders of magnitude.
    const std::vector<std::vector<std::uint32_t>> tables{
        {100, 200, 300}, {1, 1000}, {0, 5, 5, 0}, {7, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {100, 100, 99}};
    for (const auto& weights : tables) {
        CAPTURE(weights.size());
        tests::nodes some{0};
        std::vector<double> expected;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            some.add(i, weights[i]);
            expected.push_back(weights[i]);
        }
        some.publish();
        futon::random policy;
        policy.rebuild(some.set);
        CHECK(tests::chi_square(tests::count_picks(policy, some, 1'000'000), expected) < 27.9);
    }
}

TEST_CASE("random: what is not usable is not picked, and its share goes to all others") {
    tests::nodes six{6};
    futon::random policy;
    policy.rebuild(six.set);
    six[0].set(futon::hold::ejected, true);
    six[3].set_connected(false);
    CHECK(tests::chi_square(tests::count_picks(policy, six, 100'000), {0, 1, 1, 0, 1, 1}) < 16.3);
    for (std::size_t i = 1; i < 6; ++i) six[i].set(futon::hold::draining, true);
    auto call = six.call();
    CHECK(policy.pick(six.set, call) == nullptr);
}

TEST_CASE("random: picks between a change of the set and the rebuild are even, never out of bounds") {
    tests::nodes some{3};
    some[0].weight = 1;
    some.set.reweigh();
    futon::random policy;
    policy.rebuild(some.set);
    some.owned.pop_back();
    some.publish();
    CHECK(tests::count_picks(policy, some, 1000)[1] > 300);
}

}  // namespace
