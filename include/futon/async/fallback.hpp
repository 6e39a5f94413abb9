// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Alternatives in order, each tried when the one before has failed.

#include <futon/async/future.hpp>
#include <futon/core/executor.hpp>

#include <type_traits>
#include <utility>

namespace futon {

/// The first value of `first`, of what `f(error)` or `f()` then returns, and of each further alternative in turn.
///
/// An alternative is a stage: it may return a value, a result, a future or a coroutine of `first`'s type, and runs on
/// the future's executor when the one before has failed. The result is the last one's failure if all fail; collect what
/// went before by taking the error.
/// Cancellation: ends the alternative that is under way; after it none is tried.
template <class T, class... F>
[[nodiscard]] future<T> fallback(future<T> first, F&&... alternatives) {
    ((first = std::move(first).recover([](const error& why) { return !why.is(cond::cancelled); },
                                       std::forward<F>(alternatives))),
     ...);
    return first;
}
/// The same on `where`.
template <class T, class... F>
[[nodiscard]] future<T> fallback(executor_ref where, future<T> first, F&&... alternatives) {
    return fallback(std::move(first).via(std::move(where)), std::forward<F>(alternatives)...);
}

}  // namespace futon
