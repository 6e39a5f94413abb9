// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// SOFARPC's fault tolerance ("AFT"): degrades the weight of providers that fail much more often than the others.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/health_options.hpp>
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
            n->degraded = static_cast<float>(std::max(least, static_cast<double>(n->degraded) * options_.degrade_rate));
            changed = true;
        } else if (n->degraded < 1 && of(*n).calls > 0 && options_.recover_rate > 1) {
            n->degraded = static_cast<float>(std::min(1.0, static_cast<double>(n->degraded) * options_.recover_rate));
            changed = true;
        }
    }
    std::fill(counts_.begin(), counts_.end(), count{});
    return changed;
}

}  // namespace futon
