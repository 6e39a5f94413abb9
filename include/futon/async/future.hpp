// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A result that comes later: to chain on, to wait for, to await, to cancel.
/// One thing because a future's members are one list, in which each line hands on to `detail/`.

#include <futon/async/cancel_handle.hpp>
#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/may_block.hpp>
#include <futon/async/detail/passing.hpp>
#include <futon/async/detail/stage.hpp>
#include <futon/async/detail/steps.hpp>
#include <futon/async/detail/timed.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <concepts>
#include <future>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace futon {

// For overloads that take a named future, so that the mistake is reported at the user's own line.
#define FUTON_DETAIL_FUTURE_USED_UP                                                              \
    "futon: this uses the future up: write std::move(f).get(), std::move(f).then(...), or call " \
    "it where the future is made"

template <class T>
class shared_future;
template <class T>
class scoped_future;

namespace detail {

/// Defined by `async/token.hpp`.
template <class T, class Token, class Start>
auto initiate(executor_ref where, Token&& token, Start&& start);

// What an asio::awaitable calls an operand of co_await with where it knows no other way: a pointer to its own frame.
template <class Token>
inline constexpr bool is_frame =
    std::is_pointer_v<std::remove_cvref_t<Token>> && std::is_class_v<std::remove_pointer_t<std::remove_cvref_t<Token>>>;

}  // namespace detail

/// The consumer's end of an asynchronous result.
///
/// Stages (`then`, `recover`, `handle`, `finally`, `tap`, `timeout`, `via`...) consume the future and return the next
/// one: write `std::move(f).then(...)` for a named one. A stage's callable
/// - is moved or copied in, runs once, never inside the function that attaches it or that completes what it
///   waits for: it runs on the executor given to the stage, else on the future's own, ready or not;
/// - may return a value, nothing, `result<U>`, `future<U>`, `task<U>` or `asio::awaitable<U>`: the stage is a
///   `future<U>` in each case. It, and what it was called with, live until a coroutine that it returned has ended;
/// - runs in the context (deadline, cancellation) of the code that attached it;
/// - fails the stage by throwing; `get()` throws the same exception.
/// Where the executor refuses it, it does not run, and the stage fails with `executor_rejected`; where there is
/// no executor, with `no_executor`.
///
/// Dropping a future detaches: the work goes on, and a failure goes to the runtime's unhandled-error hook.
/// Cancelling is `cancel()`; it travels up the chain to what is really under way.
/// An empty future (default-made, moved-from) is not undefined: it yields `no_state`.
///
/// Thread-safety: one future is used by one thread at a time; distinct ones, also of one chain, by any.
/// Cost: one block per future or stage, reused.
template <class T>
class [[nodiscard]] future {
    static_assert(!std::is_reference_v<T>, "futon::future holds values: use a pointer or std::reference_wrapper");

    template <class U, class Step>
    future<U> attach(executor_ref where, Step step) {
        auto source = std::move(state_);
        if (!source) return absent<U>(std::move(where));
        try {
            auto next = detail::make_intrusive<detail::stage<T, U, Step>>(std::move(where), std::move(step));
            next->begin(std::move(source));
            return future<U>{std::move(next)};
        } catch (...) {
            state_ = std::move(source);
            throw;
        }
    }
    template <class U>
    static future<U> absent(executor_ref where) {
        auto state = detail::make_intrusive<detail::future_state<U>>(std::move(where));
        state->complete(unexpected{errc::no_state});
        return future<U>{std::move(state)};
    }

public:
    using value_type = T;

    future() = default;
    /// For producers: the state whose other end they complete.
    explicit future(detail::intrusive_ptr<detail::future_state<T>> state) noexcept : state_{std::move(state)} {}
    future(future&&) noexcept = default;
    future& operator=(future&&) noexcept = default;
    future(const future&) = delete;
    future& operator=(const future&) = delete;
    ~future() = default;

    // --- Stages

