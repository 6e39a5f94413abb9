// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The producer's end of an asynchronous result.

#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <atomic>
#include <exception>
#include <mutex>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

/// What a producer does when its result is not wanted any more.
class cancel_hook : public ref_counted, public work, public recycled {
public:
    explicit cancel_hook(executor_ref where) noexcept : where_{std::move(where)} {}

    void fire() noexcept {
        if (fired_.exchange(true, std::memory_order_acq_rel)) return;
        add_ref();
        if (where_) {
            schedule(*where_, *this);
        } else {
            refuse(*this);
        }
    }

protected:
    executor_ref where_;

private:
    std::atomic<bool> fired_{false};
};

template <class F>
class cancel_callable final : public cancel_hook {
public:
    cancel_callable(executor_ref where, F f)
        : cancel_hook{std::move(where)}, context_{current_context()}, f_{std::move(f)} {}
    void run(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<cancel_callable>::adopt(this);
        if (!accepted) return;
        const context_scope scope{context_.get()};
        try {
            std::move(f_)();
        } catch (...) {
            report_unseen(where_, error::from_exception(std::current_exception()));
        }
    }

private:
    context_ptr context_;
    F f_;
};

template <class T>
class promise_state final : public future_state<T> {
public:
    using future_state<T>::future_state;

    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        intrusive_ptr<cancel_hook> unused;
        {
            const std::lock_guard lock{hook_lock_};
            std::swap(unused, hook_);
        }
        this->publish(std::move(with));
        return true;
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        if (this->claimed()) return;
        intrusive_ptr<cancel_hook> hook;
        {
            const std::lock_guard lock{hook_lock_};
            cancelled_ = true;
            hook = hook_;
        }
        future_state<T>::cancel_step(walk);
        if (hook) hook->fire();
    }
    void set_hook(intrusive_ptr<cancel_hook> hook) noexcept {
        bool late = false;
        intrusive_ptr<cancel_hook> before;  // The user's, and not to be destroyed under the lock.
        {
            const std::lock_guard lock{hook_lock_};
            late = cancelled_;
            if (!this->claimed()) before = std::exchange(hook_, hook);
        }
        if (late) hook->fire();
    }

private:
    spin_lock hook_lock_;
    bool cancelled_ = false;
    intrusive_ptr<cancel_hook> hook_;
};

}  // namespace detail

/// Makes one `future<T>` and completes it, from any thread.
///
/// Dropped without an answer, it completes the future with `broken_promise`. After the future was
/// cancelled, answers are dropped without an error.
/// Errors: `set_*` throw `rpc_error` with `already_satisfied` the second time, `no_state` after a move.
/// Thread-safety: one promise is used by one thread at a time; its future by another.
template <class T>
class promise {
public:
    /// `where` is the future's executor; by default the one that this thread is inside of, which may be none.
    explicit promise(executor_ref where = current_executor())
        : state_{detail::make_intrusive<detail::promise_state<T>>(std::move(where))} {}
    promise(promise&& other) noexcept
        : state_{std::move(other.state_)}, taken_{other.taken_}, answered_{other.answered_} {}
    promise& operator=(promise&& other) noexcept {
        promise moved{std::move(other)};
        std::swap(state_, moved.state_);
        std::swap(taken_, moved.taken_);
        std::swap(answered_, moved.answered_);
        return *this;
    }
    ~promise() {
        if (state_ && taken_ && !answered_) state_->fail(error{errc::broken_promise});
    }

    /// Once. Errors: `rpc_error` with `already_satisfied` the second time.
    [[nodiscard]] future<T> get_future() {
        require_state();
        if (std::exchange(taken_, true))
            error{errc::already_satisfied, "the future of this promise was taken before"}.raise();
        return future<T>{state_};
    }

    void set_result(result<T> with) {
        require_state();
        if (std::exchange(answered_, true)) error{errc::already_satisfied}.raise();
        state_->complete(std::move(with));
    }
    template <class... Args>
        requires(std::is_void_v<T> ? sizeof...(Args) == 0 : std::is_constructible_v<T, Args...>)
    void set_value(Args&&... args) {
        if constexpr (std::is_void_v<T>) {
            set_result({});
        } else {
            set_result(result<T>{std::in_place, std::forward<Args>(args)...});
        }
    }
    void set_error(error why) { set_result(unexpected{std::move(why)}); }
    void set_exception(std::exception_ptr thrown) { set_result(unexpected{error::from_exception(std::move(thrown))}); }
    /// False, and nothing happens, if it was answered or cancelled before.
    bool try_set(result<T> with) noexcept {
        if (!state_ || std::exchange(answered_, true)) return false;
        return state_->complete(std::move(with));
    }

    /// Whether the consumer has given up, so that the work can stop.
    [[nodiscard]] bool cancel_requested() const noexcept { return state_ && state_->cancel_requested(); }
    /// Runs `f()` once, on the promise's executor, when the consumer cancels; at once if it has.
    template <class F>
    void on_cancel(F&& f) {
        require_state();
        state_->set_hook(
            detail::make_intrusive<detail::cancel_callable<std::decay_t<F>>>(state_->where(), std::forward<F>(f)));
    }

private:
    void require_state() const {
        if (!state_) error{errc::no_state}.raise();
    }

    detail::intrusive_ptr<detail::promise_state<T>> state_;
    bool taken_ = false;
    bool answered_ = false;
};

}  // namespace futon
