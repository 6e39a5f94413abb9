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
    /// `per_second`: more than zero. `burst`: at least 1.
    token_bucket(double per_second, double burst) noexcept
        : pause_{std::chrono::duration_cast<duration>(std::chrono::duration<double>{1.0 / std::max(per_second, 1e-9)})},
          span_{std::chrono::duration_cast<duration>(pause_ * std::max(burst, 1.0))} {}

    /// Zero if there was a token, which is taken; else how long until there is one, and none is taken.
    [[nodiscard]] duration take(time_point now) noexcept {
        const auto full = std::max(full_, now) + pause_;
        if (full - now > span_) return full - now - span_;
        full_ = full;
        return duration{};
    }

private:
    duration pause_;  // Between two tokens.
    duration span_;   // For a whole burst.
    time_point full_ = time_point::min();
};

}  // namespace futon
