// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The threads behind clients and servers, and where they report.

#include <futon/core/asio.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/runtime_options.hpp>

#include <asio/execution_context.hpp>

namespace futon {
namespace detail {
class driver;
class runtime_state;
}  // namespace detail

/// Threads to share between clients and servers: `futon::client{{.endpoints = ..., .runtime = shared}}`.
///
/// Who gives none gets one of its own. Copies refer to the same threads, which end when the last client,
/// server or copy that uses them is gone.
/// Thread-safety: safe.
class runtime {
public:
    runtime();
    explicit runtime(runtime_options options);
    /// Works on `lent`, which the user runs with any number of threads and which must outlive every
    /// client, server and future that uses it. `io_threads` is ignored.
    explicit runtime(asio::io_context& lent, runtime_options options = {});
    /// On places that are run elsewhere.
    explicit runtime(detail::intrusive_ptr<detail::driver> whose);

    /// An I/O executor of this runtime, e.g. for `futon::delay(rt.executor(), 10ms)`.
    [[nodiscard]] executor_ref executor() const;
    /// The pool for work that may block.
    [[nodiscard]] executor_ref pool() const noexcept;
    [[nodiscard]] detail::intrusive_ptr<detail::runtime_state> state() const noexcept;
    /// Counted since it was made, by all that runs on it.
    [[nodiscard]] runtime_stats stats() const noexcept;

private:
    /// A `detail::runtime_state`, held by its base so that whoever only passes a runtime on need not see threads.
    detail::intrusive_ptr<detail::ref_counted> state_;
};

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/runtime_bodies.hpp>
#endif
