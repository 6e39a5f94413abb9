// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a channel's calls find a connection that is ready, wait until one is, or fail.

#include <futon/client/detail/channel_class.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace futon::detail {

inline void channel::submit(intrusive_ptr<call> which) noexcept {
    which->wants_times = books_.has_hook();
    if (hedging_.may_concern(*which) && hedging_.submit(which)) [[unlikely]]
        return;
    if (auto* const ready = begin_quickly(*which)) [[likely]]
        return ready->begin(std::move(which));
    route(std::move(which), true);
}

inline connection* channel::begin_quickly(call& which) noexcept {
    if (!inside(*home_.where)) return nullptr;
    auto* const ready = mutex_.offered();
    // Not where it may be cancelled from elsewhere before it is on its way: that is looked for with the lock held.
    if (!ready || ready->is_starved() || ready->has_inbox() || which.is_followed() || which.filters || which.streams ||
        which.request.towards)
        return nullptr;
    attempts_.begun_quickly();
    which.turn = calls();
    which.at = intrusive_ptr<carrier>{ready};
    ++which.attempts;
    return ready;
}

inline void channel::route(intrusive_ptr<call> which, bool is_new) noexcept {
    if (which->cancel_requested.load())
        return complete(std::move(which), error{errc::cancelled, "the caller cancelled the call", executed::no});
    auto to = find_way(which, is_new);
    if (to.ready) [[likely]]
        return to.ready->submit(std::move(which));
    if (to.behind) return move_waiting({.provider = to.provider});
    if (to.closed) return complete(std::move(which), *std::move(to.closed));
}

