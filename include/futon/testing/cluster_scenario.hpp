// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a simulated cluster is made of and what happens to it: plain values, to be combined and changed at will.

#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace futon::testing {

/// How long a call keeps a worker of a healthy server busy.
struct service_law {
    enum class shape : std::uint8_t {
        constant,     ///< Each as long as the mean.
        exponential,  ///< Most are short; 1 % take 4.6 times the mean or more.
        bimodal,      ///< One call of a hundred is 25 times as long as the others.
        pareto,       ///< A heavy tail: alpha 1.8, capped at 250 times the shortest.
        lognormal,    ///< sigma 1.5.
    };
    shape form = shape::exponential;
    duration mean = std::chrono::milliseconds{4};

    /// Whether `draw` looks at its second number.
    [[nodiscard]] bool takes_two() const noexcept { return form == shape::bimodal || form == shape::lognormal; }
    /// The demand of one call; `u` and `v` are uniform in [0, 1).
    [[nodiscard]] duration draw(double u, double v) const noexcept;
};

/// What is wrong with some servers for some time. Several may
/// hit one server at once: slownesses multiply, shares add up.
struct server_fault {
    int first = 0;                     ///< The first server that it hits.
    int count = 1;                     ///< How many servers, from `first` on.
    duration from{};                   ///< Since the simulation began; zero: from the start.
    duration until = duration::max();  ///< Healed then; the maximum: never.
    double slowdown = 1;               ///< Its calls take so many times as long.
    bool fades = false;                ///< The slowdown sinks evenly to 1 over the time of the fault: a cold cache.
    double swallows = 0;               ///< The share of calls that it never answers.
    double fails = 0;                  ///< The share of calls that it answers with `code`, without work.
    errc code = errc::unavailable;     ///< What such an answer says,
    executed ran = executed::no;       ///< also about execution.
    duration fails_after = std::chrono::microseconds{100};  ///< From the call to such an answer.
    bool down = false;  ///< The process is gone: connections break, calls in it are lost, connecting fails.
    /// Before going down it tells its clients, so long ahead, that it drains; zero: it does not.
    duration notice{};
    bool bad = true;  ///< Counts into the report's `bad` servers.
};

/// The registry tells clients that servers have come or gone.
struct registry_change {
    duration at{};                                     ///< Since the simulation began.
    int first = 0;                                     ///< The first server that it concerns.
    int count = 1;                                     ///< How many servers, from `first` on.
    bool listed = true;                                ///< Whether they are providers from now on.
    duration warm_up{};                                ///< What newcomers publish as their `warm_up`.
    duration spread = std::chrono::milliseconds{100};  ///< Each client hears of it within so long.
};

/// Servers that slow down and recover on their own, each at its own times: noisy neighbours.
struct antagonist_options {
    /// How often the dice are rolled for each server.
    duration period = std::chrono::milliseconds{250};
    /// Chance to become slow; zero: nothing of this.
    double enters = 0;
    /// Chance to recover. Slow at any time: enters / (enters + leaves).
    double leaves = 0.25;
    /// While it is slow its calls take so many times as long.
    double slowdown = 4;
};

/// A burst multiplies the rate of calls; the mean stays what `utilisation` says.
struct burst_options {
    double factor = 1;                                 ///< 1: no bursts.
    duration length = std::chrono::milliseconds{200};  ///< On average; exponentially distributed.
    duration every = std::chrono::seconds{2};          ///< From one's beginning to the next, on average.
};

/// A cluster, its load, and what goes wrong. `scenario::healthy()` and its neighbours make the known ones; every field
/// may then be changed: `auto mine = scenario::slow_one(); mine.faults.push_back({.first = 7, .swallows = 0.2});`
struct cluster_scenario {
    std::string name = "custom";
    int servers = 100;  ///< At the start; `changes` may list servers from this number on.
    /// Calls that one server works on at once; the others wait in its queue, in order.
    int workers = 1;
    int queue_limit = 0;  ///< More waiting calls are answered with `overloaded`; 0: no limit.
    service_law service{};
    std::vector<double> speeds{};      ///< Of server i: `speeds[i % size]`; empty: all 1. Clients are not told.
    std::vector<std::string> zones{};  ///< Of server i and of client i: `zones[i % size]`; empty: none.
    /// Calls per second, as a share of what the first `servers` can do when they are well.
    double utilisation = 0.7;
    std::vector<std::pair<duration, double>> load{};  ///< From then on, other utilisations, in order of time.
    burst_options bursts{};
    duration network = std::chrono::microseconds{200};  ///< One way.
    double network_jitter = 0;                   ///< Sigma of a lognormal factor on the network's time; 0: constant.
    duration timeout = std::chrono::seconds{1};  ///< The deadline of each call, all attempts included.
    std::vector<server_fault> faults{};
    std::vector<registry_change> changes{};
    antagonist_options antagonists{};
    duration warm_up = std::chrono::seconds{10};   ///< Calls that begin before are made but not measured.
    duration measured = std::chrono::seconds{15};  ///< Then these are; the run ends when they have all ended.
};

