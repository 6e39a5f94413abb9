// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one clock of deadlines and timers. Timeouts are durations at the edge, deadlines inside.

#include <chrono>

namespace futon {

/// Never steps, so that a correction of the wall clock neither expires nor extends a call.
using clock = std::chrono::steady_clock;
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<clock, duration>;

/// Stands for "never": the deadline of a call that has none.
inline constexpr time_point no_deadline = time_point::max();

/// `now + after`, where any sum past the end of time means `no_deadline`.
[[nodiscard]] constexpr time_point deadline_after(time_point now, duration after) noexcept {
    return after >= no_deadline - now ? no_deadline : now + after;
}

}  // namespace futon
