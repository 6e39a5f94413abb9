// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// SOFARPC's fault tolerance ("AFT"): degrades the weight of providers that fail much more often than the others.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace futon {

/// SOFARPC's parameters with their meaning and defaults; the name there stands beside each. Off by default, as there:
/// `outlier_ejection` does the same job faster. Both may be on.
struct fault_tolerance_options {
    bool enabled = false;                          ///< regulationEffective: measure at all.
    bool degrades = false;                         ///< degradeEffective. False: abnormal nodes are only reported.
    duration window = std::chrono::seconds{10};    ///< timeWindow. Zero: like off.
    std::uint32_t least_calls = 10;                ///< leastWindowCount: fewer calls in a window judge nobody. Scaled by what is left of the node's weight; at least 1.
    double rate_multiple = 6.0;                    ///< leastWindowExceptionRateMultiple: abnormal at so many times the failure rate of the others. 0: off.
    double degrade_rate = 0.05;                    ///< weightDegradeRate: what an abnormal window leaves of the weight.
    double least_weight = 1;                       ///< degradeLeastWeight: the weight never sinks below.
    double recover_rate = 2;                       ///< weightRecoverRate: what a healthy window multiplies the weight by. Not above 1: never recovers.
    std::size_t most_degraded = 2;                 ///< degradeMaxIpCount: nodes degraded at once. 0: none.
    /// Not in SOFARPC: a node is abnormal, too, if so many of its calls fail, whatever the others do. 0: off.
    double absolute_rate = 0.5;
    /// Not in SOFARPC: the others' rate counts as at least this, or one failure among none would be infinitely many times theirs.
    double least_rate = 0.01;
};

/// Counts for each window, then judges. What it mends: each failure that speaks against a provider counts, lost
/// connections and asynchronous calls included; a node is compared to the others without itself, so that a failing one
/// is found among two as well; rates are not rounded. Nodes that warm up are not degraded.
class fault_tolerance {
public:
    explicit fault_tolerance(fault_tolerance_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] const fault_tolerance_options& options() const noexcept { return options_; }
    void set_options(const fault_tolerance_options& options) noexcept { options_ = options; }
    [[nodiscard]] bool enabled() const noexcept { return options_.enabled && options_.window > duration::zero(); }

    /// After `end_attempt`. Allocates where the node's slot is new.
    void ended(const node& n, const attempt_outcome& outcome) {
        if (!enabled() || outcome.verdict == verdict::abandoned) return;
        if (n.slot >= counts_.size()) counts_.resize(n.slot + 1);
        auto& own = counts_[n.slot];
        if (own.id != n.id) own = {.id = n.id};
        ++own.calls;
        own.failures += outcome.verdict == verdict::failed;
    }
    /// At `next_wakeup`: judges the window that has ended. True: some `node.degraded` changed.
    bool advance(std::span<node* const> nodes, time_point now);
    [[nodiscard]] time_point next_wakeup() const noexcept { return enabled() ? window_ends_ : no_deadline; }
    /// Found abnormal in the last window, degraded or not.
    [[nodiscard]] std::span<node* const> abnormal() const noexcept { return abnormal_; }

private:
    struct count {
        std::uint64_t id = 0;  // Slots are used again.
        std::uint32_t calls = 0;
        std::uint32_t failures = 0;
    };
    [[nodiscard]] const count& of(const node& n) const noexcept {
        static constexpr count none{};
        return n.slot < counts_.size() && counts_[n.slot].id == n.id ? counts_[n.slot] : none;
    }
    [[nodiscard]] bool is_abnormal(const node& n, const count& all) const noexcept;

    fault_tolerance_options options_;
    std::vector<count> counts_;  // By slot.
    std::vector<node*> abnormal_;
    time_point window_ends_{};
};

inline bool fault_tolerance::is_abnormal(const node& n, const count& all) const noexcept {
    const auto& own = of(n);
    const auto needed = std::max(1.0, options_.least_calls * static_cast<double>(n.degraded));
    if (own.calls < needed || own.failures == 0) return false;
    const auto rate = static_cast<double>(own.failures) / own.calls;
    if (options_.absolute_rate > 0 && rate >= options_.absolute_rate) return true;
    const auto others = all.calls - own.calls;
    if (options_.rate_multiple <= 0 || others == 0) return false;
    const auto their_rate = static_cast<double>(all.failures - own.failures) / others;
    return rate >= options_.rate_multiple * std::max(their_rate, options_.least_rate);
}

inline bool fault_tolerance::advance(std::span<node* const> nodes, time_point now) {
    if (!enabled() || now < window_ends_) return false;
    const bool first = window_ends_ == time_point{};
    window_ends_ = deadline_after(now, options_.window);
    if (first) return false;

    count all;
    std::size_t degraded = 0;
    for (const auto* n : nodes) {
        all.calls += of(*n).calls;
        all.failures += of(*n).failures;
        degraded += n->degraded < 1;
    }
    abnormal_.clear();
    bool changed = false;
    for (auto* n : nodes) {
        if (is_abnormal(*n, all)) {
            abnormal_.push_back(n);
            const bool warming = n->first_seen != time_point{} && now - n->first_seen < n->told.warm_up;
            if (!options_.degrades || warming || n->told.weight == 0) continue;
            if (n->degraded >= 1 && degraded >= options_.most_degraded) continue;
            degraded += n->degraded >= 1;
            const auto least = std::min(1.0, options_.least_weight / n->told.weight);
            n->degraded = static_cast<float>(std::max(least, double{n->degraded} * options_.degrade_rate));
            changed = true;
        } else if (n->degraded < 1 && of(*n).calls > 0 && options_.recover_rate > 1) {
            n->degraded = static_cast<float>(std::min(1.0, double{n->degraded} * options_.recover_rate));
            changed = true;
        }
    }
    std::fill(counts_.begin(), counts_.end(), count{});
    return changed;
}

}  // namespace futon