/// The scenarios by which futon's own policies are judged. `docs/simulator.md` says what each is for.
namespace scenario {

/// One hundred servers of one worker, all well; 70 % load. (S0)
[[nodiscard]] inline cluster_scenario healthy() { return {.name = "healthy"}; }

/// One server of a hundred takes ten times as long. (S1)
[[nodiscard]] inline cluster_scenario slow_one() {
    auto made = healthy();
    made.name = "slow_one";
    made.faults = {{.slowdown = 10}};
    return made;
}
/// Five servers of a hundred do. (S2)
[[nodiscard]] inline cluster_scenario slow_five() {
    auto made = healthy();
    made.name = "slow_five";
    made.faults = {{.count = 5, .slowdown = 10}};
    return made;
}
/// At any time a tenth of the servers, others each second, is four times as slow; 60 % load. (S3)
[[nodiscard]] inline cluster_scenario antagonists() {
    auto made = healthy();
    made.name = "antagonists";
    made.utilisation = 0.6;
    made.antagonists.enters = 0.0278;
    return made;
}
/// Of four servers one is twice as fast as another and four times as fast as the other two; nobody is told. (S4)
[[nodiscard]] inline cluster_scenario heterogeneous() {
    auto made = healthy();
    made.name = "heterogeneous";
    made.speeds = {2, 1, 0.5, 0.5};
    return made;
}
/// One server never answers a fifth of its calls. (S5)
[[nodiscard]] inline cluster_scenario gray_one() {
    auto made = healthy();
    made.name = "gray_one";
    made.faults = {{.swallows = 0.2}};
    return made;
}
/// One server fails every call at once: to a naive policy it looks like the fastest of all. (S6)
[[nodiscard]] inline cluster_scenario failing_one() {
    auto made = healthy();
    made.name = "failing_one";
    made.faults = {{.fails = 1}};
    return made;
}
/// One server after the other is restarted, half a second each,
/// from the end of the warm-up on; with `notice` they drain. (S7)
[[nodiscard]] inline cluster_scenario rolling_restart(duration notice = {}) {
    auto made = healthy();
    made.name = notice > duration::zero() ? "drained_restart" : "rolling_restart";
    constexpr auto each = std::chrono::milliseconds{500};
    for (int i = 0; made.warm_up + (i + 1) * each <= made.warm_up + made.measured; ++i)
        made.faults.push_back({.first = i % made.servers,
                               .from = made.warm_up + i * each,
                               .until = made.warm_up + (i + 1) * each,
                               .down = true,
                               .notice = notice});
    return made;
}
/// Twenty cold servers join a hundred: three times as slow at first, warm after 20 s. (S8)
[[nodiscard]] inline cluster_scenario scale_out(duration published_warm_up = std::chrono::seconds{20}) {
    auto made = healthy();
    made.name = "scale_out";
    made.changes = {{.at = made.warm_up, .first = 100, .count = 20, .warm_up = published_warm_up}};
    made.faults = {{.first = 100,
                    .count = 20,
                    .from = made.warm_up,
                    .until = made.warm_up + std::chrono::seconds{20},
                    .slowdown = 3,
                    .fades = true}};
    return made;
}
/// Half of the servers are taken off the list at 35 % load: the rest then carries 70 %. (S9)
[[nodiscard]] inline cluster_scenario scale_in() {
    auto made = healthy();
    made.name = "scale_in";
    made.utilisation = 0.35;
    made.changes = {{.at = made.warm_up, .first = 50, .count = 50, .listed = false}};
    return made;
}
/// Every client is new and all calls are equally long: do the
/// clients march in step? Measured from the start, for 3 s. (S10)
[[nodiscard]] inline cluster_scenario cold_start() {
    auto made = healthy();
    made.name = "cold_start";
    made.service.form = service_law::shape::constant;
    made.warm_up = duration::zero();
    made.measured = std::chrono::seconds{3};
    return made;
}
/// One of three zones is lost for five seconds; half load. (S11)
[[nodiscard]] inline cluster_scenario zone_loss() {
    auto made = healthy();
    made.name = "zone_loss";
    made.servers = 99;
    made.zones = {"a", "b", "c"};
    made.utilisation = 0.5;
    for (int i = 0; i < made.servers; i += 3)
        made.faults.push_back(
            {.first = i, .from = made.warm_up, .until = made.warm_up + std::chrono::seconds{5}, .down = true});
    return made;
}
/// More load than fits: 0.75 times what the servers can do, a quarter more each few seconds, up to 1.75. (S12)
[[nodiscard]] inline cluster_scenario overload() {
    auto made = healthy();
    made.name = "overload";
    made.utilisation = 0.75;
    for (int i = 1; i <= 4; ++i) made.load.emplace_back(made.warm_up + i * made.measured / 5, 0.75 + 0.25 * i);
    return made;
}

}  // namespace scenario

inline duration service_law::draw(double u, double v) const noexcept {
    const auto average = static_cast<double>(mean.count());
    const auto ns = [&] {
        switch (form) {
            case shape::constant: return average;
            case shape::exponential: return -average * std::log(1 - u);
            case shape::bimodal: return average / 1.24 * (v < 0.01 ? 25.0 : 1.0);
            case shape::pareto: {
                // The mean of min(X, 250 x) is x (alpha - 250^(1 - alpha)) / (alpha - 1).
                constexpr double alpha = 1.8;
                const auto shortest = average * (alpha - 1) / (alpha - std::pow(250.0, 1 - alpha));
                return shortest * std::min(250.0, std::pow(1 - u, -1 / alpha));
            }
            case shape::lognormal: {
                constexpr double sigma = 1.5;
                const auto normal = std::sqrt(-2 * std::log(1 - u)) * std::cos(6.283185307179586 * v);
                return average * std::exp(sigma * normal - sigma * sigma / 2);
            }
        }
        return average;
    }();
    return duration{static_cast<duration::rep>(ns + 0.5)};  // None is negative.
}

}  // namespace futon::testing
