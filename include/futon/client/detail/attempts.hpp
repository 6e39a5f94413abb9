// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What becomes of a call whose attempt failed: it moves to another connection, waits for another try, or is over.

#include <futon/cluster/attempt_budget.hpp>
#include <futon/core/error.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace futon::detail {

/// Decides for all calls of one channel. Pure; one thread at a time, but for what says otherwise.
class attempts {
public:
    explicit attempts(const exponential_backoff& policy, const attempt_budget_options& budget = {}) noexcept
        : policy_{policy}, budget_{budget} {}

    void set_policy(const exponential_backoff& policy) noexcept { policy_ = policy; }
    /// Of calls that say nothing else.
    [[nodiscard]] const exponential_backoff& policy() const noexcept { return policy_; }
    /// A call begins its first attempt.
    void begun() noexcept { budget_.earn(); }
    /// The same without whatever guards all else here. One thread at a time.
    void begun_quickly() noexcept { quick_.store(quick() + 1, std::memory_order_relaxed); }
    /// How many did. Thread-safety: safe.
    [[nodiscard]] std::uint64_t quick() const noexcept { return quick_.load(std::memory_order_relaxed); }

    /// The pause before the next attempt, zero for at once; `nullopt` gives up.
    ///
    /// What never ran because its connection is `gone`, or takes no more calls, moves at once and costs no budget: it
    /// adds no load. A peer that answers `unavailable` and stays has had the work of it.
    [[nodiscard]] std::optional<duration> after(const error& why, int number, bool idempotent, time_point now,
                                                time_point deadline, bool gone = true) noexcept {
        return after(policy_, why, number, idempotent, now, deadline, gone);
    }
    /// The same by a policy of the call's own.
    [[nodiscard]] std::optional<duration> after(const exponential_backoff& policy, const error& why, int number,
                                                bool idempotent, time_point now, time_point deadline,
                                                bool gone = true) noexcept {
        const failed_attempt attempt{.number = number,
                                     .code = errc_of(why),
                                     .ran = why.ran(),
                                     .idempotent = idempotent,
                                     .now = now,
                                     .deadline = deadline};
        if (policy.max_attempts <= 1) return std::nullopt;
        const bool moves = attempt.code == errc::unavailable || attempt.code == errc::connection_lost;
        if (gone && moves && why.ran() == executed::no && number < most_moves) return duration{};
        const auto delay = policy.next_delay(attempt);
        if (!delay) return std::nullopt;
        // What the peer asks for may be longer than anybody waits.
        const auto pause = std::max(*delay, obeyed(why.retry_after(), deadline));
        earn_for_the_quick();
        if (pause >= deadline - now) return std::nullopt;
        if (!budget_.spend_retry(now)) {
            ++refused_;
            return std::nullopt;
        }
        return pause;
    }
    /// How many attempts were not made for want of a budget alone.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

    /// Whether a call whose first attempt fails at once, and is executed so far, is made again.
    [[nodiscard]] bool would_repeat(const exponential_backoff& policy, executed ran, bool idempotent, time_point now,
                                    time_point deadline) noexcept {
        earn_for_the_quick();
        const failed_attempt first{.ran = ran, .idempotent = idempotent, .now = now, .deadline = deadline};
        return policy.next_delay(first) && budget_.has_retry(now);
    }
    /// May there be one more attempt beside one that is slow?
    [[nodiscard]] bool may_hedge(time_point now) noexcept {
        earn_for_the_quick();
        return budget_.spend_hedge(now);
    }
    /// Whether an attempt that failed so says nothing of others that are under way.
    [[nodiscard]] static bool is_of_one_provider(const error& why, bool idempotent) noexcept {
        const auto code = errc_of(why);
        return belongs_to(code, cond::retryable) && why.ran() != executed::yes &&
               may_repeat({.code = code, .ran = why.ran(), .idempotent = idempotent});
    }

private:
    // How often a call that was never sent may change its connection, e.g. while servers restart.
    static constexpr int most_moves = 16;

    void earn_for_the_quick() noexcept {
        const auto all = quick();
        budget_.earn(all - std::exchange(quick_earned_, all));
    }

    exponential_backoff policy_;
    attempt_budget budget_;
    std::atomic<std::uint64_t> quick_{0};  // Calls that begun_quickly() told of,
    std::uint64_t quick_earned_ = 0;       // and how many of them the budget has had.
    std::uint64_t refused_ = 0;
};

}  // namespace futon::detail
