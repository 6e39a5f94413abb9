// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which process this is: a child of fork() has what its parent made, without the threads that run it.

#include <atomic>
#include <cstdint>

#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

namespace futon::detail {

/// A number that a child of fork() does not share with its parent; always the same where there is no fork().
///
/// Asked by whoever blocks: getpid() would be a system call each time, so a child is counted as it begins.
[[nodiscard]] inline std::uint32_t this_process() noexcept {
    static std::atomic<std::uint32_t> forks{0};
#if __has_include(<pthread.h>)
    static const int watched =
        ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    static_cast<void>(watched);
#endif
    return forks.load(std::memory_order_relaxed);
}

}  // namespace futon::detail
