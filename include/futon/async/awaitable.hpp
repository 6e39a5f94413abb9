// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Coroutines of Asio on futon's executors: `asio::awaitable<T>` as a `future<T>`.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/asio.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>

#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

/// `where` for a coroutine of Asio: one thing at a time even on a pool, so that a cancel can be delivered safely.
/// A template, of `asio::any_io_executor` alone, so that only programs with such coroutines compile it; so is the next.
template <class AnyExecutor>
[[nodiscard]] AnyExecutor coroutine_executor(const executor_ref& where, context_ptr context);

/// A coroutine of Asio under way: delivers a cancel where the coroutine runs.
template <class AnyExecutor>
class running_awaitable final : public cancellable, public recycled {
public:
    explicit running_awaitable(AnyExecutor where) noexcept : where_{std::move(where)} {}

    void cancel() noexcept override;
    [[nodiscard]] asio::cancellation_slot slot() noexcept { return signal_.slot(); }

private:
    AnyExecutor where_;
    asio::cancellation_signal signal_;
};

/// Lets go of the coroutine's executor, and of the request's context in it, when the coroutine has ended.
template <class T>
class awaitable_state final : public future_state<T> {
public:
    using future_state<T>::future_state;
    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        const auto ended = this->release_source();
        this->publish(std::move(with));
        return true;
    }
};

/// Completes the future's state when the coroutine ends, also if it is destroyed before its end.
template <class T>
class awaitable_ending {
public:
    explicit awaitable_ending(intrusive_ptr<future_state<T>> state) noexcept : state_{std::move(state)} {}
    awaitable_ending(awaitable_ending&&) noexcept = default;
    awaitable_ending& operator=(awaitable_ending&&) = delete;
    ~awaitable_ending() {
        if (state_) state_->fail(error{errc::executor_rejected, "the executor of the coroutine ended before it"});
    }
    void complete(result<T> with) noexcept { std::exchange(state_, nullptr)->complete(std::move(with)); }

private:
    intrusive_ptr<future_state<T>> state_;
};

template <class T, class Executor>
asio::awaitable<void, Executor> run_to_ending(asio::awaitable<T, Executor> work, awaitable_ending<T> ending) {
    result<T> got{unexpected{errc::internal}};
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(work);
            got = result<void>{};
        } else {
            got = result<T>{std::in_place, co_await std::move(work)};
        }
    } catch (const std::system_error& e) {
        // What Asio's operations throw when they are cancelled.
        if (e.code() == asio::error::operation_aborted) {
            got = unexpected{errc::cancelled};
        } else {
            got = unexpected{error::from_exception(std::current_exception(), executed::yes)};
        }
    } catch (...) {
        got = unexpected{error::from_exception(std::current_exception(), executed::yes)};
    }
    // The coroutine's frame, and what it refers to, goes before anybody learns that it has ended.
    { const auto ended = std::move(work); }
    ending.complete(std::move(got));
}

}  // namespace detail

/// Begins a coroutine of Asio on `where`; cancelling the future cancels it (terminal).
///
/// It sees the context of whoever spawned it, on every thread that resumes it. Where it ends because one of its
/// operations was aborted, the future fails with `cancelled`.
/// Errors: `no_executor` where `where` is null or has no Asio context to make timers and sockets on.
template <class T, class Executor>
future<T> spawn(executor_ref where, asio::awaitable<T, Executor> work) {
    static_assert(std::is_convertible_v<asio::any_io_executor, Executor>,
                  "futon: coroutines on futon's executors are asio::awaitable<T> with the default executor type");
    auto state = detail::make_intrusive<detail::awaitable_state<T>>(where);
    if (!where || !where->asio_context()) {
        state->fail(
            error{errc::no_executor, "an asio::awaitable needs an executor with an Asio context", executed::no});
        return future<T>{std::move(state)};
    }
    const auto place = detail::coroutine_executor<asio::any_io_executor>(where, current_context());
    auto running = detail::make_intrusive<detail::running_awaitable<asio::any_io_executor>>(place);
    state->attach_source(running);
    asio::co_spawn(place, detail::run_to_ending<T, Executor>(std::move(work), detail::awaitable_ending<T>{state}),
                   asio::bind_cancellation_slot(running->slot(), [running](std::exception_ptr) {}));
    return future<T>{std::move(state)};
}

template <class T, class Executor>
struct detail::flattening<asio::awaitable<T, Executor>> {
    using value = T;
    static constexpr nesting kind = nesting::coroutine;
    static future<T> start(const executor_ref& where, asio::awaitable<T, Executor> work) {
        return spawn(where, std::move(work));
    }
};

}  // namespace futon

#if defined(FUTON_COMPILED)
extern template class futon::detail::running_awaitable<asio::any_io_executor>;
#else
#include <futon/async/detail/awaitable_bodies.hpp>
#endif
