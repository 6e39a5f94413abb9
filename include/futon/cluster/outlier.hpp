// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Outlier ejection: takes providers out whose calls fail, and
/// lets them back in after one call has shown that they work.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/dice.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace futon {

/// Watches how calls end, and sets `hold::ejected` and `hold::on_trial`. Pure: time and dice are arguments.
///
/// A node is out for `base` * 2^(times before), then half open: the next call on it is a trial, and until that has
/// ended it gets no other. An answer lets it back in, with a weight that grows; a failure ejects it again. An answer to
/// a call that was made during the ejection, in a panic, lets it back in at once.
class outlier_ejection {
public:
    explicit outlier_ejection(outlier_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] const outlier_options& options() const noexcept { return options_; }
    void set_options(const outlier_options& options) noexcept { options_ = options; }
    /// True: a node whose time has come is on trial at once, and what `ping_answered` and `ping_failed` tell decides;
    /// it gets no call.
    void set_trials_by_ping(bool are) noexcept { trials_by_ping_ = are; }

    /// After `begin_attempt`.
    void started(node& n, time_point now) noexcept {
        if (!n.half_open) return;
        n.half_open = false;
        n.turned = now;
        n.set(hold::on_trial, true);
    }
    /// After `end_attempt`. `listed` is the number of nodes of the cluster. True: `n` was ejected or let back in.
    bool ended(node& n, const attempt_outcome& outcome, std::size_t listed, dice& random);
    /// A node on trial has answered as many pings as it had to, and is let back in. The first call that fails then
    /// ejects it again: that it lives does not say that it works. True: it was.
    bool ping_answered(node& n, time_point now) noexcept;
    /// A node has left as many pings without an answer as may be. True: it was ejected.
    bool ping_failed(node& n, time_point now, std::size_t listed, dice& random);
    /// Where pings come no more: the next call on a node that is on trial decides.
    static void leave_trial_to_calls(node& n) noexcept {
        if (!n.is_held(hold::on_trial)) return;
        n.set(hold::on_trial, false);
        n.half_open = true;
    }
    /// Makes those half open whose time has come. True: there were some.
    bool advance(time_point now) noexcept;
    /// When `advance` has something to do.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept {
        std::optional<time_point> next;
        for (const auto* n : ejected_)
            if (!next || n->held_until < *next) next = n->held_until;
        return next;
    }
    /// Before a node is freed, or to let one back in by hand.
    void forget(node& n) noexcept {
        std::erase(ejected_, &n);
        release(n);
    }
    /// Out now; those on trial are not among them.
    [[nodiscard]] const std::vector<node*>& ejected() const noexcept { return ejected_; }
    /// What is left of the weight of a node that was let back in.
    [[nodiscard]] double ramp_factor(node& n, time_point now) const noexcept {
        if (!n.ramping) return 1;
        const auto gone = now - n.turned;
        if (gone >= options_.ramp) {
            n.ramping = false;
            return 1;
        }
        const auto part = std::chrono::duration<double>(gone) / std::chrono::duration<double>(options_.ramp);
        return options_.ramp_from + (1 - options_.ramp_from) * std::max(part, 0.0);
    }

private:
    [[nodiscard]] bool may_eject(const node& n, std::size_t listed) const noexcept {
        const auto most = static_cast<std::size_t>(options_.most_ejected * static_cast<double>(listed) + 1e-9);
        return n.listed && ejected_.size() + 1 <= std::max<std::size_t>(most, 1);
    }
    void let_back(node& n, time_point now) noexcept {
        std::erase(ejected_, &n);
        release(n);
        n.turned = now;
        n.ramping = options_.ramp > duration::zero();
    }
    void eject(node& n, time_point now, dice& random);
    static void release(node& n) noexcept {
        n.set(hold::ejected, false);
        n.set(hold::on_trial, false);
        n.half_open = false;
        n.strikes = 0;
        n.successes = n.failures = 0;
    }

    outlier_options options_;
    std::vector<node*> ejected_;
    bool trials_by_ping_ = false;
};

