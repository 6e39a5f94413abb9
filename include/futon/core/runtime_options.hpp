// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a runtime can be told.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>

#include <cstddef>

namespace futon {

/// Where addresses other than tcp:// and unix:// lead, e.g. a `testing::network`. Null: nowhere.
using network_ref = detail::intrusive_ptr<detail::ref_counted>;

struct runtime_options {
    /// Threads that run sockets. Zero: one. A server's own default is min(4, cores).
    std::size_t io_threads = 1;
    /// Most threads for handlers that may block; started as needed. Zero: one.
    std::size_t pool_threads = 16;
    /// Handlers that may wait for a pool thread; more are refused as `overloaded`. Zero: none waits.
    std::size_t pool_queue = 1024;
    /// Receives reports; empty: warnings to stderr, one per second and kind.
    log_sink log{};
    /// Reports below this level are not made.
    log_level least = log_level::warning;
    /// Receives failures that nobody looked at; empty: they are logged.
    unhandled_error_hook on_unhandled_error{};
    /// For memory:// addresses; servers and clients that share one find each other.
    network_ref network{};
};

}  // namespace futon
