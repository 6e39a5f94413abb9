// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An executor over one Asio executor that runs one thing at a time: an I/O thread's, or a strand.

#include <futon/core/asio.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/this_process.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace futon::detail {

/// Whether this thread runs the executor, or what it is a strand of.
template <class AsioExecutor>
[[nodiscard]] bool runs_in_this_thread(const AsioExecutor& where) noexcept {
    if constexpr (requires { where.get_inner_executor(); }) {
        return where.running_in_this_thread() || runs_in_this_thread(where.get_inner_executor());
    } else if constexpr (requires { where.running_in_this_thread(); }) {
        return where.running_in_this_thread();
    } else {
        return false;
    }
}

/// One queue with one wake-up per batch, and one Asio timer armed for the earliest of all timers.
///
/// `AsioExecutor` must not run two functions at once: a strand, or an `io_context` with one thread.
template <class AsioExecutor>
class asio_serial_executor final : public executor {
public:
    /// `context` keeps the execution context alive as long as this executor; null where the user does.
    asio_serial_executor(AsioExecutor inner, intrusive_ptr<diagnostics> reports,
                         std::shared_ptr<void> context = nullptr)
        : executor{std::move(reports)}, context_{std::move(context)}, inner_{std::move(inner)} {}

    [[nodiscard]] const AsioExecutor& inner() const noexcept { return inner_; }

    bool post(work& item) noexcept override {
        bool wake = false;
        {
            const std::lock_guard lock{mutex_};
            if (closed_) return false;
            queue_.push(item);
            wake = !std::exchange(awake_, true);
        }
        if (wake) post_drain();
        return true;
    }

    bool blocked_by_this_thread() const noexcept override {
        return inside(*this) || runs_in_this_thread(inner_) || is_left_behind();
    }
    // A lent context is its owner's to run on, after Asio's notify_fork.
    bool is_left_behind() const noexcept override { return context_ && process_ != this_process(); }
    bool may_stand_still() const noexcept override { return !context_; }
    bool is_serial() const noexcept override { return true; }
    rough_time rough_now() const noexcept override { return detail::rough_now(); }
    void* asio_context() noexcept override { return &asio::query(inner_, asio::execution::context); }

    bool try_arm(timer& t, time_point due) override {
        bool earlier = false;
        {
            const std::lock_guard lock{mutex_};
            if (timers_ended_) return false;
            timers_.add(t, due);
            earlier = timers_.next_due() < armed_for_;
        }
        if (!earlier) return true;
        if (inside(*this)) {
            rearm();
        } else {
            wake_up();
        }
        return true;
    }

    bool disarm(timer& t) noexcept override {
        bool silence = false;
        {
            const std::lock_guard lock{mutex_};
            if (!timers_.remove(t)) return false;
            silence = !context_ && armed_for_ != no_deadline && !timers_.next_due();
        }
        // An alarm that nothing needs would keep the user's context from running dry.
        if (silence) wake_up();
        return true;
    }

    /// How often it began to run what was queued; nothing while something is queued or run. Thread-safety: safe.
    [[nodiscard]] std::optional<std::uint64_t> turns_at_rest() const noexcept {
        const std::lock_guard lock{mutex_};
        return awake_ ? std::nullopt : std::optional{turns_};
    }
    /// Ends the timers, and refuses new ones; work still runs. Must run inside `inner`.
    void end_timers() noexcept {
        {
            const std::lock_guard lock{mutex_};
            timers_ended_ = true;
            armed_for_ = no_deadline;
        }
        alarm_.reset();
        running_scope scope{*this};
        fire_all();
    }
    /// Runs what is queued, ends the timers, and refuses new work. Must run inside `inner`.
    void close() noexcept {
        work_queue batch;
        {
            const std::lock_guard lock{mutex_};
            closed_ = timers_ended_ = true;
            armed_for_ = no_deadline;
            batch = std::move(queue_);
        }
        alarm_.reset();
        running_scope scope{*this};
        while (auto* item = batch.pop()) item->run(true);
        fire_all();
    }

private:
    // Keeps the executor alive while Asio holds it; destroyed unrun when the io_context ends first.
    class drain_handler {
    public:
        explicit drain_handler(intrusive_ptr<asio_serial_executor> owner) noexcept : owner_{std::move(owner)} {}
        drain_handler(drain_handler&&) = default;
        drain_handler& operator=(drain_handler&&) = delete;
        ~drain_handler() {
            if (owner_) owner_->abandon();
        }
        void operator()() { std::exchange(owner_, nullptr)->drain(); }

