// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Trial calls: a provider that failed at once is tried again by calls that can go elsewhere if it fails once more.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/dice.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace futon {

/// Knows the nodes that policies avoid for their failures, and when which of them may be tried. Pure.
///
/// A policy forgets failures slowly, or each call that comes too early is lost. A call that would be repeated loses
/// nothing but a moment: it asks for `next`, and is told a node `interval` after its last failure, after a trial that
/// failed, too, after twice the time, then after four times each. After `answers` in a row its past is forgotten.
///
/// Only nodes that fail so that a trial costs a moment: with a code that is retried, and in an eighth of the time that
/// the call had, the pause included that the node asked for. What hangs is for pings to find out, see `active_pings`.
class recovery_trials {
public:
    explicit recovery_trials(trial_options options = {}) noexcept : options_{options} {}

    void set_options(const trial_options& options) noexcept { options_ = options; }
    [[nodiscard]] bool on() const noexcept { return options_.interval > duration::zero(); }

    /// After the hooks of policy and ejection: a node that has recovered is like one that is new.
    void ended(node& n, const attempt_outcome& outcome, dice& random) {
        if (outcome.verdict != verdict::failed && !n.shunned) [[likely]]
            return;
        if (on()) count(n, outcome, random);
    }
    /// Whether an attempt that has ended so was a trial.
    [[nodiscard]] bool is_trial(const node& n, const attempt_outcome& outcome) noexcept {
        return n.shunned && place_of(n)->began == outcome.now - outcome.latency;
    }
    /// Whether a node may be due: ask for `next`.
    [[nodiscard]] bool are_due(time_point now) const noexcept { return now >= due_; }
    /// The node of `nodes` that a call may try now, or null. `may_repeat(ran)`: whether the call would be made again if
    /// it failed and were so far executed. Follow with `begun` if it goes there; else others are asked after a while.
    template <class MayRepeat>
    [[nodiscard]] node* next(const node_set& nodes, time_point now, const MayRepeat& may_repeat) noexcept;
    void begun(const node& n, time_point now) noexcept {
        const auto at = find(n);
        if (at == known_.end()) return;
        at->began = now;
        at->due = deadline_after(now, options_.interval);
    }
    /// Ejections have ended: the call that shows whether the node is back should be one that can go elsewhere.
    void half_opened(time_point now) noexcept {
        for (auto& each : known_)
            if (each.of->half_open) plan(each, now);
    }
    /// Its past is forgotten otherwise, as when it is connected again, or it will be freed.
    void forget(node& n) noexcept {
        const auto at = find(n);
        if (at == known_.end()) return;
        n.shunned = false;
        known_.erase(at);
    }

private:
    struct shunned_node {
        node* of = nullptr;
        time_point failed{};  // The last time.
        time_point due{};
        time_point began = no_deadline;  // The last trial.
        time_point recovered = no_deadline;
        std::uint32_t answers = 0;  // In a row.
        std::uint8_t failures = 0;  // Of trials, in a row.
        std::uint8_t relapses = 0;
        executed ran = executed::maybe;
    };
    /// A failure so soon after a recovery doubles the pauses.
    static constexpr duration memory = std::chrono::seconds{60};
    /// Where the policy has not taken what was offered, or it was not usable.
    static constexpr duration offered_again = std::chrono::milliseconds{100};
    /// Where more fail there is nobody better to avoid them for, and fewer steps for each.
    static constexpr std::size_t most = 1000;

    using nodes_by_slot = std::vector<shunned_node>;
    [[nodiscard]] nodes_by_slot::iterator place_of(const node& n) noexcept {
        return std::lower_bound(known_.begin(), known_.end(), n.slot,
                                [](const shunned_node& each, std::uint32_t slot) { return each.of->slot < slot; });
    }
    [[nodiscard]] nodes_by_slot::iterator find(const node& n) noexcept {
        return n.shunned ? place_of(n) : known_.end();
    }
    void plan(shunned_node& which, time_point when) noexcept {
        which.due = when;
        due_ = std::min(due_, when);
    }
    [[nodiscard]] duration pause_of(const shunned_node& which, dice& random) const noexcept {
        const auto doublings = std::min<int>(which.failures, 2) + which.relapses;
        const auto length = std::min(std::ldexp(static_cast<double>(options_.interval.count()), doublings),
                                     static_cast<double>(std::max(options_.ceiling, options_.interval).count()));
        // Clients that failed together do not come back together.
        return duration{static_cast<duration::rep>(length * (0.8 + 0.4 * random.fraction()))};
    }
    /// Before the call would be made elsewhere.
    [[nodiscard]] static bool costs_a_moment(const attempt_outcome& outcome) noexcept {
        constexpr duration moment = std::chrono::milliseconds{100};  // Where there is no deadline.
        return belongs_to(*outcome.failure, cond::retryable) &&
               outcome.latency + outcome.retry_after <= (outcome.timeout > duration{} ? outcome.timeout / 8 : moment);
    }
    void count(node& n, const attempt_outcome& outcome, dice& random);
    void count_failure(node& n, const attempt_outcome& outcome, dice& random);

    trial_options options_;
    nodes_by_slot known_;
    time_point due_ = no_deadline;  // Of none of them earlier.
};

template <class MayRepeat>
node* recovery_trials::next(const node_set& nodes, time_point now, const MayRepeat& may_repeat) noexcept {
    if (!may_repeat(executed::no)) return nullptr;  // What nobody knows is left to calls that may.
    node* found = nullptr;
    due_ = no_deadline;
    for (auto& each : known_) {
        if (each.due <= now && !found && may_repeat(each.ran)) {
            each.due = deadline_after(now, offered_again);
            const bool may_be_used = !nodes.panic() && nodes.usable(*each.of);
            if (may_be_used && std::find(nodes.begin(), nodes.end(), each.of) != nodes.end()) found = each.of;
        }
        due_ = std::min(due_, each.due);
    }
    return found;
}

inline void recovery_trials::count(node& n, const attempt_outcome& outcome, dice& random) {
    if (outcome.verdict == verdict::failed) return count_failure(n, outcome, random);
    auto& its = *find(n);
    if (outcome.now - outcome.latency != its.began) return;
    if (outcome.verdict == verdict::abandoned) return plan(its, outcome.now);  // It showed nothing: the next one may.
    if (outcome.verdict != verdict::answered) return;  // It is there, but no better than what policies take it for.
    if (++its.answers < options_.answers) return plan(its, outcome.now);
    n.forget_past();
    its.recovered = outcome.now;
    its.due = no_deadline;
}

inline void recovery_trials::count_failure(node& n, const attempt_outcome& outcome, dice& random) {
    if (!costs_a_moment(outcome)) return forget(n);
    auto at = place_of(n);
    const auto began = outcome.now - outcome.latency;
    if (!n.shunned) {
        if (known_.size() >= most) return;
        at = known_.insert(at, {.of = &n});
        n.shunned = true;
    } else if (at->recovered != no_deadline) {
        at->relapses =
            static_cast<std::uint8_t>(outcome.now - at->recovered < memory ? std::min(at->relapses + 1, 40) : 0);
        at->failures = 0;
    } else if (began == at->began) {
        at->failures = static_cast<std::uint8_t>(std::min(at->failures + 1, 2));
    } else if (began < at->failed) {
        return;  // One of several that were under way when it began to fail.
    }
    at->failed = outcome.now;
    at->recovered = no_deadline;
    at->answers = 0;
    at->ran = outcome.ran;
    plan(*at, deadline_after(outcome.now, pause_of(*at, random)));
}

}  // namespace futon
