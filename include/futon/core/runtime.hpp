// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The threads behind clients and servers, and where they report.

#include <futon/core/asio.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/runtime_options.hpp>
#include <futon/core/sizes_in_common.hpp>

#include <asio/execution_context.hpp>
#include <asio/version.hpp>

#include <concepts>
#include <utility>

namespace futon {
namespace detail {
class driver;
class runtime_state;

/// A `runtime_state` on strands of what the user lends. A template, of `asio::io_context` alone, so that only programs
/// that lend one compile strands.
template <class Context>
[[nodiscard]] intrusive_ptr<ref_counted> state_on(Context& lent, runtime_options options);
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
    template <std::derived_from<asio::io_context> Context>
    explicit runtime(Context& lent, runtime_options options = {})
        : state_{detail::state_on<asio::io_context>(lent, std::move(options))} {}
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

#if defined(FUTON_COMPILED)
FUTON_DETAIL_SIZES_IN_COMMON(core_sizes, ASIO_VERSION, sizeof(error), sizeof(context), sizeof(diagnostics),
                             sizeof(thread_state), sizeof(work), sizeof(timer), sizeof(runtime_options),
                             sizeof(runtime))
#else
#include <futon/core/detail/runtime_bodies.hpp>
#endif
