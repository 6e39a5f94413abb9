// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Decides how many calls a second are let through. Pure: time comes in as a value, the decision goes out as one.

#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>

namespace futon {

/// Fills with `per_second` tokens a second up to `burst`; each call takes one.
///
/// It is kept as the time at which it would be full, so that no rounding piles up. Thread-safety: one thread at a time.
class token_bucket {
public:
    /// `per_second`: more than zero; less than one token a year counts as that. `burst`: at least 1.
    token_bucket(double per_second, double burst) noexcept
        : pause_{within(year, 1.0 / std::max(per_second, 0.0))},
          span_{within(100 * year, std::chrono::duration<double>{pause_}.count() * std::max(burst, 1.0))} {}

    /// Zero if there was a token, which is taken; else how long until there is one, and none is taken.
    [[nodiscard]] duration take(time_point now) noexcept {
        const auto full = std::max(full_, now) + pause_;
        if (full - now > span_) return full - now - span_;
        full_ = full;
        return duration{};
    }

private:
    static constexpr duration year = std::chrono::hours{24} * 365;

    // Also of what is no number, or infinite.
    [[nodiscard]] static duration within(duration most, double seconds) noexcept {
        const std::chrono::duration<double> asked{seconds};
        return asked < most ? std::chrono::duration_cast<duration>(asked) : most;
    }

    duration pause_;  // Between two tokens.
    duration span_;   // For a whole burst.
    time_point full_ = time_point::min();
};

}  // namespace futon
