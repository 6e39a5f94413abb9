// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a fleet hears of its connections, and when it has more of them made.

#include <futon/client/detail/fleet_class.hpp>
#include <futon/client/detail/fleet_listing.hpp>
#include <futon/client/detail/lane.hpp>
#include <futon/core/time.hpp>

#include <algorithm>

namespace futon::detail {

inline void fleet::ping(time_point now) {
    watch_.ping(members_.listed(), routes_, now, [](const node& n, time_point since, auto token) {
        if (n.is_held(hold::draining)) return false;
        auto* const over = fleet_members::open_of(n);
        if (over) {
            over->ask_alive(token(), since);
        } else if (n.is_held(hold::ejected) || n.is_held(hold::on_trial)) {
            fleet_members::wake(n);
        }
        return over != nullptr;
    });
    if (!absences_.matter()) return;
    for (const auto& each : routes_.views())
        for (auto* n : each->nodes)
            if (n->is_held(hold::ejected)) absences_.is_out(*n, now);
}

inline bool fleet::wake() noexcept {
    bool hope = is_awaited();
    members_.none_idles();
    // Those that routers leave out, e.g. because they make a subset, need no connection.
    for (const auto& view : routes_.views()) {
        for (const auto* const n : view->nodes) hope = fleet_members::wake(*n) || hope;
    }
    return hope;
}

inline bool fleet::wake(const call& which) noexcept {
    if (which.request.names_provider() && !empty()) {
        const auto* const n = one_for(which);
        return n && fleet_members::wake(*n);
    }
    static_cast<void>(view_of(which));
    const bool hope = wake();
    if (!hope || !which.request.towards || empty()) return hope;
    const auto& view = view_of(which);
    return std::any_of(view->nodes.begin(), view->nodes.end(),
                       [](const node* n) { return fleet_members::has_hope(*n); });
}

inline lane_list fleet::changed(const lane& which, time_point now) {
    if (which.current() == lane::state::idle) members_.one_idles();
    auto* const n = members_.find(which.address());
    if (!n) return {};
    const bool connected = fleet_members::is_connected(*n);
    if (connected && !n->connected()) hurry_beside(*n);
    watch_.connected(*n, connected, now);
    if (connected) {
        absences_.may_be_back(*n, now);
        return {};
    }
    if (absences_.matter() && fleet_members::fails_to_connect(*n)) absences_.is_out(*n, now);
    // Those that the registry does not list any more are used only while they answer, and not for ever.
    auto over = adopt(told_.lost(n->told.address), now);
    if (const auto when = told_.next_wakeup(); when && *when <= now) {
        const auto more = adopt(told_.advance(now), now);
        over.insert(over.end(), more.begin(), more.end());
    }
    return over;
}

inline void fleet::hurry_beside(const node& back) noexcept {
    const auto& all = members_.listed();
    if (std::any_of(all.begin(), all.end(), [](const node* n) { return n->connected(); }))
        return fleet_members::hurry(back);
    for (const auto* n : all) fleet_members::hurry(*n);
}

}  // namespace futon::detail
