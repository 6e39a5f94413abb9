// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What time it is to within a tick of the system, for next to nothing: the exact clock can cost more than all else
/// that a call does, above all in a virtual machine.

#include <futon/core/time.hpp>

#include <chrono>
#include <ctime>

namespace futon::detail {

/// The present, which is not before `earliest` and not after `latest`. An exact clock's are equal.
struct rough_time {
    time_point earliest;
    time_point latest;
};

[[nodiscard]] constexpr rough_time exactly(time_point now) noexcept { return {now, now}; }

/// By the clock of `clock::now()`, as the system's last tick has left it where there is such a thing.
[[nodiscard]] inline rough_time rough_now() noexcept {
#if defined(CLOCK_MONOTONIC_COARSE) && defined(__GLIBCXX__)
    const auto since_boot = [](const std::timespec& at) {
        return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
    };
    static const duration tick = [&] {
        std::timespec step{};
        return ::clock_getres(CLOCK_MONOTONIC_COARSE, &step) == 0 ? duration{since_boot(step)} : duration{-1};
    }();
    std::timespec last{};
    if (tick >= duration::zero() && ::clock_gettime(CLOCK_MONOTONIC_COARSE, &last) == 0) {
        const time_point earliest{since_boot(last)};
        return {earliest, earliest + tick};
    }
#endif
    return exactly(clock::now());
}

}  // namespace futon::detail
