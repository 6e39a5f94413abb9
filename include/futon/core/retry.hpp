// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Decides whether a failed attempt is tried again, after how long, and within what budget.
/// Pure: time and dice come in as values, the decision goes out as one.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <optional>

namespace futon {

/// What is known about a call when one of its attempts has failed.
struct failed_attempt {
    int number = 1;                  ///< 1 for the first attempt.
    errc code = errc::unavailable;   ///< Why it failed.
    executed ran = executed::maybe;  ///< Whether the handler may have run.
    bool idempotent = false;         ///< The method may safely run twice.
    time_point now{};                ///< When the failure was seen.
    time_point deadline{};           ///< Of the whole call, not of this attempt.
};

/// Maps a failed attempt to the delay before the next one; `nullopt` gives up.
///
/// Thread-safety: called on one thread at a time, once per failed attempt; must not block.
template <class P>
concept retry_policy = std::copy_constructible<P> && requires(const P& policy, const failed_attempt& attempt) {
    { policy.next_delay(attempt) } noexcept -> std::same_as<std::optional<duration>>;
};

/// Whether running the method again can be right at all, whatever the policy: what was
/// surely not executed may repeat, what was perhaps executed only if the method is idempotent.
[[nodiscard]] constexpr bool may_repeat(const failed_attempt& attempt) noexcept {
    return attempt.ran == executed::no || (attempt.ran == executed::maybe && attempt.idempotent);
}

/// Doubles the delay after every failure, up to `ceiling`; never sleeps past the deadline.
///
/// Only what another attempt may mend is repeated: the codes of `cond::retryable`.
struct exponential_backoff {
    int max_attempts = 3;                           ///< Counts the first; 1 or less turns retry off.
    duration base = std::chrono::milliseconds{20};  ///< Delay after the first failure, then twice as long each time. Zero: at once.
    duration ceiling = std::chrono::seconds{1};     ///< Longest single delay. Zero: at once.

    [[nodiscard]] constexpr std::optional<duration> next_delay(const failed_attempt& attempt) const noexcept {
        if (attempt.number >= max_attempts || !may_repeat(attempt)) return std::nullopt;
        if (!belongs_to(attempt.code, cond::retryable)) return std::nullopt;

        // The shift is capped so that an absurd attempt count cannot overflow the product.
        const auto delay = std::min(ceiling, base * (1 << std::min(attempt.number - 1, 16)));
        if (delay >= attempt.deadline - attempt.now) return std::nullopt;
        return delay;
    }
};
static_assert(retry_policy<exponential_backoff>);

/// Keeps repeated attempts a small share of all calls, so that retries cannot bury a struggling service.
///
/// Each call earns `share` of a retry, each second one more; at most `reserve` are saved up.
/// Thread-safety: one thread at a time.
class retry_budget {
public:
    explicit retry_budget(double share = 0.1, double per_second = 1.0, double reserve = 10.0) noexcept
        : share_{share}, per_second_{per_second}, reserve_{reserve}, tokens_{reserve} {}

    void earn() noexcept { tokens_ = std::min(reserve_, tokens_ + share_); }
    /// Takes one retry out of the budget; false if there is none.
    [[nodiscard]] bool spend(time_point now) noexcept {
        if (now > last_) {
            const auto seconds = std::chrono::duration<double>(now - last_).count();
            tokens_ = std::min(reserve_, tokens_ + seconds * per_second_);
            last_ = now;
        }
        if (tokens_ < 1.0) return false;
        tokens_ -= 1.0;
        return true;
    }

private:
    double share_;
    double per_second_;
    double reserve_;
    double tokens_;
    time_point last_{};
};

/// The pause before connecting again: grows by `factor` up to `ceiling`, spread by +-`jitter`.
struct reconnect_backoff {
    duration base = std::chrono::milliseconds{100};  ///< After the first failure. Zero: no pause, which burns a processor while a server is away.
    double factor = 1.6;                             ///< So many times longer is each further pause. 1: all alike.
    duration ceiling = std::chrono::seconds{10};     ///< The longest pause.
    double jitter = 0.2;                             ///< A fraction of the pause, on both sides.

    /// `failures` in a row, at least 1; `dice` uniform in [0, 1).
    [[nodiscard]] duration pause_after(int failures, double dice) const noexcept {
        auto pause = static_cast<double>(base.count());
        for (int i = 1; i < std::min(failures, 64); ++i) pause *= factor;
        pause = std::min(pause, static_cast<double>(ceiling.count())) * (1.0 + jitter * (2.0 * dice - 1.0));
        return duration{static_cast<duration::rep>(pause)};
    }
};

}  // namespace futon
