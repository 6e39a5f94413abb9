// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A channel's ear at its registry.

#include <futon/cluster/registry.hpp>
#include <futon/cluster/subscription.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/retry.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <random>
#include <string>
#include <utility>

namespace futon::detail {

/// A registry may throw where it is asked: the listener hears of that, once, and the registry is asked again.
///
/// Thread-safety: safe. Its lock may be taken again by a listener that is called inside `begin` or `refresh`.
/// Lifetime: while its timer is armed it keeps `channel` alive.
class supply final : private timer {
public:
    /// `home` has the timer, `pauses` are those between attempts.
    supply(call_router& channel, executor_ref home, const reconnect_backoff& pauses, std::uint64_t seed)
        : channel_{channel},
          home_{std::move(home)},
          pauses_{pauses},
          dice_{static_cast<std::minstd_rand::result_type>(seed)} {}

    /// Nothing, once it has ended.
    void begin(any_registry where, const std::string& service, provider_listener listener) {
        const std::lock_guard lock{mutex_};
        if (ended_) return;
        registry_ = std::move(where);
        service_ = service;
        listener_ = std::move(listener);
        subscribe_locked();
    }
    /// Asks for the whole list again, after a step was missed.
    void refresh() {
        const std::lock_guard lock{mutex_};
        if (!subscription_) return;
        try {
            if (subscription_.refresh()) return;
        } catch (...) {
            return failed_locked(error::from_exception(std::current_exception(), executed::no));
        }
        subscribe_locked();
    }
    /// For good.
    void end() noexcept {
        subscription ended;
        provider_listener unheard;
        any_registry left;
        {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            disarm_locked();
            ended = std::move(subscription_);
            unheard = std::exchange(listener_, nullptr);
            left = std::exchange(registry_, any_registry{});
        }
    }

private:
    void subscribe_locked() {
        auto from = registry_;
        disarm_locked();
        try {
            auto made = from.subscribe(service_, listener_);
            failures_ = 0;
            // The listener may have ended this.
            if (!ended_) subscription_ = std::move(made);
        } catch (...) {
            failed_locked(error::from_exception(std::current_exception(), executed::no));
        }
    }
    void failed_locked(const error& why) {
        if (ended_) return;
        const auto pause = pauses_.pause_after(++failures_, std::uniform_real_distribution<double>{0.0, 1.0}(dice_));
        disarm_locked();
        channel_.add_ref();
        armed_ = will_fire(*home_, *this, home_->now() + std::max<duration>(pause, std::chrono::milliseconds{1}));
        if (!armed_) channel_.release();
        if (failures_ != 1) return;
        const auto tell = listener_;
        tell(error{why.code(), registry_.text() + " threw when '" + service_ + "' was asked for: " + why.message(),
                   executed::no});
    }
    void disarm_locked() noexcept {
        if (std::exchange(armed_, false) && home_->disarm(*this)) channel_.release();
    }
    void fire(bool due) noexcept override {
        const auto alive = intrusive_ptr<call_router>::adopt(&channel_);
        const std::lock_guard lock{mutex_};
        // Where it is armed no more, somebody has asked meanwhile.
        if (!due || ended_ || !std::exchange(armed_, false)) return;
        subscribe_locked();
    }

    call_router& channel_;
    const executor_ref home_;
    const reconnect_backoff pauses_;
    std::recursive_mutex mutex_;  // Guards what follows.
    std::minstd_rand dice_;
    int failures_ = 0;  // In a row.
    bool armed_ = false;
    any_registry registry_;
    std::string service_;
    provider_listener listener_;
    subscription subscription_;
    bool ended_ = false;
};

}  // namespace futon::detail
