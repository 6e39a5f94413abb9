// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one path of a client's calls: to a connection that is ready, into the queue until one is, or back
/// with an error that says why; and again, where a failed attempt may be repeated.

#include <futon/client/detail/channel_class.hpp>
#include <futon/client/detail/channel_endings.hpp>
#include <futon/client/detail/channel_lanes.hpp>
#include <futon/client/detail/channel_routing.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

inline const service_info& channel::open(const std::string& key,
                                         std::vector<method_info> (*make)(const std::string& key)) {
    std::unique_lock lock{mutex_};
    const auto& opened = services_.open(key, make);
    lock.unlock();
    hedging_.look_at(opened, options_->hedge);
    return opened;
}

inline void channel::when_ready(ready_waiters::waiter waiter) {
    bool closed = false;
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) {
            static_cast<void>(fleet_.wake_any());
            if (!fleet_.any_ready()) ready_waiters_.add(std::exchange(waiter, nullptr));
        }
        closed = closed_;
    }
    if (!waiter) return;
    ready_waiters::tell(
        {std::move(waiter)},
        closed ? result<void>{error{errc::client_closed, "the client was closed", executed::no}} : result<void>{});
}

inline error channel::why_not_connected() {
    const std::lock_guard lock{mutex_};
    return fleet_.why_not();
}

inline void channel::inspect(const intrusive_ptr<pending_list>& list) const {
    std::vector<intrusive_ptr<connection>> open;
    {
        const std::lock_guard lock{mutex_};
        waiting_.for_each([&](const call& each) { list->add(each, pending_call::state::queued, {}); });
        pausing_.for_each([&](const call& each) { list->add(each, pending_call::state::pausing, {}); });
        for (const auto& each : fleet_.with_retired()) {
            const auto its = each->connections();
            open.insert(open.end(), its.begin(), its.end());
        }
    }
    for (const auto& each : open)
        each->inspect(
            [list, peer = each->peer()](const call& which) { list->add(which, pending_call::state::sent, peer); });
}

inline client_stats channel::stats() const noexcept {
    client_stats sum;
    books_.add_to(sum);
    sum.threads = runtime_->reports().counted();
    const std::lock_guard lock{mutex_};
    sum.calls = calls();
    sum.queued = waiting_.size();
    sum.retries_refused = attempts_.refused();
    hedging_.add_to(sum);
    const auto counts = fleet_.counts();
    sum.providers = counts.listed;
    sum.usable_providers = counts.usable;
    sum.ejected_providers = counts.ejected;
    sum.suspect_providers = counts.suspects;
    sum.ignored_settings = rules_.ignored();
    sum.connects = past_connects_;
    sum.wire = past_;
    for (const auto& each : fleet_.lanes()) {
        sum.connections += each->current() == lane::state::ready ? 1u : 0u;
        sum.connects += each->connects();
        sum.wire += each->stats();
    }
    return sum;
}

inline void channel::close() noexcept {
    waiting_calls::list waiting;
    lane_list leaving;
    ready_waiters::list waiters;
    feed_.end();
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(closed_, true)) return;
        hedging_.close();
        feed_.close();
        pings_.close();
        waiting = waiting_.take_all();
        leaving = fleet_.take_all();
        waiters = ready_waiters_.take_all();
        pausing_.take_all(waiting);
        if (alarm_for_ != no_deadline && home_.where->disarm(*this)) release();
        alarm_for_ = no_deadline;
    }
    const error why{errc::client_closed, "the client was closed", executed::no};
    ready_waiters::tell(waiters, why);
    closing_.request_stop();
    feed_.settle_lists();
    while (auto each = waiting.pop()) complete(std::move(each), why);
    for (const auto& each : leaving) each->close(why.with_executed(executed::maybe));
}

}  // namespace futon::detail
