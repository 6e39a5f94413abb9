// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Coroutines: `task<T>` is work that has not begun; `spawn` begins it and gives its future.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/task_root.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/async/stream_fwd.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon {

template <class T = void>
class task;

namespace detail {

template <class T>
class task_awaiter;
template <class T>
class spawned_task;

template <class T>
class task_promise_result : public task_promise_base {
public:
    template <class U = T>
        requires std::is_constructible_v<result<T>, U>
    void return_value(U&& value) {
        outcome_.emplace(std::forward<U>(value));
    }
    void unhandled_exception() noexcept {
        outcome_.emplace(unexpected{error::from_exception(std::current_exception(), executed::yes)});
    }
    result<T> take() noexcept { return std::move(*outcome_); }

private:
    std::optional<result<T>> outcome_;
};
template <>
class task_promise_result<void> : public task_promise_base {
public:
    void return_void() noexcept {}
    void unhandled_exception() noexcept {
        outcome_ = unexpected{error::from_exception(std::current_exception(), executed::yes)};
    }
    result<void> take() noexcept { return std::move(outcome_); }

private:
    result<void> outcome_;
};

/// An error as a value from `co_await no_throw(...)`.
template <class Awaited>
struct no_throw_awaited {
    Awaited what;
    explicit no_throw_awaited(Awaited&& awaited) noexcept : what{std::move(awaited)} {}
};

template <class T>
class task_promise final : public task_promise_result<T> {
public:
    task<T> get_return_object() noexcept;

    template <class V>
    future_awaiter<V, true> await_transform(future<V>&& awaited) noexcept {
        return future_awaiter<V, true>{future_access::take(awaited)};
    }
    template <class V>
    future_awaiter<V, false> await_transform(no_throw_awaited<future<V>>&& awaited) noexcept {
        return future_awaiter<V, false>{future_access::take(awaited.what)};
    }
    template <class V>
    task_awaiter<V> await_transform(task<V>&& awaited) noexcept {
        return task_awaiter<V>{std::move(awaited)};
    }
    /// What says itself how it is awaited, e.g. a `shared_future`.
    template <class X>
        requires requires(X&& x) { std::forward<X>(x).awaiter(); }
    auto await_transform(X&& other) {
        return std::forward<X>(other).awaiter();
    }
    template <class V>
    __attribute__((unavailable("futon: this uses the future up: write co_await std::move(f)"))) future_awaiter<V, true>
    await_transform(future<V>&) noexcept;
    template <class V>
    __attribute__((unavailable("futon: this uses the task up: write co_await std::move(t)"))) task_awaiter<V>
    await_transform(task<V>&) noexcept;
    template <class V, class R>
    __attribute__((unavailable("futon: a stream is not one answer: co_await its next(), or its result()")))
    future_awaiter<V, true>
    await_transform(const stream<V, R>&) noexcept;
    // Coroutines of other kinds are started where the task runs, and awaited as futures.
    template <class X>
        requires(flattening<X>::kind == nesting::coroutine)
    auto await_transform(X&& other) {
        return await_transform(flattening<X>::start(this->root->place(), std::move(other)));
    }
};

}  // namespace detail

/// A coroutine that yields a `T`; it begins when it is awaited, spawned, or returned by a handler or stage.
///
/// Inside, `co_await` takes a future, a task or an `asio::awaitable` and yields its value or throws;
/// `co_await no_throw(f)` yields the `result`. `co_return` takes a value, an `error`, an `errc` or a `result`.
/// It always runs on the executor that it was spawned on, in the context of whoever spawned it. When its
/// future is cancelled, what it awaits is cancelled, and each further await throws `cancelled`.
///
/// With g++ 12, name aggregates and capturing lambdas before the expression with `co_await`: it destroys such
/// temporaries twice.
/// Lifetime: a coroutine does not keep a lambda that it was made from; `spawn` the call of a named one, or
/// return it from a stage, which keeps it.
template <class T>
class [[nodiscard]] task {
public:
    using value_type = T;
    using promise_type = detail::task_promise<T>;

