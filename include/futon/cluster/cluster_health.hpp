// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All health rules of one cluster together: which nodes may be used, and how much of their weight counts.

#include <futon/cluster/active_pings.hpp>
#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/dice.hpp>
#include <futon/cluster/fault_tolerance.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/cluster/outlier.hpp>
#include <futon/cluster/panic.hpp>
#include <futon/cluster/recovery_throttle.hpp>
#include <futon/cluster/recovery_trials.hpp>
#include <futon/cluster/warm_up.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace futon {

/// What `cluster_health::advance` changed.
struct health_change {
    bool holds = false;    ///< Nodes were ejected or let back in: have `review` look at the sets.
    bool weights = false;  ///< Sets and their policies are to be reweighed.
};

/// Feeds the rules, and says when it wants to be asked again. One for all sets of a cluster; pure.
class cluster_health {
public:
    explicit cluster_health(const health_options& options = {}, std::uint64_t seed = 0) noexcept
        : options_{options},
          outliers_{options.outliers},
          trials_{options.trials},
          recovery_{options.recovery},
          fault_tolerance_{options.fault_tolerance},
          pings_{options.pings},
          random_{seed} {
        outliers_.set_trials_by_ping(pings_.on());
    }

    /// A node was added. Those of a client's first list are taken to be warm: only what comes later is new.
    void added(node& n, bool first_list) noexcept {
        if (first_list) n.first_seen = {};
        ramping_ = true;
        pings_due_ = pings_due_ || pings_.on();
    }
    /// What was told of a node has changed.
    void changed() noexcept { ramping_ = true; }
    /// A node will be freed.
    void removed(node& n) noexcept {
        outliers_.forget(n);
        trials_.forget(n);
        pings_.forget(n);
    }
    void started(node& n, time_point now) noexcept { outliers_.started(n, now); }
    /// `nodes`: all that are listed. True: the node was ejected or let back in.
    bool ended(node& n, const attempt_outcome& outcome, std::size_t listed) {
        fault_tolerance_.ended(n, outcome);
        // That a node which is avoided still fails is no reason to eject it, too, and to let it back in step by step.
        const bool known_to_fail = n.shunned && outcome.verdict == verdict::failed && !n.is_held(hold::on_trial) &&
                                   trials_.is_trial(n, outcome);
        const bool changed = !known_to_fail && outliers_.ended(n, outcome, listed, random_);
        ramping_ = ramping_ || (changed && n.holds == 0);
        trials_.ended(n, outcome, random_);
        return changed;
    }
    /// Which node a call should try that would be repeated; see `recovery_trials::next`.
    [[nodiscard]] recovery_trials& trials() noexcept { return trials_; }

    // Active pings, for whoever sends them.

    /// When `advance_pings` has something to do.
    [[nodiscard]] std::optional<time_point> next_ping() const noexcept;
    /// Judges pings that were not answered. Then ask for `to_ping` until it is null. True: nodes were ejected.
    bool advance_pings(std::span<node* const> nodes, time_point now);
    /// Whose turn it is: follow with `pinged`, which returns the ping's token, or `not_pinged`.
    [[nodiscard]] node* to_ping(time_point now) const noexcept { return pings_.next(now); }
    [[nodiscard]] std::uint64_t pinged(node& n, time_point now) { return pings_.sent(n, now); }
    void not_pinged(node& n, time_point now) { pings_.heard(n, now, random_); }
    /// It answered, or was heard `when` anyway. True: the node was let back in.
    bool ping_answered(node& n, std::uint64_t token, time_point when) {
        if (pings_.answered(n, token, when, random_) != active_pings::verdict::works ||
            !outliers_.ping_answered(n, when))
            return false;
        ramping_ = true;
        return true;
    }
    /// A connection to it was made or lost, and what was on the way is void.
    void connected(node& n, bool is, time_point now) {
        trials_.forget(n);
        if (!pings_.on()) return;
        pings_.heard(n, now, random_);
        if (is && n.is_held(hold::on_trial)) pings_.hurry(n, now);
    }
    /// Who was heard after this need not be asked.
    [[nodiscard]] time_point heard_lately(time_point now) const noexcept { return pings_.heard_lately(now); }

