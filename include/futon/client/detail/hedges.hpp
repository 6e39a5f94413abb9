// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which calls of a channel are hedged, and when; and what came of that.

#include <futon/client/client_options.hpp>
#include <futon/client/detail/hedged_call.hpp>
#include <futon/cluster/hedge_delay.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/service/call_options.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace futon::detail {

/// What holds for a call: what was said for it, else what its method says, else what holds for its channel.
[[nodiscard]] inline exponential_backoff retry_of(const call& which, const exponential_backoff& otherwise) noexcept {
    if (which.options && which.options->retry) return *which.options->retry;
    auto policy = otherwise;
    if (which.request.method->failfast) policy.max_attempts = 1;
    return policy;
}

/// Guarded by the channel's lock, but for what says otherwise.
class hedges {
public:
    explicit hedges(const hedging& rule) noexcept { set_rule(rule); }

    /// Of calls that say nothing else.
    void set_rule(const hedging& rule) noexcept {
        rule_ = rule;
        any_.store(rule.max_attempts > 1, std::memory_order_relaxed);
    }
    /// Whether `rule_of` may have a rule for it. Thread-safety: safe.
    [[nodiscard]] bool may_concern(const call& which) const noexcept {
        return which.options || (any_.load(std::memory_order_relaxed) && may_be_hedged(which));
    }
    /// Whether it may run twice, side by side. Thread-safety: safe.
    [[nodiscard]] static bool may_be_hedged(const call& which) noexcept {
        return which.request.method->idempotent && !which.request.has_streams;
    }
    /// Empty: it is not hedged.
    [[nodiscard]] std::optional<hedging> rule_of(const call& which, const exponential_backoff& retry) const noexcept {
        const auto& rule = which.options && which.options->hedge ? *which.options->hedge : rule_;
        if (rule.max_attempts <= 1 || retry_of(which, retry).max_attempts <= 1) return std::nullopt;
        return rule;
    }
    /// How long an attempt may take before the next one begins; empty while too little is known.
    [[nodiscard]] std::optional<duration> delay(const call& which, const hedging& rule, time_point now) const noexcept {
        if (rule.delay > duration{}) return rule.delay;
        const auto known = latencies_.find(which.request.method);
        if (known == latencies_.end()) return std::nullopt;
        const auto deadline = which.request.deadline;
        return known->second.delay(deadline == no_deadline ? duration{} : deadline - now);
    }
    /// A call that may have been hedged was answered. From when it was made, not when the attempt that won began: else
    /// hedges would hide the very latencies that call for them.
    void answered(const hedged_call& which, const call& by, time_point now) {
        latencies_[by.request.method].took(now - which.began(), now);
        won_ += which.is_first(by) ? 0u : 1u;
    }
    void made() noexcept { ++made_; }

    void add_to(client_stats& sum) const noexcept {
        sum.hedges += made_;
        sum.hedges_won += won_;
    }

private:
    hedging rule_;
    std::atomic<bool> any_{false};
    std::unordered_map<const method_info*, hedge_delay> latencies_;
    std::uint64_t made_ = 0;
    std::uint64_t won_ = 0;
};

}  // namespace futon::detail