    task() = default;
    task(task&& other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
    task& operator=(task&& other) noexcept {
        task moved{std::move(other)};
        std::swap(frame_, moved.frame_);
        return *this;
    }
    ~task() {
        if (frame_) frame_.destroy();
    }
    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(frame_); }

private:
    friend class detail::task_promise<T>;
    friend class detail::task_awaiter<T>;
    friend class detail::spawned_task<T>;
    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}

    std::coroutine_handle<promise_type> frame_;
};

/// `co_await futon::no_throw(std::move(f))` in a task yields the `result<T>` of a future.
template <class T>
[[nodiscard]] detail::no_throw_awaited<future<T>> no_throw(future<T>&& awaited) noexcept {
    return detail::no_throw_awaited<future<T>>{std::move(awaited)};
}

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
    return task<T>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

template <class T>
class task_awaiter {
public:
    explicit task_awaiter(task<T> child) noexcept : child_{std::move(child)} {}

    bool await_ready() const noexcept { return !child_.valid(); }
    template <class Promise>
    [[gnu::noinline]] void await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        auto& promise = child_.frame_.promise();
        promise.root = parent.promise().root;
        promise.parent = parent;
        promise.root->runner->next = child_.frame_;
    }
    T await_resume() {
        if (!child_.valid()) error{errc::no_state}.raise();
        return child_.frame_.promise().take().value();
    }

private:
    task<T> child_;
};

/// The block behind the future of a spawned task. One await at a time, so its own link serves for all of them.
template <class T>
class spawned_task final : public future_state<T>, public task_root {
public:
    spawned_task(executor_ref where, task<T> what) noexcept
        : future_state<T>{std::move(where)}, context_{current_context()}, work_{std::move(what)} {
        work_.frame_.promise().root = this;
        resumes_ = work_.frame_;
    }
    void start() noexcept {
        this->add_ref();
        schedule(static_cast<operation&>(*this));
    }

    [[nodiscard]] bool is_cancelled() const noexcept override {
        return this->cancel_requested() || (context_ && context_->stop_requested());
    }
    [[nodiscard]] const executor_ref& place() const noexcept override { return this->where_; }

protected:
    void deliver(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<spawned_task>::adopt(this);
        static_cast<void>(this->release_source());
        if (!accepted) {
            work_ = {};
            context_ = nullptr;
            this->complete(unexpected{refused_by(this->where_, nullptr)});
            return;
        }
        task_runner here{.next = resumes_};
        {
            const context_scope scope{context_.get()};
            runner = &here;
            // Whatever is suspended when there is no next may run on another thread already.
            while (auto next = std::exchange(here.next, nullptr)) next.resume();
        }
        if (!here.finished) return;
        auto got = work_.frame_.promise().take();
        work_ = {};
        context_ = nullptr;
        this->complete(std::move(got));
    }
    // Runs, or waits for its turn; the next await looks at the request.
    void give_up() noexcept override {}

private:
    bool begin_await(intrusive_ptr<cancellable> awaited) noexcept override {
        this->add_ref();
        return this->replace_source(std::move(awaited));
    }
    operation& as_operation() noexcept override { return *this; }

    context_ptr context_;
    task<T> work_;
};

}  // namespace detail

/// Begins `work` on `where`, never inside this call.
///
/// Errors: `no_executor` where that is null, `executor_rejected` where it refuses: the coroutine is then destroyed.
template <class T>
future<T> spawn(executor_ref where, task<T> work) {
    if (!work.valid()) {
        auto state = detail::make_intrusive<detail::future_state<T>>(std::move(where));
        state->complete(unexpected{errc::no_state});
        return future<T>{std::move(state)};
    }
    auto state = detail::make_intrusive<detail::spawned_task<T>>(std::move(where), std::move(work));
    state->start();
    return future<T>{std::move(state)};
}
/// On the executor that this thread is inside of.
template <class T>
future<T> spawn(task<T> work) {
    return spawn(current_executor(), std::move(work));
}

template <class T>
struct detail::flattening<task<T>> {
    using value = T;
    static constexpr nesting kind = nesting::coroutine;
    static future<T> start(const executor_ref& where, task<T> work) { return spawn(where, std::move(work)); }
};

}  // namespace futon
