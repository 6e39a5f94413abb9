// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Since when providers are out, for routers that do without those that are for long.

#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace futon::detail {

/// Sets `node::absent`. Out is who is ejected, or cannot be connected. Pure: time is an argument.
///
/// Not thread-safe: guarded by its channel's lock.
class fleet_absences {
public:
    /// Who is out for so long is absent. Zero: nobody is.
    explicit fleet_absences(duration after) noexcept : after_{after} {}

    [[nodiscard]] bool matter() const noexcept { return after_ > duration::zero(); }
    /// It was found to be out. When it is back, `advance` sees for itself, and is to be asked soon.
    void is_out(node& n, time_point now) {
        const auto until = deadline_after(now, after_);
        if (absent_at_.try_emplace(&n, until).second) next_ = std::min(next_, until);
    }
    void may_be_back(node& n, time_point now) noexcept {
        if (!absent_at_.empty() && absent_at_.contains(&n)) next_ = now;
    }
    /// Before it is freed.
    void removed(node& n) { absent_at_.erase(&n); }

    /// Whether `advance` has something to do.
    [[nodiscard]] bool are_due(time_point now) const noexcept { return now >= next_; }
    /// True: other nodes are absent than before.
    [[nodiscard]] bool advance(time_point now);

private:
    // What is tried again by and by has to be looked at; not all the time.
    static constexpr duration pause = std::chrono::milliseconds{100};

    duration after_;
    std::unordered_map<node*, time_point> absent_at_;  // Of those that are out.
    time_point next_ = no_deadline;
};

inline bool fleet_absences::advance(time_point now) {
    bool changed = false;
    next_ = no_deadline;
    std::erase_if(absent_at_, [&](const auto& each) {
        auto& n = *each.first;
        const bool out = n.is_held(hold::ejected) || !n.connected();
        const bool absent = out && each.second <= now;
        changed = changed || absent != n.absent;
        n.absent = absent;
        if (out && !absent) next_ = std::min(next_, each.second);
        // A connection that is made is told of, the end of an ejection is not.
        if (absent && n.connected()) next_ = std::min(next_, std::max(n.held_until, now + pause));
        return !out;
    });
    return changed;
}

}  // namespace futon::detail
