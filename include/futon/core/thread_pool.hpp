// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The bounded pool that runs handlers which may block.

#include <futon/core/executor.hpp>
#include <futon/core/this_process.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace futon::detail {

/// Up to `most_threads` threads, started as work arrives; at most `most_queued` pieces wait beside those that they run.
///
/// A full queue refuses, it never blocks. Timers are those of an I/O executor.
class thread_pool final : public executor {
public:
    thread_pool(std::size_t most_threads, std::size_t most_queued, executor_ref timers)
        : executor{timers->shared_reports()},
          context_{timers->asio_context()},
          timers_{std::move(timers)},
          most_threads_{most_threads},
          most_queued_{most_queued} {}

    bool post(work& item) noexcept override {
        if (is_left_behind()) return false;
        std::unique_lock lock{mutex_};
        // A thread that is still on its way to what it will run counts as free: a burst is not refused for that.
        const auto held = queued_ + busy_;
        if (closing_ || (held >= most_threads_ && held - most_threads_ >= most_queued_)) return false;
        if (idle_ <= queued_ && threads_.size() < most_threads_) {
            try {
                threads_.emplace_back([this] { serve(); });
            } catch (...) {
                if (threads_.empty()) return false;
            }
        }
        queue_.push(item);
        ++queued_;
        wake_another(lock);
        return true;
    }

    bool blocked_by_this_thread() const noexcept override { return is_left_behind(); }
    void* asio_context() noexcept override { return context_; }
    bool try_arm(timer& t, time_point due) override {
        const auto where = timers();
        return where && where->try_arm(t, due);
    }
    bool disarm(timer& t) noexcept override {
        const auto where = timers();
        return where && where->disarm(t);
    }

    /// Waits until nothing is queued or runs, or, since what queues itself again never ends, until what is queued now
    /// has begun and something else, too.
    void wait_for_rest() noexcept {
        std::unique_lock lock{mutex_};
        const auto enough = begun_ + queued_;
        ++waiting_for_rest_;
        ended_.wait(lock, [&] { return at_rest() || begun_ > enough; });
        --waiting_for_rest_;
    }
    /// How much has begun to run; nothing while something is queued or runs.
    [[nodiscard]] std::optional<std::uint64_t> begun_at_rest() const noexcept {
        const std::lock_guard lock{mutex_};
        return at_rest() ? std::optional{begun_} : std::nullopt;
    }
    /// Refuses new work, runs what is queued, and waits for the threads. Not on a thread of this pool.
    void close() noexcept {
        if (is_left_behind()) return leave_threads();
        std::vector<std::thread> ending;
        {
            const std::lock_guard lock{mutex_};
            closing_ = true;
            ending.swap(threads_);
            wake_.notify_all();
        }
        for (auto& thread : ending) thread.join();
    }
    /// The same without waiting, for whoever must not. The threads end by themselves, perhaps after the context that
    /// the timers are on: so the pool lets go of these here and now, and what it still runs can arm none.
    void close_and_leave() noexcept {
        executor_ref unneeded;
        std::vector<std::thread> ending;
        {
            const std::lock_guard lock{mutex_};
            closing_ = true;
            left_ = true;
            ending.swap(threads_);
            for (std::size_t i = 0; i < ending.size(); ++i) add_ref();  // Each releases its own.
            unneeded = std::move(timers_);
            wake_.notify_all();
        }
        for (auto& thread : ending) thread.detach();
    }
    ~thread_pool() override { close(); }
    bool is_left_behind() const noexcept override { return process_ != this_process(); }

    [[nodiscard]] std::size_t queued() const noexcept {
        if (is_left_behind()) return 0;
        const std::lock_guard lock{mutex_};
        return queued_;
    }

private:
    // They are the parent's: here there is nothing to wait for, and a std::thread cannot just be destroyed.
    void leave_threads() noexcept {
        static_cast<void>(new (std::nothrow) std::vector<std::thread>{std::move(threads_)});
    }
    [[nodiscard]] bool at_rest() const noexcept { return queued_ == 0 && busy_ == 0; }
    // One thread at a time is on its way; it wakes the next before it runs what it took, which may block. So a
    // batch of short work wakes one or two threads, not all.
    void wake_another(std::unique_lock<std::mutex>& lock) noexcept {
        const bool needed = !coming_ && idle_ > 0 && queued_ > 0;
        if (needed) coming_ = true;
        lock.unlock();
        if (needed) wake_.notify_one();
    }
    void serve() noexcept {
        std::unique_lock lock{mutex_};
        for (;;) {
            if (auto* item = queue_.pop()) {
                --queued_;
                ++busy_;
                ++begun_;
                wake_another(lock);
                {
                    running_scope scope{*this};
                    item->run(true);
                }
                lock.lock();
                --busy_;
                if (waiting_for_rest_ > 0) ended_.notify_all();
                continue;
            }
            if (closing_) {
                const bool left = left_;
                lock.unlock();
                if (left) release();
                return;
            }
            ++idle_;
            wake_.wait(lock);
            --idle_;
            coming_ = false;
        }
    }

    [[nodiscard]] executor_ref timers() const noexcept {
        if (is_left_behind()) return {};
        const std::lock_guard lock{mutex_};
        return timers_;
    }

    void* const context_;  // Of the timers. What runs on the pool and asks for it has kept it alive.
    executor_ref timers_;  // Null once the pool is left.
    const std::size_t most_threads_;
    const std::size_t most_queued_;
    const std::uint32_t process_ = this_process();
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable ended_;  // Some piece of work, while somebody waits for rest.
    work_queue queue_;
    std::size_t queued_ = 0;
    std::size_t busy_ = 0;  // Threads that run something.
    std::size_t idle_ = 0;  // Threads that wait for something.
    std::size_t waiting_for_rest_ = 0;
    std::uint64_t begun_ = 0;
    bool coming_ = false;  // An idle thread was woken and is not here yet.
    bool closing_ = false;
    bool left_ = false;  // Nobody joins the threads: each holds a reference.
    std::vector<std::thread> threads_;
};

}  // namespace futon::detail
