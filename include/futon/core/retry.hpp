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
#include <cstdint>
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
/// surely not executed may repeat, what was or may have been only if the method is idempotent.
[[nodiscard]] constexpr bool may_repeat(const failed_attempt& attempt) noexcept {
    return attempt.ran == executed::no || attempt.idempotent;
}

/// How long work that has no deadline waits at most because a peer asks it to, by `retry_after`; after that it is tried
/// again. With a deadline a peer may ask for whatever ends before it.
inline constexpr duration longest_retry_after = std::chrono::minutes{1};

namespace detail {

[[nodiscard]] constexpr duration obeyed(duration retry_after, time_point deadline) noexcept {
    return deadline == no_deadline ? std::min(retry_after, longest_retry_after) : retry_after;
}

}  // namespace detail

/// Doubles the delay after every failure, up to `ceiling`; never sleeps past the deadline.
///
/// Only what another attempt may mend is repeated: the codes of `cond::retryable`. An error that the handler itself
/// answered (`executed::yes`) is repeated only where `answers` says so.
struct exponential_backoff {
    int max_attempts = 3;  ///< Counts the first; 1 or less turns retry off.
    /// Delay after the first failure, then twice as long each time. Zero: at once.
    duration base = std::chrono::milliseconds{20};
    duration ceiling = std::chrono::seconds{1};  ///< Longest single delay. Zero: at once.
    bool answers = false;                        ///< Also repeats what a handler answered, if the method may run twice.

    [[nodiscard]] constexpr std::optional<duration> next_delay(const failed_attempt& attempt) const noexcept {
        if (attempt.number >= max_attempts || !may_repeat(attempt)) return std::nullopt;
        if (!belongs_to(attempt.code, cond::retryable)) return std::nullopt;
        if (attempt.ran == executed::yes && !answers) return std::nullopt;

        // Neither an absurd attempt count nor an absurd base can overflow the product.
        const auto doublings = std::min(attempt.number - 1, 16);
        const auto delay = base.count() > (ceiling.count() >> doublings) ? ceiling : base * (1 << doublings);
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

    void earn(std::uint64_t calls = 1) noexcept {
        tokens_ = std::min(reserve_, tokens_ + share_ * static_cast<double>(calls));
    }
    /// Takes one retry out of the budget; false if there is none.
    [[nodiscard]] bool spend(time_point now) noexcept {
        tokens_ = tokens_at(now);
        last_ = std::max(last_, now);
        if (tokens_ < 1.0) return false;
        tokens_ -= 1.0;
        return true;
    }

    /// Whether `spend` would.
    [[nodiscard]] bool has_one(time_point now) const noexcept { return tokens_at(now) >= 1.0; }

private:
    [[nodiscard]] double tokens_at(time_point now) const noexcept {
        if (now <= last_) return tokens_;
        const auto seconds = std::chrono::duration<double>(now - last_).count();
        return std::min(reserve_, tokens_ + seconds * per_second_);
    }

    double share_;
    double per_second_;
    double reserve_;
    double tokens_;
    time_point last_{};
};

/// The pause before connecting again: grows by `factor` up to `ceiling`, spread by +-`jitter`.
struct reconnect_backoff {
    /// After the first failure; and at most, when another server is back after all were gone. Zero: no pause, which
    /// burns a processor while a server is away.
    duration base = std::chrono::milliseconds{100};
    double factor = 1.6;                          ///< So many times longer is each further pause. 1: all alike.
    duration ceiling = std::chrono::seconds{10};  ///< The longest pause.
    double jitter = 0.2;                          ///< A fraction of the pause, on both sides.

    /// `failures` in a row, at least 1; `dice` uniform in [0, 1).
    [[nodiscard]] duration pause_after(int failures, double dice) const noexcept {
        auto pause = static_cast<double>(base.count());
        for (int i = 1; i < std::min(failures, 64); ++i) pause *= factor;
        pause = std::min(pause, static_cast<double>(ceiling.count())) * (1.0 + jitter * (2.0 * dice - 1.0));
        return duration{static_cast<duration::rep>(pause)};
    }
};

}  // namespace futon
