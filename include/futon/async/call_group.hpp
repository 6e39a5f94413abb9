// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Work that belongs to a scope: waited for together, cancelled together, never forgotten.

#include <futon/async/detail/group_state.hpp>
#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace futon {

struct call_group_options {
    /// Where `spawn` and `join` run things; null: the executor that the thread is inside of.
    executor_ref where{};
    /// What becomes of the others when one fails.
    on_failure policy = on_failure::cancel_rest;
};

/// Any number of futures that come and go, and end together.
///
///     futon::call_group calls;
///     for (auto& each : peers) calls.add(each.notify(news));
///     co_await calls.join();
///
/// Values are dropped; take them in a stage of what you add. The first failure is what `join` gives; by default it
/// cancels the others, and whatever is added later. A failure that nobody joins for goes to the unhandled-error hook.
/// The destructor cancels what is left and does not wait: join first where the work uses what lives in the scope. A
/// moved-from one can be assigned to and destroyed, no more.
/// Thread-safety: safe but for moving and destroying.
/// Cost: one block, and one for each future that is under way.
class call_group {
public:
    call_group() : call_group{call_group_options{}} {}
    explicit call_group(call_group_options options)
        : state_{detail::make_intrusive<detail::group_state>(
              options.where ? std::move(options.where) : current_executor(), options.policy)} {}
    call_group(call_group&&) noexcept = default;
    call_group& operator=(call_group&& other) noexcept {
        call_group moved{std::move(other)};
        std::swap(state_, moved.state_);
        return *this;
    }
    ~call_group() { cancel(); }

    /// Takes a future in; cancels it where the group was cancelled before. An empty one fails with `no_state`.
    template <class T>
    void add(future<T> one) {
        state_->add(std::move(one));
    }
    /// Begins a coroutine on the group's executor.
    template <class Coroutine>
        requires(detail::flattening<std::decay_t<Coroutine>>::kind == detail::nesting::coroutine)
    void spawn(Coroutine work) {
        state_->add(detail::begun(state_->where(), std::move(work)));
    }
    /// Runs `f()` on the group's executor; it may return what a stage may, and lives until that has ended.
    template <class F>
        requires std::is_invocable_v<std::decay_t<F>&>
    void spawn(F&& f) {
        state_->add(async(state_->where(), std::forward<F>(f)));
    }

    /// When all that was added has ended, and what is added meanwhile: success, or the first failure.
    ///
    /// After a success the group can be used again. Cancelling the future cancels the group; dropping it does not.
    /// Errors: `cancelled` where the group was; `already_satisfied` while an earlier `join` waits.
    [[nodiscard]] future<void> join() { return future<void>{state_->join()}; }
    /// Cancels all, now and later.
    void cancel() noexcept {
        if (state_) state_->cancel();
    }
    /// How many have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return state_ ? state_->count() : 0; }

private:
    detail::intrusive_ptr<detail::group_state> state_;
};

}  // namespace futon
