// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a fleet chooses the provider of a call, and what it makes of the call's end.

#include <futon/client/detail/fleet_class.hpp>
#include <futon/client/detail/fleet_lanes.hpp>
#include <futon/client/detail/hedges.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/core/error.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace futon::detail {

inline const std::shared_ptr<cluster_view>& fleet::current_view(const call& which, time_point now) {
    watch_.look(members_.listed(), routes_, now);
    if (absences_.are_due(now)) [[unlikely]]
        look_for_absent(now);
    if (members_.any_idle()) static_cast<void>(wake());
    return view_of(which, now);
}

inline void fleet::look_for_absent(time_point now) {
    if (!absences_.advance(now)) return;
    members_.touch();
    routes_.refresh_all(members_.table());
    watch_.list_changed(now, false);
    static_cast<void>(wake());
}

inline fleet::choice fleet::pick(cluster_view& view, const call& which, pick_context& how) {
    const auto& trace = which.attempt;
    // Behind the nodes that this call has tried, those whose connections are full. Not set past the count.
    std::array<node*, attempt_trace::most_tried + 3> avoid;
    std::size_t avoided = trace.tried_count;
    for (std::size_t i = 0; i < avoided; ++i) avoid[i] = static_cast<node*>(trace.tried[i]);
    while (avoided < avoid.size()) {
        how.tried = {avoid.data(), avoided};
        auto* const picked = view.policy.pick(view.nodes, how);
        if (!picked) break;
        if (auto* const ready = fleet_members::ready_of(*picked)) {
            how.tried = {};
            return {picked, ready};
        }
        avoid[avoided++] = picked;
        if (picked == how.trial) how.trial = nullptr;
    }
    how.tried = {};
    return {};
}

node* fleet::trial_of(const call& which, const cluster_view& view, time_point now, attempts& repeats) {
    const auto& asked = which.request;
    // A key has a node of its own.
    if (which.attempts > 0 || asked.oneway || which.streams || asked.hash_key != 0) return nullptr;
    return watch_.trials().next(view.nodes, now, [&](executed ran) {
        return repeats.would_repeat(retry_of(which, repeats.policy()), ran, asked.method->idempotent, now,
                                    asked.deadline);
    });
}

// Who is ejected, or how many are usable, is nothing to a call that names its provider.
connection* fleet::begin_at_one(call& which, time_point now, attempts& repeats) {
    watch_.advance(members_.listed(), routes_, now);
    if (absences_.are_due(now)) look_for_absent(now);
    const auto* const n = one_for(which);
    if (!n || !fleet_members::any_ready_of(*n)) return nullptr;
    return choose(view_of(which, now), which, now, repeats);
}

inline connection* fleet::choose(const std::shared_ptr<cluster_view>& view, call& which, time_point now,
                                 attempts& repeats) {
    auto how = context_of(which, now);
    if (watch_.trials().are_due(now)) [[unlikely]]
        how.trial = trial_of(which, *view, now, repeats);
    auto found = pick(*view, which, how);
    if (!found.ready && which.attempt.tried_count > 0) {
        // A call that has tried them all may try them again.
        which.attempt.tried_count = 0;
        found = pick(*view, which, how);
    }
    if (!found.ready) return nullptr;
    if (how.trial != nullptr && how.trial == found.picked) watch_.trials().begun(*found.picked, now);
    return begin_on(which, found, view, how);
}

inline connection* fleet::begin_on(call& which, choice found, const std::shared_ptr<cluster_view>& view,
                                   pick_context& how) {
    if (!which.request.oneway) begin_on(which, *found.picked, view, how.now);
    if (view->policy.probes()) probe(*view, how);
    return found.ready;
}

inline void fleet::begin_on(call& which, node& n, const std::shared_ptr<cluster_view>& view, time_point now) {
    auto& trace = which.attempt;
    trace.on = &n;
    trace.chosen_by = view;
    trace.began = now;
    begin_attempt(view->policy, n, now);
    watch_.started(n, now);
}

inline bool fleet::begin_on(call& which, const lane& to, time_point now) {
    if (takes_fast_path(which)) return only_ == &to;
    auto* const n = members_.find(to.address());
    if (!n) return false;
    const auto& view = view_of(which, now);
    const pick_context how{.now = now, .random = random_};
    if (!view->nodes.usable(*n, how) || std::find(view->nodes.begin(), view->nodes.end(), n) == view->nodes.end())
        return false;
    if (!which.request.oneway) begin_on(which, *n, view, now);
    return true;
}

// What tells in good time that it leaves has done nothing wrong.
[[nodiscard]] inline errc judged_as(const error& why, bool gone) noexcept {
    if (gone && why == errc::unavailable && why.ran() == executed::no) return errc::cancelled;
    return errc_of(why);
}

inline void fleet::end_attempt(call& which, const error* why, time_point now, bool gone) {
    auto& trace = which.attempt;
    auto& n = *static_cast<node*>(std::exchange(trace.on, nullptr));
    const auto view = std::static_pointer_cast<cluster_view>(std::exchange(trace.chosen_by, nullptr));
    auto outcome = why ? attempt_outcome::failed(judged_as(*why, gone), trace.began, now)
                       : attempt_outcome::success(trace.began, now);
    if (why) {
        outcome.ran = why->ran();
        outcome.retry_after = why->retry_after();
    }
    if (which.request.deadline != no_deadline)
        outcome.timeout = std::max(which.request.deadline - trace.began, duration{});
    futon::end_attempt(view->policy, n, outcome);
    watch_.ended(n, outcome, members_.size());
    if (absences_.matter() && n.is_held(hold::ejected)) absences_.is_out(n, now);
}

inline void fleet::tried(call& which) noexcept {
    auto& trace = which.attempt;
    if (trace.on && trace.tried_count < trace.tried.size()) trace.tried[trace.tried_count++] = trace.on;
}

inline void fleet::probe(cluster_view& view, pick_context& how) {
    std::array<node*, 8> asked{};
    ask_load({asked.data(), view.policy.next_probes(view.nodes, how, asked)});
    if (!idle_probes_planned_) wants_idle_probes_ = view.policy.idle_probes_due() != no_deadline;
}

inline void fleet::ask_load(std::span<node* const> of) {
    for (const auto* n : of)
        if (auto* const over = fleet_members::ready_of(*n)) over->ask_load();
}

inline time_point fleet::next_idle_probe() noexcept {
    auto next = no_deadline;
    for (const auto& each : routes_.views()) next = std::min(next, each->policy.idle_probes_due());
    wants_idle_probes_ = false;
    idle_probes_planned_ = next != no_deadline;
    return next;
}

inline void fleet::probe_idle(time_point now) {
    std::array<node*, 8> asked{};
    pick_context how{.now = now, .random = random_};
    for (const auto& each : routes_.views())
        if (each->policy.idle_probes_due() <= now)
            ask_load({asked.data(), each->policy.idle_probes(each->nodes, how, asked)});
}

inline void fleet::took_report(const lane& from, const load_report& report, time_point now) {
    auto* const n = members_.find(from.address());
    if (!n) return;
    n->report = report;
    n->reported_at = now;
    const auto& views = routes_.views();
    for (const auto& each : views) {
        // A single view has asked itself; of several only those with that node may hear of it.
        if (views.size() > 1 && std::find(each->nodes.begin(), each->nodes.end(), n) == each->nodes.end()) continue;
        each->policy.probed(*n, report, now);
    }
}

}  // namespace futon::detail
