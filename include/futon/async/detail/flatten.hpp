// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a callable may return to a stage, and how that becomes the stage's own result.

#include <futon/async/outcome.hpp>
#include <futon/core/result.hpp>

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

namespace futon {

template <class T>
class future;

namespace detail {

enum class nesting : std::uint8_t {
    none,       ///< A plain value, or void.
    outcome,    ///< A `result`.
    future,     ///< Ready or not; the callable is not needed any more.
    coroutine,  ///< Runs yet, perhaps in the callable's captures: those are kept until it has ended.
};

// An asio::awaitable is known here only by its looks: the header that unwraps it includes Asio.
template <class X>
concept looks_like_awaitable = requires(const X& x) {
    typename X::value_type;
    typename X::executor_type;
    x.valid();
};

/// Unwraps one level. Coroutine types specialise it with `start(executor, coroutine) -> future<value>`.
template <class X>
struct flattening {
    static_assert(!looks_like_awaitable<X>, "futon: include <futon/async/awaitable.hpp> to return an asio::awaitable");
    using value = X;
    static constexpr nesting kind = nesting::none;
};
template <class T>
struct flattening<result<T>> {
    using value = T;
    static constexpr nesting kind = nesting::outcome;
};
template <class T>
struct flattening<future<T>> {
    using value = T;
    static constexpr nesting kind = nesting::future;
};

template <class X>
using flattened = typename flattening<std::remove_cvref_t<X>>::value;

struct future_access {
    template <class T>
    static intrusive_ptr<future_state<T>> take(future<T>& from) noexcept {
        return std::move(from.state_);
    }
    template <class T>
    static const intrusive_ptr<future_state<T>>& state(const future<T>& of) noexcept {
        return of.state_;
    }
};

/// `into` completes as `inner` does; with `no_state` if that is empty.
template <class T>
void follow_future(outcome<T>& into, future<T> inner) noexcept {
    auto state = future_access::take(inner);
    if (state) {
        into.follow(std::move(state));
    } else {
        into.complete(unexpected{errc::no_state});
    }
}

/// Calls `f` and makes what it returns the result of `into`. What `f` throws goes to the caller.
///
/// `into.callable_done()` drops `f` before anything else can complete `into`; a coroutine still needs it.
template <class Into, class F, class... Args>
void settle(Into& into, F&& f, Args&&... args) {
    using T = typename Into::value_type;
    using returned = std::invoke_result_t<F, Args...>;
    using unwrapped = flattening<std::remove_cvref_t<returned>>;
    if constexpr (std::is_void_v<returned> || (std::is_void_v<T> && unwrapped::kind == nesting::none)) {
        static_cast<void>(std::invoke(std::forward<F>(f), std::forward<Args>(args)...));
        into.complete(result<T>{});
    } else if constexpr (unwrapped::kind == nesting::none) {
        into.complete(result<T>{std::in_place, std::invoke(std::forward<F>(f), std::forward<Args>(args)...)});
    } else if constexpr (unwrapped::kind == nesting::outcome) {
        using value = typename unwrapped::value;
        decltype(auto) got = std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
        if constexpr (std::is_same_v<value, T>) {
            into.complete(result<T>{std::forward<decltype(got)>(got)});
        } else if (got.has_value()) {
            into.complete(result<T>{std::in_place, *std::forward<decltype(got)>(got)});
        } else {
            into.complete(unexpected{std::forward<decltype(got)>(got).error()});
        }
    } else {
        static_assert(std::is_same_v<typename unwrapped::value, T>,
                      "futon: a future or coroutine that is returned here must yield the same type as the future it "
                      "stands in for");
        auto inner = std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
        if constexpr (unwrapped::kind == nesting::coroutine) {
            follow_future(into, unwrapped::start(into.where(), std::move(inner)));
        } else {
            into.callable_done();
            follow_future(into, std::move(inner));
        }
    }
}

}  // namespace detail
}  // namespace futon
