// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs a task on the calling thread until it has ended.

#include <futon/async/detail/may_block.hpp>
#include <futon/async/future.hpp>
#include <futon/async/task.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/log.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/core/work.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace futon {
namespace detail {

/// The calling thread as an executor, for as long as it waits; refuses everything afterwards.
class waiting_executor final : public executor {
public:
    waiting_executor() : executor{make_intrusive<diagnostics>()} {}

    bool post(work& item) noexcept override {
        const std::lock_guard lock{mutex_};
        if (closed_) return false;
        queue_.push(item);
        wake_.notify_one();
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return inside(*this); }
    bool is_serial() const noexcept override { return true; }
    bool try_arm(timer& t, time_point due) override {
        const std::lock_guard lock{mutex_};
        if (closed_) return false;
        timers_.add(t, due);
        wake_.notify_one();
        return true;
    }
    bool disarm(timer& t) noexcept override {
        const std::lock_guard lock{mutex_};
        return timers_.remove(t);
    }

    /// Runs what comes in until `done()`, which is asked after each piece; gives up with the error of `may_wait()`,
    /// which is asked before this thread sleeps.
    template <class Done, class MayWait>
    [[nodiscard]] result<void> run_until(Done done, MayWait may_wait) noexcept {
        result<void> allowed;
        bool asked = false;
        std::unique_lock lock{mutex_};
        while (!done()) {
            auto* item = queue_.pop();
            auto* due = item ? nullptr : timers_.pop_due(now());
            if (item || due) {
                lock.unlock();
                {
                    running_scope scope{*this};
                    item ? item->run(true) : due->fire(true);
                }
                lock.lock();
                asked = false;
            } else if (!std::exchange(asked, true)) {
                lock.unlock();
                allowed = may_wait();
                lock.lock();
                if (!allowed) break;
            } else if (const auto next = timers_.next_due()) {
                wake_.wait_until(lock, *next);
            } else {
                wake_.wait(lock);
            }
        }
        closed_ = true;
        auto left = std::move(queue_);
        lock.unlock();
        while (auto* item = left.pop()) refuse(*item);
        for (;;) {
            lock.lock();
            auto* unfired = timers_.pop_any();
            lock.unlock();
            if (!unfired) return allowed;
            unfired->fire(false);
        }
    }
    void wake_up() noexcept {
        const std::lock_guard lock{mutex_};
        wake_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    work_queue queue_;
    timer_queue timers_;
    bool closed_ = false;
};

}  // namespace detail

/// Runs `work` here, and blocks until it has ended; throws what `future::get` would.
///
/// For `main`, and for tests without a simulation: what the task
/// starts runs on this thread too, unless it says otherwise.
/// Errors: `would_deadlock` where this thread must not block, see `blocking_allowed`; also as soon as the task waits
/// for what only this thread could run, e.g. in a simulation. The task is then cancelled.
template <class T>
T sync_wait(task<T> work) {
    if (!detail::this_thread().may_block && detail::blocking_holds_up_work())
        error{errc::would_deadlock,
              "sync_wait would hold up the executor that this thread runs: co_await the task, or spawn it",
              executed::no}
            .raise();
    const auto here = detail::make_intrusive<detail::waiting_executor>();
    auto result_of = spawn(here, std::move(work));
    const auto ended = here->run_until([&] { return result_of.is_ready(); },
                                       [&] { return detail::may_block_for(*detail::future_access::state(result_of)); });
    if (!ended) {
        result_of.cancel();
        std::move(result_of).ignore();
        ended.error().raise();
    }
    return std::move(result_of).get();
}

}  // namespace futon
