// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/random.hpp>
#include <futon/testing/cluster_simulation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

using namespace std::chrono_literals;

namespace {

// [policy]
struct forgiving {
    std::unordered_map<const futon::node*, int> failures;

    futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        auto* const one = nodes.draw(call);
        auto* const other = nodes.draw(call);
        if (one == nullptr || other == nullptr) return one;
        return cost(*other) < cost(*one) ? other : one;
    }
    void rebuild(const futon::node_set& nodes) {
        for (auto* each : nodes) failures.try_emplace(each);  // memory is made here, not in pick
    }
    void ended(futon::node& n, const futon::attempt_outcome& how) noexcept {
        auto& count = failures.find(&n)->second;
        count = how.failure ? count + 10 : std::max(count - 1, 0);
    }
    int cost(const futon::node& n) const noexcept { return static_cast<int>(n.in_flight) + failures.find(&n)->second; }
};
// [/policy]

TEST_CASE("simulator: a policy of one's own, beside one of futon's") {
    // [run]
    namespace scenario = futon::testing::scenario;

    auto what = scenario::failing_one();  // one server of a hundred fails every call at once
    what.warm_up = 1s;
    what.measured = 2s;
    const auto mine = simulate(forgiving{}, what, {.clients = 10, .seed = 1});
    const auto usual = simulate(futon::random{}, what, {.clients = 10, .seed = 1});
    CHECK(usual.error_rate() > 0.009);
    CHECK(mine.error_rate() < 0.002);
    CHECK(mine.p99 < 60ms);
    // [/run]
}

TEST_CASE("simulator: a scenario of one's own") {
    // [scenario]
    auto what = futon::testing::scenario::healthy();
    what.servers = 20;
    what.workers = 4;
    what.service = {.form = futon::testing::service_law::shape::pareto, .mean = 2ms};
    what.utilisation = 0.5;
    what.bursts = {.factor = 1.5};
    what.faults = {{.first = 3, .slowdown = 5}, {.first = 7, .from = 2s, .until = 3s, .down = true, .notice = 200ms}};
    what.warm_up = 1s;
    what.measured = 3s;

    const auto made = simulate(futon::least_request{}, what, {.clients = 5, .health = futon::health_options{}, .retry = {.max_attempts = 2}});
    CHECK(made.failed == 0);
    // [/scenario]
    CHECK(made.wrong == 0);
}

}  // namespace
