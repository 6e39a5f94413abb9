// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A result that comes later, for several consumers.

#include <futon/async/cancel_handle.hpp>
#include <futon/async/detail/shared_state.hpp>
#include <futon/async/detail/task_root.hpp>
#include <futon/async/future.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon {

/// A value that several consumers share: `*v` is valid as long as this, or any copy, lives.
template <class T>
class shared_value {
public:
    explicit shared_value(detail::intrusive_ptr<detail::shared_state<T>> state) noexcept : state_{std::move(state)} {}
    [[nodiscard]] const T& operator*() const noexcept { return *state_->outcome(); }
    [[nodiscard]] const T* operator->() const noexcept { return &**this; }

private:
    detail::intrusive_ptr<detail::shared_state<T>> state_;
};

namespace detail {

// Keeps the value for a coroutine that the callable returns.
template <class T, class F>
struct with_shared_value {
    F f;
    std::optional<shared_value<T>> value;
    decltype(auto) operator()(shared_value<T> got) {
        if constexpr (std::is_invocable_v<F, const T&>) {
            value.emplace(std::move(got));
            return std::invoke(std::move(f), **value);
        } else {
            return std::invoke(std::move(f));
        }
    }
};
template <class T, class F>
struct with_shared_result {
    F f;
    intrusive_ptr<shared_state<T>> state;
    std::optional<result<T>> instead;
    decltype(auto) operator()(result<shared_view<T>> got) {
        // Only this consumer was cancelled.
        if (!got && !state->is_ready())
            return std::invoke(std::move(f), std::as_const(instead.emplace(unexpected{std::move(got).error()})));
        return std::invoke(std::move(f), state->outcome());
    }
};

template <class T, bool ByReference>
class shared_awaiter : public future_awaiter<shared_view<T>, true> {
    using inner = future_awaiter<shared_view<T>, true>;

public:
    using inner::inner;
    std::conditional_t<ByReference, const T&, T> await_resume() {
        const auto got = inner::await_resume();
        return *got;
    }
};

}  // namespace detail

/// Any number of consumers of one result, each of which sees it as `const T&`. Copies refer to the same.
///
/// Stages run as those of `future`. Each consumer is a future of its own: cancelling it completes that one with
/// `cancelled` and reaches neither the others nor the source. Only `cancel()` of this cancels the source, and with it
/// all; copies that are dropped cancel nothing.
/// A failure counts as seen by whoever consumes it, each for itself; with no consumer at all it goes to the hook.
///
/// In a task `co_await s` yields `const T&`, valid as long as `s` or a copy lives; of a temporary, a copy of the value.
/// Thread-safety: safe, also one object on several threads, but for assignment.
/// Cost: one block, and for each consumer two.
template <class T>
class shared_future {
    using view = detail::shared_view<T>;

public:
    using value_type = T;

    shared_future() = default;
    explicit shared_future(future<T> source) : state_{detail::shared_state<T>::make(std::move(source))} {}

    /// A future for one consumer: of a `shared_value<T>`, which keeps the value alive; for `void` of nothing.
    [[nodiscard]] future<view> to_future() const {
        if (!state_) return future<view>{detail::no_state_for<view>()};
        return future<view>{state_->subscribe()};
    }

    /// Runs `f(const T&)`, or `f()`, when there is a value; errors pass by.
    template <class F>
    [[nodiscard]] auto then(F&& f) const {
        return then(executor(), std::forward<F>(f));
    }
    template <class F>
    [[nodiscard]] auto then(executor_ref where, F&& f) const {
        if constexpr (std::is_void_v<T>) {
            return to_future().then(std::move(where), std::forward<F>(f));
        } else {
            return to_future().then(std::move(where),
                                    detail::with_shared_value<T, std::decay_t<F>>{std::forward<F>(f), {}});
        }
    }
    /// Runs `f(const result<T>&)`, whatever came.
    template <class F>
    [[nodiscard]] auto handle(F&& f) const {
        const auto state = state_or_failed();
        return future<view>{state->subscribe()}.handle(
            detail::with_shared_result<T, std::decay_t<F>>{std::forward<F>(f), state, {}});
    }
    /// The same, and ends the chain.
    template <class F>
    void on_complete(F&& f) const {
        const auto state = state_or_failed();
        future<view>{state->subscribe()}.on_complete(
            detail::with_shared_result<T, std::decay_t<F>>{std::forward<F>(f), state, {}});
    }

    /// Blocks for the value, which is valid as long as this or a copy lives; throws as `future::get` does.
    decltype(auto) get() const {
        if constexpr (std::is_void_v<T>) {
            to_future().get();
        } else {
            const auto got = to_future().get();
            return *got;
        }
    }
    /// Blocks until it is ready. Errors: `rpc_error` with `would_deadlock` or `no_state`.
    void wait() const { bystander{*this}.one.wait(); }
    /// Blocks until it is ready, which is true, or for `limit`.
    [[nodiscard]] bool wait_for(duration limit) const { return bystander{*this}.one.wait_for(limit); }

    /// An asynchronous operation as Asio knows it, with the signature `void(result<shared_value<T>>)`.
    template <class Token>
    auto async_wait(Token&& token) const {
        return to_future().async_wait(std::forward<Token>(token));
    }
    template <class Token>
    auto operator()(Token&& token) const {
        return to_future()(std::forward<Token>(token));
    }

    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
    [[nodiscard]] bool is_ready() const noexcept { return state_ && state_->is_ready(); }
    [[nodiscard]] executor_ref executor() const noexcept { return state_ ? state_->where() : executor_ref{}; }
    /// Cancels the source, for all consumers.
    void cancel() const noexcept {
        if (state_) state_->cancel();
    }
    [[nodiscard]] cancel_handle get_cancel_handle() const noexcept { return cancel_handle{state_}; }

    /// What `co_await` makes of it.
    [[nodiscard]] auto awaiter() const& { return awaiter_of<true>(); }
    [[nodiscard]] auto awaiter() && { return awaiter_of<false>(); }

private:
    // A consumer that only waits: what it saw counts as seen by nobody, and it does not stand there to the end.
    struct bystander {
        explicit bystander(const shared_future& all) {
            if (all.state_) one = future<view>{all.state_->subscribe(false)};
        }
        bystander(const bystander&) = delete;
        bystander& operator=(const bystander&) = delete;
        ~bystander() {
            one.cancel();
            std::move(one).ignore();
        }
        future<view> one;
    };
    template <bool ByReference>
    [[nodiscard]] auto awaiter_of() const {
        auto one = to_future();
        if constexpr (std::is_void_v<T>) {
            return detail::future_awaiter<void, true>{detail::future_access::take(one)};
        } else {
            return detail::shared_awaiter<T, ByReference>{detail::future_access::take(one)};
        }
    }
    [[nodiscard]] detail::intrusive_ptr<detail::shared_state<T>> state_or_failed() const {
        return state_ ? state_ : detail::shared_state<T>::make(future<T>{});
    }

    detail::intrusive_ptr<detail::shared_state<T>> state_;
};

}  // namespace futon
