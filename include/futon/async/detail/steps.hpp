// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the stages of a chain do with what comes in: each says which results its callable wants to see, and how.

#include <futon/async/detail/flatten.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

template <class F, class T>
struct takes_value : std::is_invocable<F, T> {};
template <class F>
struct takes_value<F, void> : std::is_invocable<F> {};

/// Whether `F` returns a coroutine, which may refer to what it is called with for as long as it runs.
template <class F, class... Args>
[[nodiscard]] consteval bool begins_coroutine() {
    if constexpr (std::is_invocable_v<F, Args...>) {
        return flattening<std::remove_cvref_t<std::invoke_result_t<F, Args...>>>::kind == nesting::coroutine;
    } else {
        return false;
    }
}

/// What `then` does: the callable sees values only.
template <class T, class F>
struct then_step {
    static_assert(takes_value<F, T>::value || std::is_invocable_v<F>,
                  "futon: the callable given to then() must take the future's value, or nothing");
    static constexpr bool keeps_input = begins_coroutine<F, T>();
    F f;

    static bool wants(const result<T>& in) noexcept { return in.has_value(); }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return unexpected{std::move(in).error()};
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        if constexpr (std::is_void_v<T> || !takes_value<F, T>::value) {
            settle(into, std::move(f));
        } else {
            settle(into, std::move(f), *std::move(in));
        }
    }
    static auto returns() {
        if constexpr (std::is_void_v<T> || !takes_value<F, T>::value) {
            return std::type_identity<flattened<std::invoke_result_t<F>>>{};
        } else {
            return std::type_identity<flattened<std::invoke_result_t<F, T>>>{};
        }
    }
};

struct any_error {
    bool operator()(const error&) const noexcept { return true; }
};
struct error_is {
    errc code;
    bool operator()(const error& why) const noexcept { return why == code; }
};
struct error_in {
    cond group;
    bool operator()(const error& why) const noexcept { return why.is(group); }
};

/// What `get` would throw.
template <class E>
struct error_throws {
    bool operator()(const error& why) const noexcept {
        // Throwing only to find out is slow: most errors hold no exception.
        if (!why.exception() && !std::is_base_of_v<E, rpc_error>) return false;
        try {
            why.raise();
        } catch (const E&) {
            return true;
        } catch (...) {
            return false;
        }
    }
};

/// What `recover` does: the callable sees errors that the filter lets through.
template <class T, class F, class Filter>
struct recover_step {
    static_assert(std::is_invocable_v<F, error&> || std::is_invocable_v<F, error&&> || std::is_invocable_v<F>,
                  "futon: the callable given to recover() must take a const futon::error&, or nothing");
    static constexpr bool keeps_input = begins_coroutine<F, error&>() || begins_coroutine<F, error&&>();
    F f;
    [[no_unique_address]] Filter filter;

    bool wants(const result<T>& in) const noexcept(std::is_nothrow_invocable_v<const Filter&, const error&>) {
        return !in.has_value() && filter(in.error());
    }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return std::move(in);
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        if constexpr (std::is_invocable_v<F, error&>) {
            settle(into, std::move(f), in.error());
        } else if constexpr (std::is_invocable_v<F, error&&>) {
            settle(into, std::move(f), std::move(in).error());
        } else {
            settle(into, std::move(f));
        }
    }
};

/// What `handle` and `on_complete` do: the callable sees everything.
template <class T, class F>
struct handle_step {
    static_assert(std::is_invocable_v<F, result<T>>, "futon: the callable must take the result<T> of this future<T>");
    static constexpr bool keeps_input = begins_coroutine<F, result<T>>();
    F f;

    static bool wants(const result<T>&) noexcept { return true; }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return unexpected{std::move(in).error()};
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        settle(into, std::move(f), std::move(in));
    }
};

/// What `finally` does: the callable sees nothing, and only its failure can change a good result.
template <class T, class F>
struct finally_step {
    static_assert(std::is_invocable_v<F>, "futon: the callable given to finally() must take nothing");
    F f;

