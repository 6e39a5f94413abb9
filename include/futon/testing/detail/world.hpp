// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The places, the queue and the clock of a simulation: what would be threads, run by one.

#include <futon/async/context_executor.hpp>
#include <futon/core/asio.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace futon::detail {

class simulated_place;

/// What it runs, it runs on the thread that calls `run_ready` or `advance`, in the order in which it was queued.
///
/// Thread-safety: safe, though what other threads queue comes when it comes.
class world final : public driver {
public:
    /// Not zero: that stands for "not yet" in places.
    static constexpr time_point start{std::chrono::hours{1}};

    struct options {
        std::optional<std::uint64_t> shuffle{};  // The seed of what runs next, among the first of each place.
        std::size_t most_handlers = std::numeric_limits<std::size_t>::max();
        std::size_t io_threads = 0;  // 0: each connection has one of its own.
        network_ref network{};
        std::shared_ptr<std::atomic<duration::rep>> elapsed{};
    };
    world(options how, intrusive_ptr<diagnostics> reports) : how_{std::move(how)}, reports_{std::move(reports)} {
        if (how_.shuffle) dice_.seed(*how_.shuffle);
    }

    inline io_place next_place() override;
    executor_ref pool() const noexcept override { return pool_; }
    void run_ready_until(const std::function<bool()>& done) noexcept override {
        while (!done() && step()) {
        }
    }
    /// To be called once; the pool refers to this until `close`.
    void open();

    /// Runs what is queued, and what that queues in turn; returns how much it was.
    std::size_t run_ready();
    /// Fires the earliest timer if it is due by `limit`, and moves the clock there.
    bool fire_next(time_point limit);
    void move_clock(time_point to) noexcept {
        const std::lock_guard lock{mutex_};
        set_now_locked(std::max(now_, to));
    }
    /// Refuses all that is queued, now and later.
    void close() noexcept;

    [[nodiscard]] time_point now() const noexcept {
        const std::lock_guard lock{mutex_};
        return now_;
    }
    [[nodiscard]] std::size_t queued() const noexcept {
        const std::lock_guard lock{mutex_};
        return turns_.size();
    }
    [[nodiscard]] std::size_t timers() const noexcept {
        const std::lock_guard lock{mutex_};
        return timers_.size();
    }

private:
    friend class simulated_place;

    bool post(simulated_place& where, work& item) noexcept;
    [[nodiscard]] bool arm(simulated_place& where, timer& t, time_point due);
    bool disarm(timer& t) noexcept;
    // Runs what is first in turn; false if nothing is.
    bool step();
    void set_now_locked(time_point to) noexcept {
        now_ = to;
        if (how_.elapsed) how_.elapsed->store((to - start).count());
    }

    const options how_;
    const intrusive_ptr<diagnostics> reports_;
    io_thread_context context_;  // For coroutines of Asio, which want one.
    executor_ref pool_;
    std::vector<executor_ref> places_;  // The I/O threads, where they are counted.
    std::size_t next_place_ = 0;
    mutable std::mutex mutex_;
    std::deque<intrusive_ptr<simulated_place>> turns_;  // One for each piece of work, in the order of posting.
    timer_heap<simulated_place*> timers_;               // Each with a reference to its place.
    time_point now_ = start;
    std::mt19937_64 dice_;
    bool closed_ = false;
};

/// One I/O thread, or the pool, of a simulation.
class simulated_place final : public executor {
public:
    simulated_place(intrusive_ptr<world> whose, bool serial, std::size_t most_queued)
        : executor{whose->reports_}, world_{std::move(whose)}, serial_{serial}, most_queued_{most_queued} {}

    bool post(work& item) noexcept override { return world_->post(*this, item); }
    // Nothing else will ever do the work.
    bool blocked_by_this_thread() const noexcept override { return true; }
    bool is_serial() const noexcept override { return serial_; }
    void* asio_context() noexcept override { return static_cast<asio::execution_context*>(&world_->context_); }
    time_point now() const noexcept override { return world_->now(); }
    bool try_arm(timer& t, time_point due) override { return world_->arm(*this, t, due); }
    bool disarm(timer& t) noexcept override { return world_->disarm(t); }

private:
    friend class world;
    const intrusive_ptr<world> world_;
    const bool serial_;
    const std::size_t most_queued_;
    work_queue queue_;  // Guarded by the world, as is the next.
    std::size_t queued_ = 0;
};

