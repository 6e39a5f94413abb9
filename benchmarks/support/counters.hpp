// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Counts what this process allocates and asks of the kernel. Off, it costs a branch that is predicted; the timed
/// rounds run with it off.
///
/// counters.cpp replaces `operator new` and puts itself before the C library's
/// functions that read, write and wait, those through which Asio goes. It does not
/// see the futex calls inside the C library's own mutexes and condition variables.

#include <atomic>
#include <cstdint>

namespace benchmark {

/// May lie in memory that is shared between processes.
struct counters {
    std::atomic<std::uint64_t> allocations{0};
    std::atomic<std::uint64_t> allocated_bytes{0};
    std::atomic<std::uint64_t> system_calls{0};
};

/// Where this process counts; null: it does not. Set it before there are threads.
inline counters* counted = nullptr;

}  // namespace benchmark
