// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Has a channel's providers asked how they are when it is time to: the timer of `fleet::ping` and `fleet::probe_idle`.

#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/routing_mutex.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace futon::detail {

/// Shares its channel's lock, and what that guards. Lifetime: while its timer is armed it keeps the channel alive.
class provider_pings final : private timer {
public:
    /// `home` has the timer.
    provider_pings(call_router& channel, routing_mutex& mutex, fleet& providers, executor_ref home)
        : channel_{channel}, mutex_{mutex}, fleet_{providers}, home_{std::move(home)} {}

    // With the lock held.

    /// After anything that may have changed when somebody is to be asked next.
    void plan() noexcept {
        const auto due = std::min(fleet_.next_ping().value_or(no_deadline), fleet_.next_idle_probe());
        if (due >= armed_for_) return;
        // One that fires just now has a reference of its own.
        if (armed_for_ == no_deadline || !home_->disarm(*this)) channel_.add_ref();
        armed_for_ = due;
        if (will_fire(*home_, *this, due)) return;
        armed_for_ = no_deadline;
        channel_.release();
    }
    void close() noexcept {
        if (armed_for_ != no_deadline && home_->disarm(*this)) channel_.release();
        armed_for_ = no_deadline;
        closed_ = true;
    }

private:
    void fire(bool due) noexcept override {
        const auto alive = intrusive_ptr<call_router>::adopt(&channel_);
        const std::lock_guard lock{mutex_};
        // Where it was armed again meanwhile, that is part of this one.
        if (home_->disarm(*this)) channel_.release();
        armed_for_ = no_deadline;
        if (!due || closed_) return;
        const auto now = home_->now();
        if (const auto ping = fleet_.next_ping(); ping && *ping <= now) fleet_.ping(now);
        fleet_.probe_idle(now);
        plan();
    }

    call_router& channel_;
    routing_mutex& mutex_;
    fleet& fleet_;
    const executor_ref home_;
    time_point armed_for_ = no_deadline;
    bool closed_ = false;
};

}  // namespace futon::detail
