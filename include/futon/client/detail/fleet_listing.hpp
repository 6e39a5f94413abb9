// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a fleet makes of the registry's word.

#include <futon/client/detail/fleet_class.hpp>
#include <futon/client/detail/lane.hpp>
#include <futon/core/error.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

inline result<std::vector<endpoint>> fleet::providers(const call& which) {
    std::vector<endpoint> all;
    const auto& view = view_of(which);
    for (const auto takes : {true, false}) {
        for (const auto* n : view->nodes)
            if (!n->is_held(hold::draining) && (!takes || !n->is_held(hold::drained))) all.push_back(n->told.address);
        if (!all.empty()) break;
    }
    if (all.empty()) return why_not(&which);
    std::sort(all.begin(), all.end(), [](const endpoint& a, const endpoint& b) { return a.text() < b.text(); });
    return all;
}

inline error fleet::why_not(const call* which) {
    if (empty()) {
        if (why_not_told_)
            return {errc::no_provider, "no provider of " + expected_ + " is known: " + why_not_told_->message(),
                    executed::no};
        if (!expected_.empty())
            return {errc::no_provider,
                    told_.is_told() ? "nobody has registered " + expected_ +
                                          "; version and unique id must be the same in stub() and provide()"
                                    : "no provider of " + expected_ + " is known yet",
                    executed::no};
        return {errc::no_provider,
                "no endpoint is known: give the client one; server.addresses() is empty until start()", executed::no};
    }
    const bool routed = which && which->request.towards;
    const auto* const only = routed && which->request.names_provider() ? one_for(*which) : nullptr;
    const auto& towards = routed ? *which->request.towards : anywhere_;
    if (!only && routes_.find(towards, members_.table())->nodes.empty()) {
        const auto none = routes_.routers().why_none(towards, members_.listed());
        if (!none.empty()) return {errc::no_provider, "no provider comes into question: " + none, executed::no};
    }
    std::string text;
    auto code = errc::connect_failed;
    const auto add = [&](const node& n) {
        for (const auto& each : fleet_members::lanes_of(n)) {
            const auto& why = each->last_error();
            if (why == errc::unsupported_protocol || why == errc::bad_address || why == errc::protocol_error)
                code = errc_of(why);
            if (text.size() < 512) text += (text.empty() ? "" : "; ") + why.message();
        }
    };
    if (only) {
        add(*only);
    } else {
        for (const auto* n : members_.listed()) add(*n);
    }
    return {code, std::move(text), executed::no};
}

template <class Make>
lane_list fleet::adopt(const provider_changes& changes, time_point now, const Make& make) {
    const bool first = members_.table().version() == 0;
    lane_list dropped;
    for (const auto& address : changes.removed) members_.remove(address, now, dropped);
    for (const auto& each : changes.added)
        watch_.added(members_.add(*each, std::max<std::size_t>(1, rules_.connections_per_endpoint), now, make), first);
    for (const auto& each : changes.changed) members_.update(*each, now);
    watch_.list_changed(now, !changes.changed.empty());
    // Large sets are brought up to date as calls need them, and all at once only where much is to be freed.
    if (members_.size() <= 1000 || to_be_freed_ > members_.size() / 10) routes_.refresh_all(members_.table());
    to_be_freed_ = members_.collect(routes_.oldest_version(), [&](node& n) {
        watch_.removed(n);
        absences_.removed(n);
    });
    members_.retired(dropped);
    choose_fast_path();
    return dropped;
}

inline lane_list fleet::adopt(const provider_changes& losses, time_point now) {
    if (losses.empty()) return {};
    return adopt(losses, now, [](const endpoint&) { return intrusive_ptr<lane>{}; });
}

inline void fleet::choose_fast_path() noexcept {
    only_ = nullptr;
    if (!plain_ || !rules_.plain || members_.size() != 1) return;
    const auto& all = fleet_members::lanes_of(*members_.listed().front());
    if (all.size() == 1) only_ = all.front().get();
}

inline fleet_counts fleet::counts() const {
    fleet_counts all;
    for (const auto* n : members_.listed()) all.ejected += n->is_held(hold::ejected);
    all.usable = fleet_watch::usable_of(members_.listed());
    all.listed = members_.size();
    all.suspects = told_.suspects();
    return all;
}

}  // namespace futon::detail
