// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that pause before they are tried again.

#include <futon/client/detail/routing_mutex.hpp>
#include <futon/client/detail/waiting_calls.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/message/call.hpp>

#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

namespace futon::detail {

/// What the pauses tell the channel that they belong to. Never called with its lock held.
class pause_owner {
public:
    /// The time has come, or, not `due`, never will: the executor has ended.
    virtual void pause_over(intrusive_ptr<call> which, bool due) noexcept = 0;

protected:
    ~pause_owner() = default;
};

/// Shares its channel's lock. Lifetime: a pause keeps the channel alive.
class pausing_calls {
public:
    /// `home` has the timers.
    pausing_calls(call_router& channel, pause_owner& owner, routing_mutex& mutex, executor_ref home)
        : channel_{channel}, owner_{owner}, mutex_{mutex}, home_{std::move(home)} {}

    /// Without the lock. False: `may_pause()`, asked with the lock held, said no, or there is no memory; the call is
    /// still the caller's.
    template <class Ask>
    [[nodiscard]] bool begin(intrusive_ptr<call>& which, duration pause, Ask may_pause) noexcept {
        retry_later* later = nullptr;
        try {
            auto made = std::make_unique<retry_later>(*this, which);
            const std::lock_guard lock{mutex_};
            if (!may_pause(*which)) return false;
            pausing_.emplace(which.get(), made.get());
            which = nullptr;
            later = made.release();
        } catch (const std::bad_alloc&) {
            return false;
        }
        if (!will_fire(*home_, *later, home_->now() + pause)) later->fire(false);
        return true;
    }

    // With the lock held.

    /// Takes a call out of its pause; null if it is in none.
    [[nodiscard]] intrusive_ptr<call> take(const call& which) noexcept {
        const auto found = pausing_.find(&which);
        if (found == pausing_.end()) return nullptr;
        auto* const later = found->second;
        auto taken = std::move(later->which);
        pausing_.erase(found);
        // A timer that is not armed yet, or fires now, finds nothing to do.
        if (home_->disarm(*later)) delete later;
        return taken;
    }
    void take_all(waiting_calls::list& to) noexcept {
        while (!pausing_.empty()) to.push(take(*pausing_.begin()->first));
    }
    template <class See>
    void for_each(See see) const {
        for (const auto& [each, unused] : pausing_) see(*each);
    }

private:
    struct retry_later final : public timer, public recycled {
        retry_later(pausing_calls& all, intrusive_ptr<call> again)
            : which{std::move(again)}, channel_{&all.channel_}, all_{all} {}
        void fire(bool due) noexcept override {
            const std::unique_ptr<retry_later> self{this};
            {
                const std::lock_guard lock{all_.mutex_};
                if (!which) return;  // Cancelled, or the client was closed.
                all_.pausing_.erase(which.get());
            }
            all_.owner_.pause_over(std::move(which), due);
        }

        intrusive_ptr<call> which;  // Null if somebody else completes it. Guarded by the lock.

    private:
        const intrusive_ptr<call_router> channel_;
        pausing_calls& all_;
    };

    call_router& channel_;
    pause_owner& owner_;
    routing_mutex& mutex_;
    const executor_ref home_;
    std::unordered_map<const call*, retry_later*> pausing_;
};

}  // namespace futon::detail