    /// At `next_wakeup`, or at any time.
    health_change advance(std::span<node* const> nodes, time_point now);
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;

    /// After holds or connections have changed: panic begins or ends. True: it did.
    bool review(node_set& nodes) const noexcept { return options_.panic.review(nodes); }

    [[nodiscard]] recovery_throttle& recovery() noexcept { return recovery_; }
    [[nodiscard]] const outlier_ejection& outliers() const noexcept { return outliers_; }
    [[nodiscard]] const fault_tolerance& tolerance() const noexcept { return fault_tolerance_; }
    void set_options(const health_options& options) noexcept {
        options_ = options;
        outliers_.set_options(options.outliers);
        trials_.set_options(options.trials);
        fault_tolerance_.set_options(options.fault_tolerance);
        pings_due_ = pings_due_ || pings_.on() || options.pings.interval > duration::zero();
        pings_.set_options(options.pings);
        outliers_.set_trials_by_ping(pings_.on());
        ramping_ = true;
    }

private:
    /// While weights grow they are looked at this often: tables need not be built anew for less.
    static constexpr duration step = std::chrono::milliseconds{100};

    health_options options_;
    outlier_ejection outliers_;
    recovery_trials trials_;
    recovery_throttle recovery_;
    fault_tolerance fault_tolerance_;
    active_pings pings_;
    dice random_;
    bool pings_due_ = false;  // There may be nodes that the pings do not know, or know in vain.
    bool ramping_ = true;
    time_point reweighed_{};
};

inline health_change cluster_health::advance(std::span<node* const> nodes, time_point now) {
    health_change change;
    change.holds = outliers_.advance(now);
    if (change.holds) trials_.half_opened(now);
    if (change.holds && pings_.on())
        for (auto* n : nodes)
            if (n->is_held(hold::on_trial)) pings_.hurry(*n, now);
    const bool judged = fault_tolerance_.advance(nodes, now);
    if (!judged && (!ramping_ || now - reweighed_ < step)) return change;

    reweighed_ = now;
    ramping_ = false;
    for (auto* n : nodes) {
        const auto ramp = outliers_.ramp_factor(*n, now) * options_.warm_up.factor(*n, now);
        ramping_ = ramping_ || ramp < 1;
        const auto weight = static_cast<float>(n->told.weight * ramp * static_cast<double>(n->degraded));
        // Steps of a twentieth are fine enough for what is growing.
        if (std::abs(weight - n->weight) < 0.05f * n->weight && ramp < 1) continue;
        if (weight == n->weight) continue;
        n->weight = weight;
        change.weights = true;
    }
    return change;
}

inline bool cluster_health::advance_pings(std::span<node* const> nodes, time_point now) {
    if (std::exchange(pings_due_, false)) {
        for (auto* n : nodes) {
            if (pings_.on()) {
                pings_.add(*n, now, random_);
            } else {
                pings_.forget(*n);
                outlier_ejection::leave_trial_to_calls(*n);
            }
        }
    }
    bool ejected = false;
    while (const auto silent = pings_.expired(now, random_)) {
        if (silent.what == active_pings::verdict::silent)
            ejected = outliers_.ping_failed(*silent.whose, now, nodes.size(), random_) || ejected;
    }
    return ejected;
}

inline std::optional<time_point> cluster_health::next_ping() const noexcept {
    if (pings_due_) return time_point{};
    if (!pings_.on()) return std::nullopt;
    auto next = pings_.next_wakeup();
    if (const auto trial = outliers_.next_wakeup(); trial && (!next || *trial < *next)) next = trial;
    return next;
}

inline std::optional<time_point> cluster_health::next_wakeup() const noexcept {
    auto next = outliers_.next_wakeup();
    const auto sooner = [&](time_point when) {
        if (when != no_deadline && (!next || when < *next)) next = when;
    };
    if (ramping_) sooner(reweighed_ + step);
    if (fault_tolerance_.enabled()) sooner(fault_tolerance_.next_wakeup());
    if (const auto recovers = recovery_.next_wakeup()) sooner(*recovers);
    return next;
}

}  // namespace futon
