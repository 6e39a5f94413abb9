// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When calls begin: an open loop, so that a slow cluster does
/// not slow its callers down and hide what they would suffer.

#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/detail/chance.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace futon::detail {

/// A Poisson process whose rate follows the scenario's steps and bursts.
class arrival_process {
public:
    arrival_process(const testing::cluster_scenario& what, std::uint64_t seed)
        : what_{what}, gaps_{seed, chance::arrival}, phases_{seed, chance::burst} {
        double speed = 0;
        for (int i = 0; i < what.servers; ++i)
            speed += what.speeds.empty() ? 1.0 : what.speeds[static_cast<std::size_t>(i) % what.speeds.size()];
        // Calls per nanosecond that the servers could answer.
        capacity_ = speed * what.workers / static_cast<double>(what.service.mean.count());
        calm_ = what.utilisation;
        if (bursts()) {
            const auto share = seconds(what.bursts.length) / seconds(what.bursts.every);
            calm_factor_ = 1 / (1 + share * (what.bursts.factor - 1));
            phase_ends_ = phase_length();
        }
    }

    /// The time of the next call, after the one that was returned last.
    [[nodiscard]] duration next() noexcept {
        // Unit-rate time until the next arrival, spent at the rates of the phases on the way.
        double left = gaps_.exponential(number_++);
        for (;;) {
            const double rate =
                capacity_ * calm_ * (bursts() ? calm_factor_ * (in_burst_ ? what_.bursts.factor : 1.0) : 1.0);
            const auto step = step_ < what_.load.size() ? what_.load[step_].first : duration::max();
            const auto phase = bursts() ? phase_ends_ : duration::max();
            const auto end = std::min(step, phase);
            if (const auto gap = left / rate; gap < static_cast<double>((end - now_).count())) {
                now_ += duration{static_cast<duration::rep>(gap + 0.5)};
                return now_;
            }
            left -= rate * static_cast<double>((end - now_).count());
            now_ = end;
            if (end == step) calm_ = what_.load[step_++].second;
            if (end == phase) {
                in_burst_ = !in_burst_;
                phase_ends_ += phase_length();
            }
        }
    }

private:
    [[nodiscard]] bool bursts() const noexcept { return what_.bursts.factor != 1; }
    static double seconds(duration d) noexcept { return std::chrono::duration<double>(d).count(); }
    [[nodiscard]] duration phase_length() noexcept {
        const auto mean = in_burst_ ? what_.bursts.length : what_.bursts.every - what_.bursts.length;
        return duration{1 + std::llround(phases_.exponential(phase_++) * static_cast<double>(mean.count()))};
    }

    const testing::cluster_scenario& what_;
    chance_stream gaps_;
    chance_stream phases_;
    double capacity_ = 0;
    double calm_ = 0;         // utilisation of the current step
    double calm_factor_ = 1;  // what the time between bursts has of it
    duration now_{};
    duration phase_ends_{};
    std::uint64_t number_ = 0;
    std::uint64_t phase_ = 0;
    std::size_t step_ = 0;
    bool in_burst_ = false;
};

}  // namespace futon::detail
