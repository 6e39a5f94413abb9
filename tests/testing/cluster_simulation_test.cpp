// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/cluster_simulation.hpp>

#include <futon/cluster/least_request.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/cluster/prequal.hpp>
#include <futon/cluster/random.hpp>
#include <futon/testing/join_shortest_queue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::cluster_options;
using futon::testing::cluster_report;
using futon::testing::cluster_scenario;
using futon::testing::simulate;
namespace scenario = futon::testing::scenario;

namespace {

double in_ms(futon::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

double median(std::array<double, 5> figures) {
    std::sort(figures.begin(), figures.end());
    return figures[2];
}

// One hundred servers that are each chosen by chance are a hundred independent queues.
cluster_scenario independent_queues() {
    auto made = scenario::healthy();
    made.warm_up = 1s;
    made.measured = 2s;
    return made;
}

cluster_scenario short_run(cluster_scenario what) {
    what.warm_up = 500ms;
    what.measured = 500ms;
    return what;
}

TEST_CASE("cluster_simulation: one queue with one worker behaves as theory says") {
    // M/M/1: the time in the system is exponential with mean s / (1 - rho); the network adds 0.4 ms.
    const auto theory = [](double share) { return -4.0 / 0.3 * std::log(1 - share) + 0.4; };
    std::array<double, 5> p50{};
    std::array<double, 5> p99{};
    std::array<double, 5> mean{};
    for (std::size_t i = 0; i < 5; ++i) {
        const auto made = simulate(futon::random{}, independent_queues(), {.seed = i + 1});
        p50[i] = in_ms(made.p50);
        p99[i] = in_ms(made.p99);
        mean[i] = in_ms(made.mean);
    }
    CHECK(median(p50) == doctest::Approx(theory(0.5)).epsilon(0.05));
    CHECK(median(p99) == doctest::Approx(theory(0.99)).epsilon(0.05));
    CHECK(median(mean) == doctest::Approx(4.0 / 0.3 + 0.4).epsilon(0.05));
}

TEST_CASE("cluster_simulation: constant demands and several workers behave as theory says") {
    auto constant = independent_queues();
    constant.service.form = futon::testing::service_law::shape::constant;
    // M/D/1: the mean wait is rho s / (2 (1 - rho)).
    CHECK(in_ms(simulate(futon::random{}, constant).mean) == doctest::Approx(0.7 * 4 / 0.6 + 4 + 0.4).epsilon(0.05));

    auto four = independent_queues();
    four.servers = 25;
    four.workers = 4;
    // M/M/4 at rho = 0.7: Erlang's C is 0.4287; the mean wait is C s / (4 (1 - rho)).
    CHECK(in_ms(simulate(futon::random{}, four).mean) == doctest::Approx(0.4287 * 4 / 1.2 + 4 + 0.4).epsilon(0.05));
}

TEST_CASE("cluster_simulation: demands have the mean that their law says") {
    using shape = futon::testing::service_law::shape;
    for (const auto form : {shape::constant, shape::exponential, shape::bimodal, shape::pareto, shape::lognormal}) {
        CAPTURE(static_cast<int>(form));
        const futon::testing::service_law law{.form = form, .mean = 4ms};
        // Evenly over both throws: what chance would give in the long run.
        double sum = 0;
        constexpr int steps = 1000;
        for (int i = 0; i < steps; ++i)
            for (int j = 0; j < steps; ++j) sum += in_ms(law.draw((i + 0.5) / steps, (j + 0.5) / steps));
        CHECK(sum / steps / steps == doctest::Approx(4).epsilon(0.03));
    }
}

TEST_CASE("cluster_simulation: bursts and steps keep to the load that was asked for") {
    auto what = scenario::healthy();
    what.servers = 10;
    what.warm_up = 0s;
    what.measured = 40s;
    what.timeout = 10s;
    what.bursts.factor = 3;
    const auto calls = [&](const cluster_scenario& s) {
        return static_cast<double>(simulate(futon::random{}, s).calls);
    };
    CHECK(calls(what) == doctest::Approx(0.7 * 10 / 0.004 * 40).epsilon(0.1));

    what.bursts.factor = 1;
    what.measured = 10s;
    what.load = {{5s, 0.35}};
    CHECK(calls(what) == doctest::Approx((0.7 * 5 + 0.35 * 5) * 10 / 0.004).epsilon(0.03));
}

TEST_CASE("cluster_simulation: the same seed gives the same trace, another seed another one") {
    const auto run = [](std::uint64_t seed) {
        return simulate(futon::least_request{}, short_run(scenario::antagonists()), {.seed = seed});
    };
    const auto first = run(1);
    const auto again = run(1);
    CHECK(first.trace_hash == again.trace_hash);
    CHECK(first.picks_hash == again.picks_hash);
    CHECK(first.events == again.events);
    CHECK(first.p999 == again.p999);
    const auto other = run(2);
    CHECK(first.trace_hash != other.trace_hash);
    CHECK(first.calls != other.calls);
}

TEST_CASE("cluster_simulation: seeds that follow each other have nothing in common") {
    // Were they one stream, shifted, the numbers of calls would nearly agree; 5 of them scatter by sqrt(calls) = 94.
    std::vector<double> calls;
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        calls.push_back(
            static_cast<double>(simulate(futon::random{}, short_run(scenario::healthy()), {.seed = seed}).calls));
    const auto [least, most] = std::minmax_element(calls.begin(), calls.end());
    CHECK(*most - *least > 20);
    CHECK(*most - *least < 800);
}

TEST_CASE("cluster_simulation: every policy gets the same calls") {
    const auto what = short_run(scenario::healthy());
    const auto one = simulate(futon::random{}, what);
    const auto other = simulate(futon::least_request{}, what);
    CHECK(one.calls == other.calls);
    CHECK(one.served == other.served);
    CHECK(one.picks_hash != other.picks_hash);
}

TEST_CASE("cluster_simulation: work whose caller has given up is not begun, and no call is lost") {
    auto what = scenario::overload();
    what.servers = 10;
    what.warm_up = 1s;
    what.measured = 3s;
    what.load = {{1s, 1.75}};
    what.timeout = 100ms;
    const auto made = simulate(futon::random{}, what, {.clients = 3});
    CHECK(made.failed > made.calls / 4);
    // Were expired work done, nearly all that the servers do would be late: with it dropped they stay useful.
    CHECK(made.calls - made.failed > made.calls / 4);
    CHECK(made.wrong == 0);
    CHECK(made.p99 == what.timeout);
}

TEST_CASE("cluster_simulation: nothing is left over, whatever goes wrong") {
    for (auto what : {scenario::slow_one(), scenario::gray_one(), scenario::failing_one(), scenario::heterogeneous(),
                      scenario::overload(), scenario::zone_loss()}) {
        what = short_run(what);
        for (auto& fault : what.faults) {
            if (!fault.down) continue;
            fault.from = 600ms;
            fault.until = 800ms;
        }
        CAPTURE(what.name);
        const auto made = simulate(futon::least_request{}, what, {.retry = {.max_attempts = 3}});
        CHECK(made.wrong == 0);
        CHECK(made.calls > 0);
    }
}

TEST_CASE("cluster_simulation: a server that goes down loses its work, and gets none until it is back") {
    auto what = short_run(scenario::healthy());
    what.faults = {{.first = 3, .from = 600ms, .until = 800ms, .down = true}};
    const auto made = simulate(futon::random{}, what);
    CHECK(made.failed > 0);
    CHECK(made.failed < 40);
    // Of all time measured it was away for a fifth, and until clients have connected again.
    CHECK(made.bad_share() < 0.008);
    CHECK(made.bad_share() > 0.003);
    CHECK(made.wrong == 0);
}

TEST_CASE("cluster_simulation: one that drains first loses nothing") {
    auto what = short_run(scenario::healthy());
    what.faults = {{.first = 3, .from = 800ms, .until = 900ms, .down = true, .notice = 250ms}};
    CHECK(simulate(futon::random{}, what).failed == 0);
}

TEST_CASE("cluster_simulation: a retry goes elsewhere, within its budget") {
    auto what = short_run(scenario::failing_one());
    CHECK(simulate(futon::random{}, what, {.retry = {.max_attempts = 2}}).failed == 0);

    what.faults = {{.count = 100, .fails = 1}};
    const auto bounded = simulate(futon::random{}, what, {.retry = {.max_attempts = 4}});
    CHECK(bounded.failed == bounded.calls);
    CHECK(bounded.extra_attempts() < 0.12);
    // Without a budget each call is tried four times.
    const auto storm =
        simulate(futon::random{}, what, {.retry = {.max_attempts = 4}, .budget = {.share = 1e9, .reserve = 1e9}});
    CHECK(storm.extra_attempts() > 2.9);
}

TEST_CASE("cluster_simulation: a server that refused is used again within seconds, where calls can go elsewhere") {
    auto what = scenario::healthy();
    what.warm_up = 500ms;
    what.measured = 15s;
    what.servers = 20;
    what.faults = {{.from = 500ms, .until = 5500ms, .fails = 1, .code = futon::errc::overloaded}};
    cluster_options how{.clients = 20, .health = futon::health_options{}, .retry = {.max_attempts = 3}};
    const auto check = [&](auto policy) {
        const auto made = simulate(policy, what, how);
        CHECK(made.failed == 0);
        REQUIRE(made.time_to_recover.has_value());
        CHECK(*made.time_to_recover <= 4500ms);
        CHECK(made.extra_attempts() < 0.01);
        // Calls with a single attempt try nothing.
        auto once = how;
        once.retry.max_attempts = 1;
        once.health->outliers.jitter = 0;  // Of the same dice.
        auto without = once;
        without.health->trials.interval = 0s;
        CHECK(simulate(policy, what, once).picks_hash == simulate(policy, what, without).picks_hash);
    };
    check(futon::peak_ewma{});
    check(futon::least_request{});
    check(futon::prequal{});
    // Without trials.
    how.health->trials.interval = 0s;
    CHECK(simulate(futon::peak_ewma{}, what, how).time_to_recover.value_or(1h) > 4500ms);
    CHECK(simulate(futon::least_request{}, what, how).time_to_recover.value_or(1h) > 4500ms);
}

TEST_CASE("cluster_simulation: newcomers take part when clients have heard of them") {
    auto what = short_run(scenario::healthy());
    what.servers = 10;
    what.changes = {{.at = 700ms, .first = 10, .count = 10}};
    const auto made = simulate(futon::random{}, what);
    CHECK(made.newcomer_in_flight > 0);
    what.changes = {{.at = 700ms, .first = 5, .count = 5, .listed = false}};
    CHECK(simulate(futon::random{}, what).p99 > made.p99);
}

TEST_CASE("cluster_simulation: an oracle is far better than what can be shipped") {
    const auto what = short_run(scenario::slow_one());
    const auto oracle = simulate(futon::testing::join_shortest_queue{}, what);
    CHECK(oracle.bad_attempts == 0);
    CHECK(oracle.p99 < simulate(futon::least_request{}, what).p99 / 2 * 1.2);
    CHECK(oracle.p99_in_flight <= 2);
}

// A user's own: the first usable node, whatever happens.
struct always_first {
    futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        return nodes.next_usable(0, call);
    }
};

TEST_CASE("cluster_simulation: a policy of one's own runs as it is") {
    const auto made = simulate(always_first{}, short_run(scenario::healthy()));
    CHECK(made.error_rate() > 0.9);
    CHECK(made.busiest > 50);
}

// Of two by chance the one with fewer calls in flight, in integers only.
struct better_of_two {
    futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        auto& one = nodes[call.random.below(nodes.size())];
        auto& other = nodes[call.random.below(nodes.size())];
        return other.in_flight < one.in_flight ? &other : &one;
    }
};

TEST_CASE("cluster_simulation: a run is the same on every build: its picks are written down here") {
    // Changes only with the model. Demands are rounded to nanoseconds, which hides the last bit in which mathematical
    // libraries differ.
    const auto made = simulate(better_of_two{}, short_run(scenario::slow_one()), {.seed = 42});
    CHECK(made.calls == 8648);
    CHECK(made.picks_hash == 0xb7ec4af2a664edc9u);
}

}  // namespace
