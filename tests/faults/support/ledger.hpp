// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the processes of a test share: how each server is to
/// behave, and what it did, which is still there when it is killed.

#include "integration/support/child_process.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace futon_tests {

/// How a server treats the calls that come to it.
enum class conduct : std::uint8_t {
    works,    ///< Answers after its delay.
    fails,    ///< Its handlers throw, at once.
    refuses,  ///< Answers `overloaded` before any handler runs.
    departs,  ///< Answers `unavailable` before any handler runs, and stays.
};

inline constexpr std::size_t most_servers = 4;
inline constexpr std::size_t most_calls = 100'000;

/// One server, through all the processes that are it one after the other.
struct server_page {
    std::atomic<int> up;                 ///< Processes that began to listen so far.
    std::atomic<int> port;               ///< Of the last one.
    std::atomic<std::int64_t> delay_us;  ///< Set by the test.
    std::atomic<conduct> behaves;        ///< Set by the test.
    std::atomic<std::int64_t> came;      ///< Requests that came in, those that were refused included.
    std::atomic<std::int64_t> ran;       ///< Handlers begun.
    /// The longest time that the last process was not given a processor when it wanted one.
    std::atomic<std::int64_t> stalled_us;
    std::atomic<std::int64_t> ran_late;  ///< Of these, after the caller had stopped waiting, by the server's own clock.
};

/// Zeros at first. Written by the servers before they answer, so that it knows at least what a caller knows.
struct ledger {
    std::array<server_page, most_servers> servers;
    std::array<std::atomic<std::uint8_t>, most_calls> ran;  ///< How often the call of that number was executed.
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<conduct>::is_always_lock_free,
              "processes share no locks");

using shared_ledger = shared_memory<ledger>;

}  // namespace futon_tests