inline void world::open() {
    pool_ = make_intrusive<simulated_place>(intrusive_ptr<world>{this}, false, how_.most_handlers);
}

inline io_place world::next_place() {
    const std::lock_guard lock{mutex_};
    executor_ref made;
    if (places_.size() < std::max<std::size_t>(how_.io_threads, 1) || how_.io_threads == 0) {
        made =
            make_intrusive<simulated_place>(intrusive_ptr<world>{this}, true, std::numeric_limits<std::size_t>::max());
        if (how_.io_threads > 0 && !closed_) places_.push_back(made);
    } else {
        made = places_[next_place_++ % places_.size()];
    }
    return {made, asio::any_io_executor{context_executor{made, nullptr}}, how_.network, false};
}

inline bool world::post(simulated_place& where, work& item) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_ || where.queued_ >= where.most_queued_) return false;
    try {
        turns_.emplace_back(&where);
    } catch (...) {
        return false;
    }
    where.queue_.push(item);
    ++where.queued_;
    return true;
}

inline bool world::arm(simulated_place& where, timer& t, time_point due) {
    intrusive_ptr<simulated_place> before;  // Perhaps its last reference: let go of without the lock.
    const std::lock_guard lock{mutex_};
    if (closed_) return false;
    if (const auto* const armed = timers_.find(t)) before = intrusive_ptr<simulated_place>::adopt(armed->owner);
    timers_.add(t, due, &where);
    where.add_ref();
    return true;
}

inline bool world::disarm(timer& t) noexcept {
    intrusive_ptr<simulated_place> gone;  // As above.
    const std::lock_guard lock{mutex_};
    const auto armed = timers_.take(t);
    if (armed) gone = intrusive_ptr<simulated_place>::adopt(armed->owner);
    return armed.has_value();
}

inline bool world::step() {
    intrusive_ptr<simulated_place> place;
    work_queue batch;
    {
        const std::lock_guard lock{mutex_};
        if (turns_.empty()) return false;
        const auto turn = turns_.begin() + static_cast<std::ptrdiff_t>(how_.shuffle ? dice_() % turns_.size() : 0);
        place = *turn;
        const auto take = [&](auto at) {
            batch.push(*place->queue_.pop());
            --place->queued_;
            turns_.erase(at);
        };
        take(turn);
        // An I/O thread takes what there is, so that what it writes leaves together.
        while (!how_.shuffle && place->serial_ && !turns_.empty() && turns_.front() == place) take(turns_.begin());
    }
    const running_scope scope{*place};
    while (auto* const next = batch.pop()) next->run(true);
    return true;
}

inline std::size_t world::run_ready() {
    std::size_t count = 0;
    for (;;) {
        while (step()) ++count;
        // What coroutines of Asio have left there.
        context_.restart();
        const auto polled = context_.poll();
        if (polled == 0 && queued() == 0) return count;
        count += polled;
    }
}

inline bool world::fire_next(time_point limit) {
    std::optional<timer_heap<simulated_place*>::entry> first;
    {
        const std::lock_guard lock{mutex_};
        if (timers_.empty() || timers_.first().due > limit) return false;
        first = timers_.take(*timers_.first().which);
        set_now_locked(std::max(now_, first->due));
    }
    const auto where = intrusive_ptr<simulated_place>::adopt(first->owner);
    const running_scope scope{*where};
    first->which->fire(true);
    return true;
}

inline void world::close() noexcept {
    {
        const std::lock_guard lock{mutex_};
        closed_ = true;
    }
    for (;;) {
        intrusive_ptr<simulated_place> place;
        work* next = nullptr;
        std::optional<timer_heap<simulated_place*>::entry> left;
        {
            const std::lock_guard lock{mutex_};
            if (!turns_.empty()) {
                place = std::move(turns_.front());
                turns_.pop_front();
                next = place->queue_.pop();
                --place->queued_;
            } else if (!timers_.empty()) {
                left = timers_.take(*timers_.first().which);
            } else {
                break;
            }
        }
        if (next) {
            refuse(*next);
        } else {
            place = intrusive_ptr<simulated_place>::adopt(left->owner);
            left->which->fire(false);
        }
    }
    context_.destroy_handlers();
    pool_ = nullptr;
    places_.clear();
}

}  // namespace futon::detail
