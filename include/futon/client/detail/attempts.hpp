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
    explicit attempts(const exponential_backoff& policy) noexcept : policy_{policy} {}

    void set_policy(const exponential_backoff& policy) noexcept { policy_ = policy; }
    /// A call begins its first attempt.
    void begun() noexcept { budget_.earn(); }

    /// The pause before the next attempt, zero for at once; `nullopt` gives up.
    ///
    /// What never ran because its connection is gone moves at once and costs no budget: it adds no load.
    [[nodiscard]] std::optional<duration> after(const error& why, int number, bool idempotent, time_point now, time_point deadline) noexcept {
        const bool ours = why.code().category() == futon_category();
        const failed_attempt attempt{.number = number,
                                     .code = ours ? static_cast<errc>(why.code().value()) : errc::remote_error,
                                     .ran = why.ran(),
                                     .idempotent = idempotent,
                                     .now = now,
                                     .deadline = deadline};
        if (policy_.max_attempts <= 1) return std::nullopt;
        const bool gone = attempt.code == errc::unavailable || attempt.code == errc::connection_lost;
        if (gone && why.ran() == executed::no && number < most_moves) return duration{};
        const auto delay = policy_.next_delay(attempt);
        if (!delay) return std::nullopt;
        // What the peer asks for may be longer than anybody waits.
        const auto pause = std::max(*delay, why.retry_after());
        if (pause >= deadline - now || !budget_.spend_retry(now)) return std::nullopt;
        return pause;
    }

private:
    // How often a call that was never sent may change its connection, e.g. while servers restart.
    static constexpr int most_moves = 16;

    exponential_backoff policy_;
    attempt_budget budget_;
};

}  // namespace futon::detail
