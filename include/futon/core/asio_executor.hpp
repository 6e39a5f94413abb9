// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Makes a futon executor from any Asio executor: an `io_context`'s, a strand, a thread pool's.

#include <futon/core/asio.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/executor.hpp>

#include <asio/any_io_executor.hpp>

#include <concepts>

namespace futon {
namespace detail {

/// A template, of `asio::any_io_executor` alone, so that only programs that call `make_executor` compile it.
template <class AnyExecutor>
[[nodiscard]] executor_ref executor_over(AnyExecutor inner);

template <class Ex>
concept asio_executor_like = std::convertible_to<Ex, asio::any_io_executor> && !std::convertible_to<Ex, executor_ref>;

}  // namespace detail

/// A futon executor that runs work on `inner`, e.g. `pool.get_executor()`; give it to `.on(...)` or `.via(...)`.
///
/// Make it once and keep it: each one is a distinct place. Failures that nobody sees are reported to
/// stderr; an executor of a `futon::runtime` reports to that runtime's sinks.
/// Thread-safety: safe. Lifetime: the execution context of `inner` must outlive futures with a delay or timeout
/// on it; where it ends before others, waiting continuations complete with `errc::executor_rejected`.
template <detail::asio_executor_like Ex>
[[nodiscard]] executor_ref make_executor(const Ex& inner) {
    return detail::executor_over(asio::any_io_executor{inner});
}

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/asio_executor_bodies.hpp>
#endif
