// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The ways to end an operation: which tokens there are, what each gives back, and how one is started.

#include <futon/async/completion_for.hpp>
#include <futon/async/future.hpp>
#include <futon/async/handler.hpp>
#include <futon/core/asio.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associator.hpp>
#include <asio/async_result.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

namespace futon {

/// Sends a call that nobody answers; the call returns a `result<void>` at once: queued, or why not.
///
/// It runs at most once. One that was queued and surely did not run - its connection ended before it began to leave,
/// or the server said goodbye before it took it - is sent again elsewhere, within its deadline and the limits of
/// retries, like any call; where that cannot be, it counts as failed in `client_stats` and goes to
/// `on_unhandled_error`. It is lost unseen where a connection breaks without goodbye after the bytes were written, and
/// where the server refuses it. Whoever must know makes an ordinary call.
struct oneway_t {};
inline constexpr oneway_t oneway{};

/// In a coroutine of Asio, `co_await call(..., futon::use_awaitable)` yields the value, or throws as `get()` does.
///
/// `asio::use_awaitable` yields the `result`.
template <class Executor = asio::any_io_executor>
struct use_awaitable_t {};
inline constexpr use_awaitable_t<> use_awaitable{};

namespace detail {

/// A token that wants its result in another form than `void(result<T>)`.
template <class Token, template <class> class Form>
struct adapted_token {
    Token token;
};

// Stands for a value that is not there. Never converted where the receiver looks at the error first.
template <class T>
struct no_value {
    [[noreturn]] operator T() const noexcept { std::terminate(); }
};
template <class T>
auto value_after_failure() {
    if constexpr (std::is_default_constructible_v<T>) {
        return T{};
    } else {
        return no_value<T>{};
    }
}

template <class T>
struct exception_form {
    using signature = void(std::exception_ptr, T);
    template <class Handler>
    static void call(Handler&& handler, result<T>&& with) {
        if (with) return std::forward<Handler>(handler)(std::exception_ptr{}, *std::move(with));
        std::forward<Handler>(handler)(as_exception(with.error()), value_after_failure<T>());
    }
    static std::exception_ptr as_exception(const error& why) {
        auto original = why.exception();
        return original ? original : std::make_exception_ptr(rpc_error{why});
    }
};
template <>
struct exception_form<void> {
    using signature = void(std::exception_ptr);
    template <class Handler>
    static void call(Handler&& handler, result<void>&& with) {
        std::forward<Handler>(handler)(with ? std::exception_ptr{} : exception_form<int>::as_exception(with.error()));
    }
};

template <class T>
struct error_code_form {
    using signature = void(std::error_code, T);
    template <class Handler>
    static void call(Handler&& handler, result<T>&& with) {
        if (with) return std::forward<Handler>(handler)(std::error_code{}, *std::move(with));
        std::forward<Handler>(handler)(with.error().code(), value_after_failure<T>());
    }
};
template <>
struct error_code_form<void> {
    using signature = void(std::error_code);
    template <class Handler>
    static void call(Handler&& handler, result<void>&& with) {
        std::forward<Handler>(handler)(with ? std::error_code{} : with.error().code());
    }
};

template <class T, template <class> class Form, class Handler>
struct adapted_handler {
    Handler inner;
    void operator()(result<T> with) && { Form<T>::call(std::move(inner), std::move(with)); }
};

template <class T, template <class> class Form, class Initiation>
struct adapted_initiation {
    Initiation inner;
    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) && {
        std::move(inner)(adapted_handler<T, Form, std::decay_t<Handler>>{std::forward<Handler>(handler)},
                         std::forward<Args>(args)...);
    }
    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) const& {
        Initiation{inner}(adapted_handler<T, Form, std::decay_t<Handler>>{std::forward<Handler>(handler)},
                          std::forward<Args>(args)...);
    }
};

template <class T, template <class> class Form, class Token, class Initiation, class... Args>
auto initiate_adapted(Token token, Initiation&& initiation, Args&&... args) {
    return asio::async_initiate<Token, typename Form<T>::signature>(
        adapted_initiation<T, Form, std::decay_t<Initiation>>{std::forward<Initiation>(initiation)}, token,
        std::forward<Args>(args)...);
}

/// The initiating function of every operation: makes the ending, then starts.
template <class T>
struct start_with_handler {
    template <class Handler, class Start>
    void operator()(Handler&& handler, executor_ref where, Start&& start) const {
        auto ending = handler_outcome<T, std::decay_t<Handler>>::make(std::move(where), std::forward<Handler>(handler));
        if constexpr (std::is_nothrow_invocable_v<Start, intrusive_ptr<outcome<T>>>) {
            std::forward<Start>(start)(std::move(ending));
        } else {
            try {
                std::forward<Start>(start)(intrusive_ptr<outcome<T>>{ending});
            } catch (...) {
                ending->abandon();
                throw;
            }
        }
    }
};

