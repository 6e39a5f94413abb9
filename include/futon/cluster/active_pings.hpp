// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Active health checks: when which provider is asked whether it lives, and what its answer, or its silence, comes to.

#include <futon/cluster/dice.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace futon {

/// Says whom to ping, and counts. Pure: time and dice are arguments, and who sends the pings tells what came of them.
///
/// Each node has a turn: an interval after it was heard last, or as soon as it may be on trial.
class active_pings {
public:
    explicit active_pings(const ping_options& options = {}) noexcept { set_options(options); }

    [[nodiscard]] bool on() const noexcept { return options_.interval > duration::zero(); }
    [[nodiscard]] const ping_options& options() const noexcept { return options_; }
    /// `forget` all that are known where they are to be off, and `add` all where on.
    void set_options(const ping_options& options) noexcept {
        options_ = options;
        options_.jitter = options.jitter >= 0 ? std::min(options.jitter, 0.9) : 0;  // Nor for what is no number.
    }

    /// A node was listed: its first turn comes within an interval.
    void add(node& n, time_point now, dice& random) {
        if (!on()) return;
        const auto [at, is_new] = known_.try_emplace(&n);
        if (is_new) plan(n, at->second, deadline_after(now, part_of(options_.interval, random.fraction())));
    }
    /// It is listed no more.
    void forget(node& n) noexcept {
        const auto found = known_.find(&n);
        if (found == known_.end()) return;
        unplan(n, found->second);
        known_.erase(found);
    }
    /// It is its turn now, unless a ping is on the way.
    void hurry(node& n, time_point now) {
        const auto found = known_.find(&n);
        if (found == known_.end() || found->second.token != 0) return;
        unplan(n, found->second);
        plan(n, found->second, now);
    }

    /// Whose turn it is; null if it is nobody's, or as many pings
    /// as may be are on the way. Follow with `sent` or `heard`.
    [[nodiscard]] node* next(time_point now) const noexcept {
        if (turns_.empty() || turns_.begin()->first > now || !has_room()) return nullptr;
        return turns_.begin()->second;
    }
    /// A ping goes out, with the token that is returned.
    [[nodiscard]] std::uint64_t sent(node& n, time_point now) {
        auto& its = known_.at(&n);
        unplan(n, its);
        its.token = ++last_token_;
        its.forgiven = false;
        its.when = deadline_after(now, options_.timeout);
        waiting_.emplace(its.when, &n);
        return its.token;
    }
    /// Who was heard after this need not be asked: its next turn is yet to come.
    [[nodiscard]] time_point heard_lately(time_point now) const noexcept {
        return now - part_of(options_.interval, 1 - options_.jitter);
    }
    /// Nothing was sent, or needs to be answered: it was heard, or is not to be asked now.
    void heard(node& n, time_point when, dice& random) {
        const auto found = known_.find(&n);
        if (found == known_.end()) return;
        unplan(n, found->second);
        found->second.token = 0;
        found->second.missed = 0;
        plan(n, found->second, next_turn(when, random));
    }

    /// What a ping comes to.
    enum class verdict : std::uint8_t {
        nothing,  ///< Too late, or not often enough in a row.
        works,    ///< An ejected provider may come back.
        silent,   ///< It is to be ejected.
    };
    [[nodiscard]] verdict answered(node& n, std::uint64_t token, time_point now, dice& random) {
        const auto found = known_.find(&n);
        if (found == known_.end() || token == 0 || found->second.token != token) return verdict::nothing;
        const auto in_a_row = ++found->second.answered;
        heard(n, now, random);
        if (in_a_row < options_.successes) return verdict::nothing;
        found->second.answered = 0;
        return verdict::works;
    }
    /// Of one whose ping was not answered in time; null if there is none.
    struct silence {
        node* whose = nullptr;
        verdict what = verdict::nothing;
        explicit operator bool() const noexcept { return whose != nullptr; }
    };
    [[nodiscard]] silence expired(time_point now, dice& random) {
        if (waiting_.empty() || waiting_.begin()->first > now) return {};
        auto& n = *waiting_.begin()->second;
        auto& its = known_.at(&n);
        unplan(n, its);
        if (now - its.when > tolerated_delay && !std::exchange(its.forgiven, true)) {
            // This side slept past the time itself: the answer may be there, and not read yet.
            its.when = deadline_after(now, options_.timeout);
            waiting_.emplace(its.when, &n);
            return {&n, verdict::nothing};
        }
        its.token = 0;
        its.answered = 0;
        plan(n, its, next_turn(now, random));
        if (++its.missed < options_.failures && !n.is_held(hold::on_trial)) return {&n, verdict::nothing};
        its.missed = 0;
        return {&n, verdict::silent};
    }

    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept {
        std::optional<time_point> next;
        if (!waiting_.empty()) next = waiting_.begin()->first;
        if (!turns_.empty() && has_room() && (!next || turns_.begin()->first < *next)) next = turns_.begin()->first;
        return next;
    }
    [[nodiscard]] std::size_t in_flight() const noexcept { return waiting_.size(); }

private:
    struct state {
        time_point when{};         // Its turn, or until when an answer counts.
        std::uint64_t token = 0;   // Of the ping that is on the way.
        std::uint32_t missed = 0;  // In a row.
        std::uint32_t answered = 0;
        bool forgiven = false;
    };
    static constexpr duration tolerated_delay = std::chrono::milliseconds{10};

    struct sooner {  // Never by what memory they stand in: each run is to be the same.
        bool operator()(const std::pair<time_point, node*>& a, const std::pair<time_point, node*>& b) const noexcept {
            return a.first != b.first ? a.first < b.first : a.second->slot < b.second->slot;
        }
    };
    using queue = std::set<std::pair<time_point, node*>, sooner>;

    [[nodiscard]] static duration part_of(duration whole, double share) noexcept {
        return duration{static_cast<duration::rep>(static_cast<double>(whole.count()) * share)};
    }
    [[nodiscard]] time_point next_turn(time_point since, dice& random) const noexcept {
        return deadline_after(since, part_of(options_.interval, 1 - options_.jitter * random.fraction()));
    }
    [[nodiscard]] bool has_room() const noexcept {
        return waiting_.size() < std::max<std::size_t>(options_.most_in_flight, 1);
    }
    void plan(node& n, state& its, time_point when) {
        its.when = when;
        turns_.emplace(when, &n);
    }
    void unplan(node& n, const state& its) noexcept { (its.token == 0 ? turns_ : waiting_).erase({its.when, &n}); }

    ping_options options_;
    std::unordered_map<node*, state> known_;
    queue turns_;
    queue waiting_;
    std::uint64_t last_token_ = std::uint64_t{1} << 32;  // A connection counts its own pings from 1.
};

}  // namespace futon
