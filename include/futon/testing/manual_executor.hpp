// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An executor that runs when the test says so, with a clock that the test moves.

#include <futon/core/executor.hpp>
#include <futon/core/log.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/core/work.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

namespace futon {
namespace detail {

class manual_place final : public executor {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    explicit manual_place(unhandled_error_hook hook)
        : executor{make_intrusive<diagnostics>(log_sink{}, log_level::error, std::move(hook))} {}

    std::size_t run_ready(std::size_t most) {
        std::size_t count = 0;
        while (count < most) {
            auto* next = pop();
            if (!next) break;
            ++count;
            running_scope scope{*this};
            next->run(true);
        }
        return count;
    }
    void advance(duration by) {
        run_ready(all);
        const auto target = deadline_after(now(), by);
        for (;;) {
            timer* due = nullptr;
            {
                const std::lock_guard lock{mutex_};
                const auto next = timers_.next_due();
                if (next && *next <= target) {
                    if (*next > now_) now_ = *next;
                    due = timers_.pop_due(target);
                } else {
                    now_ = target;
                }
            }
            if (!due) break;
            {
                running_scope scope{*this};
                due->fire(true);
            }
            run_ready(all);
        }
    }

    [[nodiscard]] std::size_t queued() const noexcept {
        const std::lock_guard lock{mutex_};
        return queued_;
    }
    [[nodiscard]] std::size_t timers() const noexcept {
        const std::lock_guard lock{mutex_};
        return timers_.size();
    }
    void limit_queue(std::size_t most) noexcept {
        const std::lock_guard lock{mutex_};
        most_queued_ = most;
    }
    void close() noexcept {
        work_queue left;
        {
            const std::lock_guard lock{mutex_};
            most_queued_ = 0;
            closed_ = true;
            left = std::move(queue_);
            queued_ = 0;
        }
        while (auto* item = left.pop()) refuse(*item);
        for (;;) {
            timer* left_timer = nullptr;
            {
                const std::lock_guard lock{mutex_};
                left_timer = timers_.pop_any();
            }
            if (!left_timer) return;
            left_timer->fire(false);
        }
    }

    bool post(work& item) noexcept override {
        const std::lock_guard lock{mutex_};
        if (closed_ || queued_ >= most_queued_) return false;
        queue_.push(item);
        ++queued_;
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return true; }
    bool is_serial() const noexcept override { return true; }
    time_point now() const noexcept override {
        const std::lock_guard lock{mutex_};
        return now_;
    }
    bool try_arm(timer& t, time_point due) override {
        const std::lock_guard lock{mutex_};
        if (closed_) return false;
        timers_.add(t, due);
        return true;
    }
    bool disarm(timer& t) noexcept override {
        const std::lock_guard lock{mutex_};
        return timers_.remove(t);
    }

private:
    work* pop() noexcept {
        const std::lock_guard lock{mutex_};
        auto* next = queue_.pop();
        if (next) --queued_;
        return next;
    }

    mutable std::mutex mutex_;
    work_queue queue_;
    std::size_t queued_ = 0;
    std::size_t most_queued_ = all;
    timer_queue timers_;
    time_point now_{};
    bool closed_ = false;
};

}  // namespace detail

namespace testing {

/// An executor that runs its work in `run_ready`, and fires its timers in `advance`.
///
/// Give it where an `executor_ref` is wanted. Blocking for something that only the test can run would hang
/// it, so `get()` on what is not ready fails with `would_deadlock`.
/// Thread-safety: safe; what it runs runs on the thread that calls `run_ready` or `advance`.
/// Lifetime: what is still queued when it ends is refused, and completes with `executor_rejected`.
class manual_executor {
public:
    /// Failures that nobody sees go to `hook`; without one they are only counted.
    explicit manual_executor(unhandled_error_hook hook = [](const error&) {})
        : place_{detail::make_intrusive<detail::manual_place>(std::move(hook))} {}
    manual_executor(const manual_executor&) = delete;
    manual_executor& operator=(const manual_executor&) = delete;
    ~manual_executor() { place_->close(); }

    operator executor_ref() const noexcept { return place_; }
    [[nodiscard]] executor_ref ref() const noexcept { return place_; }

    /// Runs what is queued, and what that queues in turn, up to `most` pieces; returns how many it took.
    std::size_t run_ready(std::size_t most = detail::manual_place::all) { return place_->run_ready(most); }
    /// Moves the clock by `by`; on the way timers fire in order, each followed by what it made ready.
    void advance(duration by) { place_->advance(by); }
    /// The time; it stands still but for `advance`.
    [[nodiscard]] time_point now() const noexcept { return place_->now(); }

    [[nodiscard]] std::size_t queued() const noexcept { return place_->queued(); }
    [[nodiscard]] std::size_t timers() const noexcept { return place_->timers(); }
    /// How many failures nobody saw.
    [[nodiscard]] std::uint64_t unseen_failures() const noexcept { return place_->reports().unhandled_count.load(); }
    /// How many pieces of work were refused.
    [[nodiscard]] std::uint64_t refused() const noexcept { return place_->reports().rejected_count.load(); }

    /// Refuses what would make more than `most` pieces wait.
    void limit_queue(std::size_t most) noexcept { place_->limit_queue(most); }
    /// Refuses everything from now on, also what is queued.
    void close() noexcept { place_->close(); }

private:
    detail::intrusive_ptr<detail::manual_place> place_;
};

}  // namespace testing
}  // namespace futon
