// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a channel hears of its lanes, and does about it.

#include <futon/client/detail/channel_class.hpp>
#include <futon/message/call.hpp>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace futon::detail {

inline intrusive_ptr<lane> channel::make_lane(const endpoint& to, bool first) {
    return make_intrusive<lane>(intrusive_ptr<any_channel>{this}, *this, mutex_, to,
                                first ? home_ : runtime_->next_place());
}

inline void channel::lane_changed(lane& which) noexcept {
    ready_waiters::list waiters;
    lane_list leaving;
    {
        const std::lock_guard lock{mutex_};
        if (closed_) return;
        leaving = fleet_.changed(which, now());
        pings_.plan();
        if (!ready_waiters_.empty() && fleet_.any_ready()) waiters = ready_waiters_.take_all();
    }
    lanes_left(leaving);
    ready_waiters::tell(waiters, {});
    // Calls that wait for those that are left have nothing to wait for.
    move_waiting(leaving.empty() ? waiting_calls::part{.provider = which.provider()}
                                 : waiting_calls::part{.all = true});
}

inline void channel::lane_told_load(lane& which, const load_report& report) noexcept {
    const std::lock_guard lock{mutex_};
    fleet_.took_report(which, report, now());
}

inline void channel::lane_alive(lane& which, std::uint64_t token, time_point when) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    fleet_.alive(which, token, when);
    pings_.plan();
}

inline bool channel::lane_has_room(lane& which, connection& where) noexcept {
    using look = waiting_calls::look;
    for (;;) {
        intrusive_ptr<call> next;
        {
            const std::lock_guard lock{mutex_};
            auto* const machine = where.session();
            if (waiting_.empty()) {
                which.not_full();
                return false;
            }
            if (!machine || where.has_inbox()) return true;
            bool full = false;
            next = waiting_.take_first({.provider = which.provider()}, [&](call& each) {
                if (!machine->may_start(each.request)) return full = true, look::stop;
                return fleet_.begin_on(each, which, where.batch_time()) ? look::take : look::pass;
            });
            if (!next) {
                if (!full) which.not_full();
                return full;
            }
            begun_locked(*next, where);
        }
        where.begin(std::move(next));
    }
}

// To another connection that has room, else into the queue.
inline void channel::lane_parks(intrusive_ptr<call> which) noexcept {
    {
        const std::lock_guard lock{mutex_};
        fleet_.undone(*which, now());
        which->at = nullptr;
        --which->attempts;
        if (auto* const hedge = hedge_of(*which);
            hedge && hedge->leaves_it_to_others(*which, error{errc::overloaded, executed::no}, now()))
            return;
    }
    route(std::move(which));
}

inline void channel::lane_lost_oneways(lane& which, std::uint64_t count, const error& why) noexcept {
    books_.failed(count);
    auto said = why;
    say_where(said, [&] { return which.address().text(); });
    runtime_->reports().unhandled(said);
}

inline void channel::lane_counted(const session_stats& counters) noexcept {
    const std::lock_guard lock{mutex_};
    past_ += counters;
    past_.in_flight_sent = past_.in_flight_received = 0;
}

inline void channel::lanes_left(const lane_list& leaving) noexcept {
    if (leaving.empty()) return;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& each : leaving) past_connects_ += each->connects();
    }
    for (const auto& each : leaving)
        each->retire(error{errc::unavailable, "the endpoint is no longer listed", executed::no});
}

inline void channel::providers_changed() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) pings_.plan();
    }
    move_waiting({.all = true});
}

}  // namespace futon::detail