    /// Runs `f(value)`, or `f()`, when there is a value; errors pass by.
    template <class F>
    auto then(F&& f) && {
        return std::move(*this).then(executor(), std::forward<F>(f));
    }
    template <class F>
    __attribute__((unavailable(FUTON_DETAIL_FUTURE_USED_UP))) future then(F&& f) &;
    /// The same on `where`, which the returned future keeps.
    template <class F>
    auto then(executor_ref where, F&& f) && {
        using step = detail::then_step<T, std::decay_t<F>>;
        using returned = typename decltype(step::returns())::type;
        return attach<returned>(std::move(where), step{std::forward<F>(f)});
    }

    /// Runs `f(error)`, or `f()`, when it failed; what `f` returns stands in for the value.
    template <class F>
    future recover(F&& f) && {
        return std::move(*this).recover_if(detail::any_error{}, std::forward<F>(f));
    }
    /// Only for one code; other errors pass by.
    template <class F>
    future recover(errc code, F&& f) && {
        return std::move(*this).recover_if(detail::error_is{code}, std::forward<F>(f));
    }
    /// Only for a group of codes; other errors pass by.
    template <class F>
    future recover(cond group, F&& f) && {
        return std::move(*this).recover_if(detail::error_in{group}, std::forward<F>(f));
    }

    /// Only for errors of which `filter(error)` is true; it is asked where `f` would run, or, where the executor
    /// refuses, on the thread that completes them.
    template <class Filter, class F>
        requires std::predicate<const Filter&, const error&>
    future recover(Filter filter, F&& f) && {
        return std::move(*this).recover_if(std::move(filter), std::forward<F>(f));
    }
    /// Runs `f(exception)` for what `get()` would throw as an `E`:
    /// `recover<std::out_of_range>(f)`; other errors pass by.
    ///
    /// A coroutine takes the exception by value.
    template <class E, class F>
        requires std::is_class_v<E>
    future recover(F&& f) && {
        auto where = executor();
        return attach<T>(std::move(where), detail::recover_thrown_step<T, std::decay_t<F>, E>{std::forward<F>(f)});
    }
    /// Runs `f(error)` when it failed, and fails with the error that it returns.
    template <class F>
    future map_error(F&& f) && {
        auto where = executor();
        return attach<T>(std::move(where), detail::map_error_step<T, std::decay_t<F>>{std::forward<F>(f)});
    }
    /// The value, or `otherwise` for any error, also for `cancelled`. Runs nothing, and so needs no executor.
    template <class U>
        requires std::is_constructible_v<T, U>
    future value_or(U&& otherwise) && {
        auto where = executor();
        auto next = detail::make_intrusive<detail::value_or_state<T>>(where, std::forward<U>(otherwise));
        next->begin(state_ ? std::move(state_) : std::move(absent<T>(std::move(where)).state_));
        return future{std::move(next)};
    }

    /// Runs `f(result<T>)`, whatever came.
    template <class F>
    auto handle(F&& f) && {
        return std::move(*this).handle(executor(), std::forward<F>(f));
    }
    template <class F>
    auto handle(executor_ref where, F&& f) && {
        using step = detail::handle_step<T, std::decay_t<F>>;
        using returned = detail::flattened<std::invoke_result_t<std::decay_t<F>, result<T>>>;
        return attach<returned>(std::move(where), step{std::forward<F>(f)});
    }

    /// Runs `f()`, whatever came, and passes the result on. A failure of `f` counts only after a success.
    template <class F>
    future finally(F&& f) && {
        auto where = executor();
        return attach<T>(std::move(where), detail::finally_step<T, std::decay_t<F>>{std::forward<F>(f)});
    }

    /// Runs `f(const result<T>&)`, whatever came, and passes the result on: to log or count. What `f` throws counts
    /// only after a success.
    template <class F>
    future tap(F&& f) && {
        auto where = executor();
        return attach<T>(std::move(where), detail::tap_step<T, std::decay_t<F>>{std::forward<F>(f)});
    }

