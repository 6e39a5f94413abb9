// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How the providers of a channel do: which may be used, how much of their weight counts, and how many calls they can
/// bear after an outage.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/dice.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/route_cache.hpp>
#include <futon/core/error.hpp>
#include <futon/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace futon::detail {

/// Rules that wait for a time are asked when a call comes: without calls nothing depends on them.
///
/// Not thread-safe: guarded by its channel's lock.
class fleet_watch {
public:
    fleet_watch(const health_options& rules, std::uint64_t seed) noexcept : health_{rules, seed} {}

    void set_rules(const health_options& rules) noexcept {
        health_.set_options(rules);
        look_next_ = {};
    }

    // What happens.

    void added(node& n, bool first_list) noexcept { health_.added(n, first_list); }
    void removed(node& n) noexcept { health_.removed(n); }
    /// The list is another one, or, with `terms`, other things were told of those on it.
    void list_changed(time_point now, bool terms) noexcept {
        if (terms) health_.changed();
        review_due_ = true;
        look_next_ = now;
    }
    void connected(node& n, bool is, time_point now) {
        if (is == n.connected()) return;
        n.set_connected(is);
        health_.connected(n, is, now);
        review_due_ = true;
    }
    void started(node& n, time_point now) noexcept { health_.started(n, now); }
    void ended(node& n, const attempt_outcome& outcome, std::size_t listed) {
        review_due_ = health_.ended(n, outcome, listed) || review_due_;
    }
    void ping_answered(node& n, std::uint64_t token, time_point when) {
        review_due_ = health_.ping_answered(n, token, when) || review_due_;
    }

    /// Of nodes that calls should try which can go elsewhere.
    [[nodiscard]] recovery_trials& trials() noexcept { return health_.trials(); }

    // What comes of it.

    /// Before one of `listed` is chosen, by way of `routes`.
    void look(const std::vector<node*>& listed, route_cache& routes, time_point now) {
        if (now >= look_next_ || review_due_) look_after(listed, routes, now);
    }
    /// The same where only the time counts, not what has happened: without a walk over `listed` for each of them.
    void advance(const std::vector<node*>& listed, route_cache& routes, time_point now) {
        if (now >= look_next_) look_after(listed, routes, now);
    }
    /// When `ping` has something to do.
    [[nodiscard]] std::optional<time_point> next_ping() const noexcept { return health_.next_ping(); }
    /// Has `send(node, since)` ask those for a sign of life whose turn it is, unless they gave one after `since`. It
    /// says whether the ping goes out, by calling what it is given for the token.
    template <class Send>
    void ping(const std::vector<node*>& listed, route_cache& routes, time_point now, Send send) {
        look(listed, routes, now);
        review_due_ = health_.advance_pings(listed, now) || review_due_;
        while (auto* const n = health_.to_ping(now)) {
            const auto since = n->is_held(hold::on_trial) ? no_deadline : health_.heard_lately(now);
            if (!send(*n, since, [&] { return health_.pinged(*n, now); })) health_.not_pinged(*n, now);
        }
    }
    [[nodiscard]] bool recovers() noexcept { return health_.recovery().recovering(); }
    /// Why a new call is not let through while the providers recover, if it is not.
    [[nodiscard]] std::optional<error> not_back_yet(const std::vector<node*>& listed, route_cache& routes, dice& random,
                                                    time_point now) {
        look(listed, routes, now);
        if (health_.recovery().admits(random)) return std::nullopt;
        return error{errc::unavailable,
                     "after an outage only " + std::to_string(usable_of(listed)) + " of " +
                         std::to_string(health_.recovery().expected()) +
                         " providers are back: calls are let through in that proportion",
                     executed::no};
    }
    [[nodiscard]] static std::size_t usable_of(const std::vector<node*>& listed) noexcept {
        std::size_t usable = 0;
        for (const auto* n : listed) usable += n->holds == 0;
        return usable;
    }

private:
    void look_after(const std::vector<node*>& listed, route_cache& routes, time_point now) {
        const auto change = health_.advance(listed, now);
        if (change.weights) routes.reweigh();
        if (change.holds || review_due_) {
            review_due_ = false;
            // Who names a provider means it, ejected or not.
            for (const auto& each : routes.views())
                if (each->wanted.address.empty()) static_cast<void>(health_.review(each->nodes));
            count_usable(listed, now);
        } else if (health_.recovery().recovering()) {
            count_usable(listed, now);  // Its number may have rested long enough.
        }
        look_next_ = health_.next_wakeup().value_or(no_deadline);
    }
    void count_usable(const std::vector<node*>& listed, time_point now) {
        std::size_t known = 0;
        for (const auto* n : listed) known += !n->is_held(hold::draining) && !n->is_held(hold::drained);
        health_.recovery().observe(usable_of(listed), known, now);
    }

    cluster_health health_;
    bool review_due_ = false;
    time_point look_next_{};
};

}  // namespace futon::detail