inline channel::way channel::find_way(const intrusive_ptr<call>& which, bool is_new) noexcept {
    const std::lock_guard lock{mutex_};
    if (is_new) {
        locked_calls_.store(locked_calls_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        which->turn = calls();
        if (auto why = fleet_.turns_away(which->started)) [[unlikely]]
            return {.closed = std::move(why)};
    }
    const bool may_pass = !closed_ && waiting_.empty() && !moving_;
    if (may_pass && is_new) [[likely]]
        if (auto* const ready = begin_locked(*which, which->started)) {
            if (fleet_.takes_fast_path(*which) && &ready->where() == home_.where.get()) mutex_.offer(*ready);
            return {ready};
        }
    return find_way_locked(which, is_new);
}

channel::way channel::find_way_locked(const intrusive_ptr<call>& which, bool is_new) {
    if (closed_) return {.closed = error{errc::client_closed, "the client was closed", executed::no}};
    if (is_new)
        if (auto behind = goes_behind_locked(which); behind.behind) return behind;
    if (auto* const ready = begin_locked(*which, now())) return {ready};
    if (!fleet_.wake(*which) && !which->request.wait_for_ready) return {.closed = fleet_.why_not(which.get())};
    if (auto queued = enqueue_locked(which); !queued) return {.closed = std::move(queued).error()};
    return {};
}

inline connection* channel::begin_locked(call& which, time_point now) noexcept {
    auto* const ready = fleet_.begin(which, now, attempts_);
    if (ready) [[likely]]
        begun_locked(which, *ready);
    return ready;
}

inline void channel::begun_locked(call& which, connection& on) noexcept {
    which.at = intrusive_ptr<carrier>{&on};
    if (which.attempts++ == 0) attempts_.begun();
    if (fleet_.wants_idle_probes()) [[unlikely]]
        pings_.plan();
}

inline channel::way channel::goes_behind_locked(const intrusive_ptr<call>& which) {
    if (!moving_ && waiting_.empty()) return {};
    if (!which->request.wait_for_ready && !fleet_.wake(*which)) return {};
    const auto queued = enqueue_locked(which);
    if (!queued) return {};
    return {.behind = true, .provider = *queued};
}

inline result<std::uint64_t> channel::enqueue_locked(const intrusive_ptr<call>& which) {
    if (which->cancel_requested.load()) return error{errc::cancelled, "the caller cancelled the call", executed::no};
    if (!waiting_.has_room(*which, options_->limits))
        return error{errc::overloaded,
                     "the client's queue is full: " + std::to_string(waiting_.size()) +
                         " calls wait for a connection (limits.max_queued_calls, limits.max_queued_bytes)",
                     executed::no};
    std::uint64_t provider = 0;
    try {
        provider = waiting_.push(which);
    } catch (const std::bad_alloc&) {
        return error{errc::resource_exhausted, "out of memory for a call that waits", executed::no};
    }
    if (which->request.deadline >= alarm_for_ || arm_locked(which->request.deadline)) return provider;
    static_cast<void>(waiting_.take(*which));
    return error{errc::client_closed, "the client's executor has ended", executed::no};
}

// False: its executor has ended, or there is no memory.
inline bool channel::arm_locked(time_point due) noexcept {
    // One that fires just now has a reference of its own.
    if (alarm_for_ == no_deadline || !home_.where->disarm(*this)) add_ref();
    alarm_for_ = due;
    if (will_fire(*home_.where, *this, due)) return true;
    alarm_for_ = no_deadline;
    release();
    return false;
}

inline void channel::move_waiting(waiting_calls::part these) noexcept {
    using look = waiting_calls::look;
    std::unique_lock lock{mutex_};
    to_move_.add(these);
    if (std::exchange(moving_, true)) return;
    while (const auto of = to_move_.take()) {
        // Where one call finds no connection, others of its route find none either, and where it may go anywhere, none
        // do but those that name their provider.
        std::shared_ptr<const futon::route> blocked;
        for (const auto at = now(); !waiting_.empty();) {
            connection* picked = nullptr;
            auto next = waiting_.take_first(*of, [&](call& each) {
                const auto& towards = each.request.towards;
                if (blocked && towards == blocked) return look::pass;
                if ((picked = begin_locked(each, at))) return look::take;
                blocked = towards;
                return towards ? look::pass : look::stop;
            });
            if (!next) break;
            lock.unlock();
            picked->submit(std::move(next));
            lock.lock();
        }
        for (auto hopeless = take_hopeless_locked(*of); auto each = hopeless.pop();) {
            auto why = fleet_.why_not(each.get());
            lock.unlock();
            complete(std::move(each), std::move(why));
            lock.lock();
        }
    }
    moving_ = false;
}

inline waiting_calls::list channel::take_hopeless_locked(waiting_calls::part these) noexcept {
    if (waiting_.empty()) return {};
    // To wake them all is a walk over them all.
    const bool hope = (!these.all && !waiting_.has_free()) || fleet_.wake();
    if (hope && !waiting_.has_routes()) return {};
    return waiting_.take_if(these, [&](const call& each) {
        if (each.request.names_provider()) return !fleet_.wake(each) && !each.request.wait_for_ready;
        return !each.request.wait_for_ready && (!hope || (each.request.towards && !fleet_.wake(each)));
    });
}

inline void channel::fire(bool due) noexcept {
    const auto self = intrusive_ptr<channel>::adopt(this);
    waiting_calls::list expired;
    waiting_calls::list left;
    std::string why;
    {
        const std::lock_guard lock{mutex_};
        // Where it was armed again meanwhile, that is part of this one.
        if (home_.where->disarm(*this)) release();
        alarm_for_ = no_deadline;
        expired = due ? waiting_.take_expired(now()) : waiting_.take_all();
        if (!expired.empty() && (!fleet_.empty() || !fleet_.is_told())) why = fleet_.why_not(expired.first()).message();
        if (const auto next = waiting_.earliest_deadline(); next != no_deadline && !arm_locked(next))
            left = waiting_.take_all();
    }
    const error ended{errc::client_closed, "the client's executor has ended", executed::no};
    const auto over =
        due ? error{errc::deadline_exceeded,
                    "no connection took the call in time" + (why.empty() ? "" : "; last: " + why), executed::no}
            : ended;
    while (auto each = expired.pop()) complete(std::move(each), over);
    while (auto each = left.pop()) complete(std::move(each), ended);
}

inline result<void> channel::send_oneway(intrusive_ptr<call> made) noexcept {
    made->request.oneway = true;
    if (const auto size = made->request.arguments.size(), most = options_->limits.max_body_bytes; size > most)
        return error{
            errc::message_too_big,
            "bytes of arguments (limits.max_body_bytes): " + std::to_string(size) + ", limit " + std::to_string(most),
            executed::no}
            .with_where(made->request.method->full_name());
    auto to = find_way(made, true);
    if (to.closed) {
        books_.failed();
        return to.closed->where().empty() ? to.closed->with_where(made->request.method->full_name())
                                          : *std::move(to.closed);
    }
    if (to.ready) {
        to.ready->submit(std::move(made));
    } else if (to.behind) {
        move_waiting({.provider = to.provider});
    }
    return {};
}

}  // namespace futon::detail