    static bool wants(const result<T>&) noexcept { return true; }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return std::move(in);
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        using returned = std::invoke_result_t<F>;
        using unwrapped = flattening<std::remove_cvref_t<returned>>;
        if constexpr (std::is_void_v<returned> || unwrapped::kind == nesting::none) {
            if (in) {
                static_cast<void>(std::invoke(std::move(f)));
            } else {
                // The first failure is the one to know about.
                try {
                    static_cast<void>(std::invoke(std::move(f)));
                } catch (...) {
                }
            }
            into.complete(std::move(in));
        } else {
            std::optional<std::remove_cvref_t<returned>> after;
            try {
                after.emplace(std::invoke(std::move(f)));
            } catch (...) {
                if (in) throw;
                into.complete(std::move(in));
                return;
            }
            wait_for(into, *std::move(after), std::move(in));
        }
    }

private:
    template <class Stage, class After>
    static void wait_for(Stage& into, After after, result<T>&& in) {
        using unwrapped = flattening<After>;
        if constexpr (unwrapped::kind == nesting::outcome) {
            if (in && !after) in = unexpected{std::move(after).error()};
            into.complete(std::move(in));
        } else {
            using value = typename unwrapped::value;
            auto then_answer = [in = std::move(in)](result<value> ended) mutable -> result<T> {
                if (in && !ended) return unexpected{std::move(ended).error()};
                return std::move(in);
            };
            if constexpr (unwrapped::kind == nesting::coroutine) {
                follow_future(
                    into,
                    unwrapped::start(into.where(), std::move(after)).handle(into.where(), std::move(then_answer)));
            } else {
                auto inner = std::move(after).handle(into.where(), std::move(then_answer));
                into.callable_done();
                follow_future(into, std::move(inner));
            }
        }
    }
};

/// What `recover<E>` does: the callable sees the exception.
template <class T, class F, class E>
struct recover_thrown_step {
    static_assert(std::is_invocable_v<F, const E&>, "futon: the callable given to recover<E>() must take a const E&");
    F f;

    static bool wants(const result<T>& in) noexcept { return !in.has_value() && error_throws<E>{}(in.error()); }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return std::move(in);
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        try {
            in.error().raise();
        } catch (const E& thrown) {
            settle(into, std::move(f), thrown);
        }
    }
};

/// What `map_error` does: one error in place of another.
template <class T, class F>
struct map_error_step {
    static_assert(std::is_invocable_v<F, const error&>,
                  "futon: the callable given to map_error() must take a const futon::error&");
    static_assert(std::is_convertible_v<std::invoke_result_t<F, const error&>, error>,
                  "futon: the callable given to map_error() must return a futon::error; recover() can return a value");
    F f;

    static bool wants(const result<T>& in) noexcept { return !in.has_value(); }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return std::move(in);
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        into.complete(unexpected{error{std::invoke(std::move(f), std::as_const(in).error())}});
    }
};

/// What `tap` does: the callable sees everything, and changes nothing but by throwing.
template <class T, class F>
struct tap_step {
    static_assert(std::is_invocable_v<F, const result<T>&>,
                  "futon: the callable given to tap() must take a const futon::result<T>&");
    static_assert(flattening<std::remove_cvref_t<std::invoke_result_t<F, const result<T>&>>>::kind == nesting::none,
                  "futon: the callable given to tap() must return nothing; finally() and handle() wait for futures");
    F f;

    static bool wants(const result<T>&) noexcept { return true; }
    template <class U>
    static result<U> pass(result<T>&& in) {
        return std::move(in);
    }
    template <class Stage>
    void run(Stage& into, result<T>&& in) {
        try {
            static_cast<void>(std::invoke(std::move(f), std::as_const(in)));
        } catch (...) {
            // The first failure is the one to know about.
            if (in) throw;
        }
        into.complete(std::move(in));
    }
};

}  // namespace futon::detail