    /// Fails with `deadline_exceeded` after `limit`, and cancels what it waits for. Never early. The message names the
    /// call that had not completed, or the inputs of a combinator that had not, by their index and call.
    future timeout(duration limit) && {
        auto where = executor();
        if (!state_) return absent<T>(std::move(where));
        return timed(detail::make_intrusive<detail::timeout_state<T>>(std::move(where), limit), limit);
    }
    /// Yields `otherwise` after `limit`, and cancels what it waits for. Errors that come before pass by.
    template <class U>
        requires std::is_constructible_v<T, U>
    future timeout(duration limit, U&& otherwise) && {
        auto where = executor();
        if (!state_) return absent<T>(std::move(where));
        return timed(
            detail::make_intrusive<detail::timeout_value_state<T>>(std::move(where), std::forward<U>(otherwise)),
            limit);
    }

    /// Cancelled when a stop is requested, too; at once if it was before.
    future cancel_with(std::stop_token token) && {
        auto where = executor();
        if (!state_) return absent<T>(std::move(where));
        auto next = detail::make_intrusive<detail::stoppable_state<T>>(std::move(where));
        next->listen_to(token);
        return passed_on(std::move(next));
    }
    /// A cancel from here on completes this with `cancelled` and
    /// does not reach what it waits for, which goes on detached.
    future shield() && {
        auto where = executor();
        if (!state_) return absent<T>(std::move(where));
        auto next = detail::make_intrusive<detail::shield_state<T>>(std::move(where));
        next->begin(std::move(state_));
        return future{std::move(next)};
    }

    /// The same result, whose further stages run on `where`.
    future via(executor_ref where) && {
        if (!state_) return absent<T>(std::move(where));
        return passed_on(detail::make_intrusive<detail::future_state<T>>(std::move(where)));
    }
    future on(executor_ref where) && { return std::move(*this).via(std::move(where)); }

    // --- Ends

    /// Runs `f(result<T>)` and ends the chain. What `f` throws, and that it could not run, goes to the hook.
    template <class F>
    void on_complete(F&& f) && {
        on_complete_at(executor(), std::forward<F>(f));
    }
    template <class F>
    void on_complete(executor_ref where, F&& f) && {
        on_complete_at(std::move(where), std::forward<F>(f));
    }

    /// Lets it run; a failure goes to the unhandled-error hook. The same as dropping it, said aloud.
    void detach() && noexcept { state_ = nullptr; }
    /// Lets it run; nobody hears of a failure.
    void ignore() && {
        if (state_) detail::ignored_result<T>::wait_for(std::move(state_));
    }
    /// For several consumers. Needs <futon/async/shared_future.hpp>, which says how they cancel.
    [[nodiscard]] shared_future<T> share() && { return shared_future<T>{std::move(*this)}; }
    /// Cancelled when the returned object goes out of scope. Needs <futon/async/scoped_future.hpp>.
    [[nodiscard]] scoped_future<T> scoped() && { return scoped_future<T>{std::move(*this)}; }
    /// The standard library's future of the same result: throws what `get()` would. Waiting for it is not guarded
    /// against deadlock.
    ///
    /// There is no way back: a `std::future` can only be waited for, so that turning one into this would take a thread
    /// that blocks. Where the producer can be changed, give it a `promise`; else `async(pool, ...)` shows the price.
    [[nodiscard]] std::future<T> to_std() && {
        if (!state_) return detail::std_bridge<T>::make_failed(errc::no_state);
        return detail::std_bridge<T>::make(std::move(state_));
    }

