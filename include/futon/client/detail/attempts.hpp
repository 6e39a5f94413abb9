// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What becomes of a call whose attempt failed: it moves to another connection, waits for another try, or is over.

#include <futon/cluster/attempt_budget.hpp>
#include <futon/core/error.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <optional>

namespace futon::detail {

/// Decides for all calls of one channel. Pure; one thread at a time.
class attempts {
public:
    explicit attempts(const exponential_backoff& policy, const attempt_budget_options& budget = {}) noexcept
        : policy_{policy}, budget_{budget} {}

    void set_policy(const exponential_backoff& policy) noexcept { policy_ = policy; }
    /// Of calls that say nothing else.
    [[nodiscard]] const exponential_backoff& policy() const noexcept { return policy_; }
    /// A call begins its first attempt.
    void begun() noexcept { budget_.earn(); }

    /// The pause before the next attempt, zero for at once; `nullopt` gives up.
    ///
    /// What never ran because its connection is `gone`, or takes no more calls, moves at once and costs no budget: it adds no
    /// load. A peer that answers `unavailable` and stays has had the work of it.
    [[nodiscard]] std::optional<duration> after(const error& why, int number, bool idempotent, time_point now, time_point deadline,
                                                bool gone = true) noexcept {
        return after(policy_, why, number, idempotent, now, deadline, gone);
    }
    /// The same by a policy of the call's own.
    [[nodiscard]] std::optional<duration> after(const exponential_backoff& policy, const error& why, int number, bool idempotent,
                                                time_point now, time_point deadline, bool gone = true) noexcept {
        const failed_attempt attempt{.number = number,
                                     .code = code_of(why),
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
        const auto pause = std::max(*delay, why.retry_after());
        if (pause >= deadline - now || !budget_.spend_retry(now)) return std::nullopt;
        return pause;
    }

    /// May there be one more attempt beside one that is slow?
    [[nodiscard]] bool may_hedge(time_point now) noexcept { return budget_.spend_hedge(now); }
    /// Whether an attempt that failed so says nothing of others that are under way.
    [[nodiscard]] static bool is_of_one_provider(const error& why, bool idempotent) noexcept {
        const auto code = code_of(why);
        return belongs_to(code, cond::retryable) && may_repeat({.code = code, .ran = why.ran(), .idempotent = idempotent});
    }

private:
    [[nodiscard]] static errc code_of(const error& why) noexcept {
        return why.code().category() == futon_category() ? static_cast<errc>(why.code().value()) : errc::remote_error;
    }
    // How often a call that was never sent may change its connection, e.g. while servers restart.
    static constexpr int most_moves = 16;

    exponential_backoff policy_;
    attempt_budget budget_;
};

}  // namespace futon::detail
