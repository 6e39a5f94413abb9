// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/least_request.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

namespace {

TEST_CASE("least_request: of two candidates the less busy one; the busiest of all is never picked") {
    tests::nodes five{5};
    for (std::size_t i = 0; i < 5; ++i) five[i].in_flight = static_cast<std::uint32_t>(i);
    futon::least_request policy;
    policy.rebuild(five.set);
    const auto counts = tests::count_picks(policy, five, 10'000);
    // Of the 10 pairs, node i is the less busy one in 4 - i.
    CHECK(tests::chi_square(counts, {4, 3, 2, 1, 0}) < 16.3);
}

TEST_CASE("least_request: a node that errs counts as busier than it is, if others do not err") {
    for (const bool all : {false, true}) {
        tests::nodes five{5};
        futon::least_request policy;
        policy.rebuild(five.set);
        for (int i = 0; i < 20; ++i) {
            for (std::size_t n = 0; n < 5; ++n) {
                futon::begin_attempt(policy, five[n], five.now);
                futon::end_attempt(policy, five[n],
                                   n == 0 || all
                                       ? futon::attempt_outcome::failed(futon::errc::remote_error, five.now, five.now)
                                       : futon::attempt_outcome::success(five.now, five.now));
            }
        }
        for (std::size_t i = 1; i < 5; ++i) five[i].in_flight = 1;
        CHECK((tests::count_picks(policy, five, 1000)[0] == 0) != all);
        // It is tried again.
        five.now += std::chrono::seconds{60};
        CHECK(tests::count_picks(policy, five, 1000)[0] > 300);
    }
}

TEST_CASE("least_request: as many choices as nodes find the least busy one") {
    tests::nodes five{5};
    for (std::size_t i = 0; i < 5; ++i) five[i].in_flight = 3;
    five[2].in_flight = 1;
    for (const int choices : {5, 6, 8, 100}) {
        futon::least_request policy{{.choices = choices}};
        policy.rebuild(five.set);
        CHECK(tests::count_picks(policy, five, 100)[2] == 100);
    }
}

TEST_CASE("least_request: candidates are distinct and even, for any number of choices") {
    for (const int choices : {0, 1, 2, 3, 5, 8}) {
        CAPTURE(choices);
        tests::nodes twenty{20};
        futon::least_request policy{{.choices = choices}};
        policy.rebuild(twenty.set);
        CHECK(tests::chi_square(tests::count_picks(policy, twenty, 100'000), std::vector<double>(20, 1)) < 43.8);

        const auto wanted = static_cast<std::size_t>(choices < 1 ? 1 : choices);
        for (int round = 0; round < 200; ++round) {
            std::multiset<const futon::node*> seen;
            auto call = twenty.call();
            (void)futon::detail::best_of(twenty.set, {}, call, choices, [&](const futon::node& n) {
                seen.insert(&n);
                return 0;
            });
            CHECK(seen.size() == wanted);
            CHECK(std::set<const futon::node*>{seen.begin(), seen.end()}.size() == wanted);
        }
    }
}

TEST_CASE("least_request: at rest shares follow weights, under load counts per weight level out") {
    tests::nodes some{0};
    const std::vector<double> weights{10, 20, 30, 40, 100};
    for (std::size_t i = 0; i < weights.size(); ++i) some.add(i, static_cast<std::uint32_t>(weights[i]));
    some.publish();
    futon::least_request policy;
    policy.rebuild(some.set);
    CHECK(tests::chi_square(tests::count_picks(policy, some, 100'000), weights) < 18.5);

    for (int i = 0; i < 2000; ++i) {
        auto call = some.call();
        futon::begin_attempt(policy, *policy.pick(some.set, call), some.now);
    }
    for (std::size_t i = 0; i < weights.size(); ++i)
        CHECK(some[i].in_flight / weights[i] == doctest::Approx(10).epsilon(0.1));
}

TEST_CASE("least_request: unusable candidates are replaced, down to the last usable node") {
    tests::nodes hundred{100};
    futon::least_request policy;
    policy.rebuild(hundred.set);
    for (std::size_t i = 0; i < 100; ++i) hundred[i].set(futon::hold::ejected, i != 37);
    for (int i = 0; i < 100; ++i) {
        auto call = hundred.call();
        CHECK(policy.pick(hundred.set, call) == &hundred[37]);
    }
}

}  // namespace