inline bool outlier_ejection::ended(node& n, const attempt_outcome& outcome, std::size_t listed, dice& random) {
    const auto began = outcome.now - outcome.latency;
    const bool bad =
        outcome.verdict == verdict::failed || (outcome.verdict == verdict::erred && options_.handler_errors);
    const bool held = n.is_held(hold::ejected);
    const bool trial = n.is_held(hold::on_trial) && began >= n.turned;
    if (outcome.verdict == verdict::abandoned) {
        if (trial && !trials_by_ping_) {  // It showed nothing: the next one may.
            n.set(hold::on_trial, false);
            n.half_open = true;
        }
        return false;
    }
    if (held || n.is_held(hold::on_trial) || n.half_open) {
        if (!bad && (trial || began >= n.turned)) {
            let_back(n, outcome.now);
            return true;
        }
        if (bad && trial) {
            n.set(hold::on_trial, false);
            eject(n, outcome.now, random);
            return true;
        }
        return false;  // Of a call from before the ejection, or a further failure in a panic.
    }

    if (outcome.now - n.window_began >= options_.window) {
        n.window_began = outcome.now;
        n.successes = n.failures = 0;
    }
    if (!bad) {
        ++n.successes;
        n.strikes = 0;
        return false;
    }
    if (outcome.failure == errc::connection_lost) {
        if (n.loss_counted) return false;
        n.loss_counted = true;
    }
    ++n.failures;
    if (n.strikes < 0xffff) ++n.strikes;

    const auto calls = n.successes + n.failures;
    const bool in_a_row = options_.consecutive_failures > 0 && n.strikes >= options_.consecutive_failures;
    const bool too_many = options_.failure_share > 0 && calls >= std::max(options_.minimum_calls, 1u) &&
                          n.failures >= options_.failure_share * calls;
    if (!in_a_row && !too_many) return false;
    if (!may_eject(n, listed)) return false;
    eject(n, outcome.now, random);
    return true;
}

inline bool outlier_ejection::ping_answered(node& n, time_point now) noexcept {
    if (!n.is_held(hold::on_trial)) return false;
    let_back(n, now);
    n.strikes = static_cast<std::uint16_t>(std::min(std::max(options_.consecutive_failures, 1u) - 1, 0xfffeu));
    return true;
}

inline bool outlier_ejection::ping_failed(node& n, time_point now, std::size_t listed, dice& random) {
    const bool trial = n.is_held(hold::on_trial);
    if (!trial && (n.is_held(hold::ejected) || n.half_open || !may_eject(n, listed))) return false;
    n.set(hold::on_trial, false);
    eject(n, now, random);
    return true;
}

inline void outlier_ejection::eject(node& n, time_point now, dice& random) {
    // Times that went well since the last ejection take back its doublings.
    if (options_.forgive > duration::zero() && n.held_until != time_point{} && now > n.held_until) {
        const auto forgiven = (now - n.held_until) / options_.forgive;
        n.ejections = static_cast<std::uint8_t>(n.ejections - std::min<duration::rep>(n.ejections, forgiven));
    }
    const auto length = std::min(static_cast<double>(options_.base.count()) * std::exp2(std::min<int>(n.ejections, 40)),
                                 static_cast<double>(options_.ceiling.count())) *
                        (1 + options_.jitter * (2 * random.fraction() - 1));
    if (n.ejections < 0xff) ++n.ejections;
    n.set(hold::ejected, true);
    n.half_open = false;
    n.ramping = false;
    n.turned = now;
    n.held_until = deadline_after(now, duration{static_cast<duration::rep>(length)});
    ejected_.push_back(&n);
}

inline bool outlier_ejection::advance(time_point now) noexcept {
    return std::erase_if(ejected_, [&](node* n) {
               if (n->held_until > now) return false;
               n->set(hold::ejected, false);
               if (trials_by_ping_) {
                   n->set(hold::on_trial, true);
                   n->turned = now;
               } else {
                   n->half_open = true;
               }
               return true;
           }) > 0;
}

}  // namespace futon
