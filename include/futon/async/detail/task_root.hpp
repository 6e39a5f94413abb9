// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the coroutines of one running task share, and how one of them waits for a future.

#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
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

namespace futon::detail {

// Resumes one coroutine after another on a flat stack. Where g++ 12 has no symmetric transfer (everywhere but at
// -O2 without sanitizers), a loop that awaits what is ready at once would overflow the stack.
struct task_runner {
    std::coroutine_handle<> next;  // Set by what suspends in favour of another coroutine of the same root.
    bool finished = false;         // The outermost coroutine has ended.
};

/// The part of a running task that its coroutines see, whatever it yields.
class task_root {
public:
    task_runner* runner = nullptr;  // Of the thread that runs it now.

    /// Suspends until `awaited` is ready. Afterwards, and perhaps before it returns, another thread runs the task.
    template <class V>
    void await(std::coroutine_handle<> from, intrusive_ptr<future_state<V>> awaited) noexcept {
        resumes_ = from;
        auto& state = *awaited;
        const auto keep = awaited;
        const bool cancelled = begin_await(std::move(awaited));
        state.attach(as_operation(), told::scheduled);
        if (cancelled) keep->cancel();
    }
    /// Whether the next await is to fail: the task was cancelled, or the request that it works for was.
    [[nodiscard]] virtual bool is_cancelled() const noexcept = 0;
    [[nodiscard]] virtual const executor_ref& place() const noexcept = 0;

protected:
    ~task_root() = default;
    std::coroutine_handle<> resumes_;

private:
    virtual bool begin_await(intrusive_ptr<cancellable> awaited) noexcept = 0;
    virtual operation& as_operation() noexcept = 0;
};

class task_promise_base {
public:
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_block(memory, size); }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        // Not inlined: clang 16 may write to the frame after it is suspended.
        template <class Promise>
        [[gnu::noinline]] void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            task_promise_base& promise = ended.promise();
            if (promise.parent) {
                promise.root->runner->next = promise.parent;
            } else {
                promise.root->runner->finished = true;
            }
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    task_root* root = nullptr;
    std::coroutine_handle<> parent;  // Awaits this one; null for the outermost.
};

/// Awaits a future in a task; `Throws` decides whether it yields the value or the result.
template <class T, bool Throws>
class future_awaiter {
public:
    explicit future_awaiter(intrusive_ptr<future_state<T>> state) noexcept : state_{std::move(state)} {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    [[gnu::noinline]] bool await_suspend(std::coroutine_handle<Promise> from) noexcept {
        static_assert(std::is_base_of_v<task_promise_base, Promise>,
                      "futon: a future is awaited in a futon::task; in an asio::awaitable write co_await "
                      "f(futon::use_awaitable)");
        task_root& root = *from.promise().root;
        if (!state_) return false;
        if (root.is_cancelled()) {
            // Its end is waited for, as that of what was awaited before the cancel: it may use what stands here.
            state_->cancel();
            cancelled_ = true;
        }
        if (state_->is_ready()) return false;
        root.await(from, state_);
        return true;
    }
    std::conditional_t<Throws, T, result<T>> await_resume() {
        const auto state = std::move(state_);
        result<T> got = !state       ? result<T>{unexpected{errc::no_state}}
                        : cancelled_ ? result<T>{unexpected{errc::cancelled}}
                                     : state->take();
        if constexpr (Throws) {
            return std::move(got).value();
        } else {
            return got;
        }
    }

private:
    intrusive_ptr<future_state<T>> state_;
    bool cancelled_ = false;
};

}  // namespace futon::detail
