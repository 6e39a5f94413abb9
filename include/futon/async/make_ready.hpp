// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Futures that need no producer: of a value, of an error, of a moment, of a function's result.

#include <futon/async/detail/timed.hpp>
#include <futon/async/future.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <type_traits>
#include <utility>

namespace futon {

/// A future that is ready with `value`. Its stages still run later, on `where`.
template <class V>
[[nodiscard]] future<std::decay_t<V>> make_ready(executor_ref where, V&& value) {
    auto state = detail::make_intrusive<detail::future_state<std::decay_t<V>>>(std::move(where));
    state->complete(result<std::decay_t<V>>{std::in_place, std::forward<V>(value)});
    return future<std::decay_t<V>>{std::move(state)};
}
[[nodiscard]] inline future<void> make_ready(executor_ref where) {
    auto state = detail::make_intrusive<detail::future_state<void>>(std::move(where));
    state->complete(result<void>{});
    return future<void>{std::move(state)};
}
/// On the executor that this thread is inside of; with none, its continuations fail with `no_executor`.
template <class V>
    requires(!std::is_convertible_v<V, executor_ref>)
[[nodiscard]] future<std::decay_t<V>> make_ready(V&& value) {
    return make_ready(current_executor(), std::forward<V>(value));
}
[[nodiscard]] inline future<void> make_ready() { return make_ready(current_executor()); }

/// A future that has failed.
template <class T>
[[nodiscard]] future<T> make_failed(executor_ref where, error why) {
    auto state = detail::make_intrusive<detail::future_state<T>>(std::move(where));
    state->complete(unexpected{std::move(why)});
    return future<T>{std::move(state)};
}
template <class T>
[[nodiscard]] future<T> make_failed(error why) {
    return make_failed<T>(current_executor(), std::move(why));
}

/// Completes after `after`: never early, late by the timer's tick and what is queued. Cancelling ends it at once.
///
/// Errors: `no_executor`; `executor_rejected` where the executor ends before.
[[nodiscard]] inline future<void> delay(executor_ref where, duration after) {
    auto state = detail::make_intrusive<detail::delay_state>(std::move(where));
    if (const auto& place = state->where()) {
        state->arm(deadline_after(place->now(), after));
    } else {
        state->complete(errc::no_executor);
    }
    return future<void>{std::move(state)};
}
/// On the executor that this thread is inside of.
[[nodiscard]] inline future<void> delay(duration after) { return delay(current_executor(), after); }

/// Runs `f()` on `where`, e.g. on the pool of a runtime; `f` may return what a stage may.
template <class F>
[[nodiscard]] auto async(executor_ref where, F&& f) {
    return make_ready(std::move(where)).then(std::forward<F>(f));
}

}  // namespace futon
