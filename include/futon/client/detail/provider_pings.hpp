// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Has a channel's providers pinged when it is time to: the timer of `fleet::ping`.

#include <futon/client/detail/fleet.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/message/call.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

/// Shares its channel's lock, and what that guards. Lifetime: while its timer is armed it keeps the channel alive.
class provider_pings final : private timer {
public:
    /// `home` has the timer.
    provider_pings(call_router& channel, std::mutex& mutex, fleet& providers, executor_ref home)
        : channel_{channel}, mutex_{mutex}, fleet_{providers}, home_{std::move(home)} {}

    // With the lock held.

    /// After anything that may have changed when the next ping is due.
    void plan() noexcept {
        const auto due = fleet_.next_ping();
        if (!due || *due >= armed_for_) return;
        if (armed_for_ == no_deadline) channel_.add_ref();
        armed_for_ = *due;
        home_->arm(*this, armed_for_);
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
        static_cast<void>(home_->disarm(*this));
        armed_for_ = no_deadline;
        if (!due || closed_) return;
        fleet_.ping(home_->now());
        plan();
    }

    call_router& channel_;
    std::mutex& mutex_;
    fleet& fleet_;
    const executor_ref home_;
    time_point armed_for_ = no_deadline;
    bool closed_ = false;
};

}  // namespace futon::detail