    /// Blocks for the value; throws what `error::raise` throws: an `rpc_error`, or what a callable threw.
    ///
    /// Errors: `would_deadlock` at once where this thread must not block, see `blocking_allowed`.
    T get() && { return std::move(*this).get_result().value(); }
    __attribute__((unavailable(FUTON_DETAIL_FUTURE_USED_UP))) T get() &;
    __attribute__((unavailable(FUTON_DETAIL_FUTURE_USED_UP))) result<T> get_result() &;
    /// The same, with errors as values.
    result<T> get_result() && {
        const auto state = std::move(state_);
        if (!state) return unexpected{errc::no_state};
        if (!state->is_ready()) {
            if (auto allowed = detail::may_block_for(*state); !allowed) return unexpected{std::move(allowed).error()};
            state->wait(no_deadline);
        }
        return state->take();
    }
    /// Blocks until it is ready. Throws `rpc_error` with `would_deadlock` or `no_state`.
    void wait() const {
        require_state();
        if (state_->is_ready()) return;
        detail::may_block_for(*state_).value();
        state_->wait(no_deadline);
    }
    /// Blocks until it is ready, which is true, or for `limit`. Throws as `wait()` does.
    [[nodiscard]] bool wait_for(duration limit) const {
        require_state();
        if (state_->is_ready()) return true;
        if (limit <= limit.zero()) return false;
        detail::may_block_for(*state_).value();
        return state_->wait(deadline_after(clock::now(), limit));
    }

    /// An asynchronous operation as Asio knows it, with the signature `void(result<T>)`.
    template <class Token>
    auto async_wait(Token&& token) && {
        auto where = executor();
        return detail::initiate<T>(
            std::move(where), std::forward<Token>(token),
            [source = std::move(*this)](detail::intrusive_ptr<detail::outcome<T>> ending) mutable {
                detail::follow_future(*ending, std::move(source));
            });
    }
    template <class Token>
    auto operator()(Token&& token) && {
        if constexpr (detail::is_frame<Token>) {
            static_assert(!detail::is_frame<Token>,
                          "futon: in an asio::awaitable write co_await service.method(arguments..., "
                          "futon::use_awaitable), or co_await std::move(future)(futon::use_awaitable)");
            return nullptr;  // With this Asio has no more to say.
        } else {
            return std::move(*this).async_wait(std::forward<Token>(token));
        }
    }

    // --- State

    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
    [[nodiscard]] bool is_ready() const noexcept { return state_ && state_->is_ready(); }
    /// Where stages run unless they say otherwise; null if nowhere.
    [[nodiscard]] executor_ref executor() const noexcept { return state_ ? state_->where() : executor_ref{}; }
    /// Asks what it waits for to give up. The future then completes soon, as a rule with `cancelled`; stages
    /// that have not begun see that error instead of a value.
    void cancel() const noexcept {
        if (state_) state_->cancel();
    }
    /// To cancel it later or from another thread, whatever it was moved into.
    [[nodiscard]] cancel_handle get_cancel_handle() const noexcept { return cancel_handle{state_}; }

private:
    friend struct detail::future_access;
    template <class U>
    friend class future;

    template <class Filter, class F>
    future recover_if(Filter filter, F&& f) && {
        auto where = executor();
        return attach<T>(std::move(where),
                         detail::recover_step<T, std::decay_t<F>, Filter>{std::forward<F>(f), std::move(filter)});
    }
    template <class State>
    future timed(detail::intrusive_ptr<State> next, duration limit) {
        if (!next->where()) {
            state_->cancel();
            state_ = nullptr;
            next->complete(unexpected{errc::no_executor});
            return future{std::move(next)};
        }
        next->arm(deadline_after(next->where()->now(), limit));
        return passed_on(std::move(next));
    }
    // The same work, seen through another state.
    template <class State>
    future passed_on(detail::intrusive_ptr<State> next) {
        next->set_repeatable(state_->is_repeatable());
        next->follow(std::move(state_));
        return future{std::move(next)};
    }
    template <class F>
    void on_complete_at(executor_ref where, F&& f) {
        // Dropped: the state reports what nobody will see.
        static_cast<void>(attach<void>(std::move(where), detail::handle_step<T, std::decay_t<F>>{std::forward<F>(f)}));
    }
    void require_state() const {
        if (!state_) error{errc::no_state}.raise();
    }

    detail::intrusive_ptr<detail::future_state<T>> state_;
};

static_assert(sizeof(future<int>) == sizeof(void*));

}  // namespace futon