template <class Token>
inline constexpr bool throws_into_coroutine = false;
template <class Executor>
inline constexpr bool throws_into_coroutine<asio::use_awaitable_t<Executor>> = true;

/// Starts an operation that yields a `result<T>`, and ends it as `token` says.
///
/// Calls `start(intrusive_ptr<outcome<T>>)` once: now, or, where the token is a lazy one, when that is run,
/// which may be never; so `start` owns what it needs. `where` is the executor of the future, or of a plain
/// callable. Returns what the token gives back: a `future<T>`, nothing, an awaitable...
template <class T, class Token, class Start>
auto initiate(executor_ref where, Token&& token, Start&& start) {
    if constexpr (std::is_same_v<std::remove_cvref_t<Token>, use_future_t>) {
        auto state = make_intrusive<future_state<T>>(std::move(where));
        std::forward<Start>(start)(intrusive_ptr<outcome<T>>{state.share_unshared()});
        return future<T>{std::move(state)};
    } else {
        return asio::async_initiate<Token, void(result<T>)>(start_with_handler<T>{}, token, std::move(where),
                                                            std::forward<Start>(start));
    }
}

// Accepts only what a handler of this signature may be.
template <class T>
struct initiation_probe {
    template <class Handler>
        requires std::is_invocable_v<std::decay_t<Handler>, result<T>>
    void operator()(Handler&&) const {}
};

// A callable is one by its call operator; another token by what Asio makes of it.
template <class Token, class R>
struct token_traits {
    static constexpr bool is_callable = std::is_invocable_v<Token, result<R>>;
    static constexpr bool accepted = is_callable || requires(Token& token) {
        typename asio::async_result<Token, void(result<R>)>;
        requires !std::is_arithmetic_v<Token>;
        asio::async_initiate<Token, void(result<R>)>(initiation_probe<R>{}, token);
    };
};
template <class R>
struct token_traits<use_future_t, R> {
    static constexpr bool accepted = true;
};
template <class R>
struct token_traits<oneway_t, R> {
    static constexpr bool accepted = true;
};

}  // namespace detail

/// Ends as the signature `void(std::exception_ptr, T)`: `asio::use_future`, `use_awaitable` and their operators then
/// see a failure as an exception, which is what `throwing(asio::use_awaitable) || ...` needs.
template <class Token>
[[nodiscard]] auto throwing(Token&& token) {
    return detail::adapted_token<std::decay_t<Token>, detail::exception_form>{std::forward<Token>(token)};
}
/// Ends as the signature `void(std::error_code, T)`, e.g. for `asio::redirect_error`. Text and place are lost.
template <class Token>
[[nodiscard]] auto ec_first(Token&& token) {
    return detail::adapted_token<std::decay_t<Token>, detail::error_code_form>{std::forward<Token>(token)};
}

}  // namespace futon

template <class Token, template <class> class Form, class T>
class asio::async_result<futon::detail::adapted_token<Token, Form>, void(futon::result<T>)> {
    static_assert(std::is_void_v<T> || std::is_default_constructible_v<T> ||
                      futon::detail::throws_into_coroutine<Token>,
                  "futon: throwing() and ec_first() pass a value even after a failure, so the result must be "
                  "default-constructible");

public:
    template <class Initiation, class RawToken, class... Args>
    static auto initiate(Initiation&& initiation, RawToken&& token, Args&&... args) {
        return futon::detail::initiate_adapted<T, Form, Token>(
            std::forward<RawToken>(token).token, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
    }
};

template <class Executor, class T>
class asio::async_result<futon::use_awaitable_t<Executor>, void(futon::result<T>)> {
public:
    template <class Initiation, class RawToken, class... Args>
    static auto initiate(Initiation&& initiation, RawToken&&, Args&&... args) {
        return futon::detail::initiate_adapted<T, futon::detail::exception_form>(
            asio::use_awaitable_t<Executor>{}, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
    }
};

template <template <class, class> class Associator, class T, template <class> class Form, class Handler, class Default>
struct asio::associator<Associator, futon::detail::adapted_handler<T, Form, Handler>, Default>
    : Associator<Handler, Default> {
    static auto get(const futon::detail::adapted_handler<T, Form, Handler>& handler) noexcept {
        return Associator<Handler, Default>::get(handler.inner);
    }
    static auto get(const futon::detail::adapted_handler<T, Form, Handler>& handler,
                    const Default& otherwise) noexcept {
        return Associator<Handler, Default>::get(handler.inner, otherwise);
    }
};