    private:
        intrusive_ptr<asio_serial_executor> owner_;
    };

    class alarm_handler {
    public:
        alarm_handler(intrusive_ptr<asio_serial_executor> owner, time_point due) noexcept
            : owner_{std::move(owner)}, due_{due} {}
        alarm_handler(alarm_handler&&) = default;
        alarm_handler& operator=(alarm_handler&&) = delete;
        ~alarm_handler() {
            if (owner_) owner_->abandon();
        }
        void operator()(const std::error_code& code) {
            const auto owner = std::exchange(owner_, nullptr);
            if (!code) owner->ring(due_);
        }

    private:
        intrusive_ptr<asio_serial_executor> owner_;
        time_point due_;
    };

    void post_drain() noexcept {
        try {
            asio::post(inner_, drain_handler{intrusive_ptr<asio_serial_executor>{this}});
        } catch (...) {
            // The handler was destroyed unrun and has completed what was queued.
        }
    }

    // An alarm that is set from elsewhere, perhaps while a drain is past that point already.
    void wake_up() noexcept {
        {
            const std::lock_guard lock{mutex_};
            must_rearm_ = true;
            if (std::exchange(awake_, true)) return;
        }
        post_drain();
    }

    void drain() noexcept {
        work_queue batch;
        {
            const std::lock_guard lock{mutex_};
            batch = std::move(queue_);
            must_rearm_ = false;
            ++turns_;
        }
        {
            running_scope scope{*this};
            while (auto* item = batch.pop()) item->run(true);
        }
        rearm();
        {
            const std::lock_guard lock{mutex_};
            if (queue_.empty() && !must_rearm_) {
                awake_ = false;
                return;
            }
        }
        post_drain();
    }

    void abandon() noexcept {
        work_queue batch;
        {
            const std::lock_guard lock{mutex_};
            closed_ = timers_ended_ = true;
            batch = std::move(queue_);
        }
        while (auto* item = batch.pop()) refuse(*item);
        fire_all();
    }

    // Without the lock held while a timer runs, since it may arm or disarm others.
    void fire_all() noexcept {
        for (;;) {
            timer* t = nullptr;
            {
                const std::lock_guard lock{mutex_};
                t = timers_.pop_any();
            }
            if (!t) return;
            t->fire(false);
        }
    }

    // Arms the alarm for the earliest timer if it is not already armed for that or an earlier time.
    void rearm() noexcept {
        time_point due = no_deadline;
        {
            const std::lock_guard lock{mutex_};
            if (timers_ended_) return;
            due = timers_.next_due().value_or(no_deadline);
            const bool silence = !context_ && due == no_deadline;
            if (due >= armed_for_ && !(silence && armed_for_ != no_deadline)) return;
            armed_for_ = due;
        }
        try {
            if (due == no_deadline) {
                if (alarm_) alarm_->cancel();
                return;
            }
            if (!alarm_) alarm_.emplace(inner_);
            alarm_->expires_at(due);
            alarm_->async_wait(alarm_handler{intrusive_ptr<asio_serial_executor>{this}, due});
        } catch (...) {
            const std::lock_guard lock{mutex_};
            armed_for_ = no_deadline;
        }
    }

    void ring(time_point armed) noexcept {
        {
            running_scope scope{*this};
            {
                const std::lock_guard lock{mutex_};
                if (armed_for_ == armed) armed_for_ = no_deadline;
            }
            const auto reached = now();
            for (;;) {
                timer* t = nullptr;
                {
                    const std::lock_guard lock{mutex_};
                    t = timers_.pop_due(reached);
                }
                if (!t) break;
                t->fire(true);
            }
        }
        rearm();
    }

    std::shared_ptr<void> context_;
    const std::uint32_t process_ = this_process();
    AsioExecutor inner_;
    mutable std::mutex mutex_;
    work_queue queue_;
    timer_queue timers_;
    time_point armed_for_ = no_deadline;  // When the alarm rings.
    bool awake_ = false;                  // A drain is posted or running.
    bool must_rearm_ = false;             // A timer came that the alarm is not yet set for.
    bool timers_ended_ = false;
    bool closed_ = false;  // Then the timers have ended, too.
    std::uint64_t turns_ = 0;
    // With the executor as it is: to make an any_io_executor of it would cost the compiler more than all the rest here.
    // Touched only inside `inner_`.
    std::optional<asio::basic_waitable_timer<clock, asio::wait_traits<clock>, AsioExecutor>> alarm_;
};

}  // namespace futon::detail
