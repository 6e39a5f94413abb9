// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `zone_aware`: calls stay in the client's zone while it is healthy, and spill over by what it lacks.

#include <futon/cluster/detail/probing.hpp>
#include <futon/cluster/detail/split_set.hpp>
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace futon {

/// Of `zone_aware`.
struct zone_aware_options {
    /// The client's own, as providers publish theirs. Empty: zones do not count.
    std::string zone{};
    /// A zone with healthy share h takes min(1, h * this) of the calls: all of them down to 71 % healthy.
    double overprovisioned = 1.4;
    /// Share of the calls that stays at most, e.g. where a zone has more clients than providers. 0: none.
    double most_local = 1;
    /// In smaller sets zones do not count. 0: they do in any.
    std::size_t least_nodes = 6;
    /// How often healthy nodes are counted. Zero: for each pick.
    duration look_every = std::chrono::milliseconds{100};
};

/// `Policy` chooses within the zone, or among the nodes of all other zones. Zones do not count in a panic.
template <load_balancer Policy = least_request>
class zone_aware {
public:
    explicit zone_aware(zone_aware_options options = {}, Policy policy = Policy{})
        : options_{std::move(options)}, local_(policy), others_(policy), all_(std::move(policy)) {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (!counts_ || nodes.panic()) return all_.pick(nodes, call);
        if (call.now >= next_look_) {
            next_look_ = deadline_after(call.now, options_.look_every);
            stays_ = local_share();
        }
        stayed_ = stays_ >= 1 || call.random.chance(stays_);
        if (auto* const n = part(stayed_).pick(nodes, call)) return n;
        stayed_ = !stayed_;
        return part(stayed_).pick(nodes, call);
    }
    void rebuild(const node_set& nodes) {
        const auto is_local = [&](const node& n) { return n.told.zone == options_.zone; };
        local_.rebuild(nodes, is_local);
        others_.rebuild(nodes, [&](const node& n) { return !is_local(n); });
        if constexpr (requires { all_.rebuild(nodes); }) all_.rebuild(nodes);
        counts_ = !options_.zone.empty() && nodes.size() >= options_.least_nodes && !local_.nodes.empty();
        next_look_ = {};
    }
    void started(node& n, time_point now) noexcept {
        if (counts_) {
            part_of(n).started(n, now);
        } else if constexpr (requires { all_.started(n, now); }) {
            all_.started(n, now);
        }
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if (counts_) {
            part_of(n).ended(n, outcome);
        } else if constexpr (requires { all_.ended(n, outcome); }) {
            all_.ended(n, outcome);
        }
    }
    [[nodiscard]] bool probes() const noexcept { return detail::wants_probes(all_); }
    /// Of the part that the last pick was made in.
    [[nodiscard]] std::size_t next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
        return counts_ ? part(stayed_).next_probes(call, into) : detail::next_probes(all_, nodes, call, into);
    }
    void probed(node& n, const load_report& report, time_point now) noexcept {
        counts_ ? part_of(n).probed(n, report, now) : detail::probed(all_, n, report, now);
    }
    [[nodiscard]] time_point idle_probes_due() const noexcept {
        return counts_ ? std::min(local_.idle_probes_due(), others_.idle_probes_due()) : detail::idle_probes_due(all_);
    }
    [[nodiscard]] std::size_t idle_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
        if (!counts_) return detail::idle_probes(all_, nodes, call, into);
        const auto count = local_.idle_probes(call, into);
        return count + others_.idle_probes(call, into.subspan(count));
    }
    /// The share of the calls that stays in the zone, by the last look.
    [[nodiscard]] double staying() const noexcept { return counts_ ? stays_ : 1; }

private:
    [[nodiscard]] double local_share() const noexcept {
        std::size_t known = 0;
        std::size_t healthy = 0;
        for (const auto* n : local_.nodes) {
            if (n->is_held(hold::drained)) continue;
            ++known;
            healthy += n->holds == 0;
        }
        if (known == 0) return 0;
        const auto share = static_cast<double>(healthy) / static_cast<double>(known);
        return std::min({1.0, share * options_.overprovisioned, options_.most_local});
    }
    [[nodiscard]] detail::part_of_set<Policy>& part_of(const node& n) noexcept {
        return part(n.told.zone == options_.zone);
    }
    [[nodiscard]] detail::part_of_set<Policy>& part(bool local) noexcept { return local ? local_ : others_; }

    zone_aware_options options_;
    detail::part_of_set<Policy> local_;
    detail::part_of_set<Policy> others_;
    Policy all_;
    double stays_ = 1;
    bool counts_ = false;
    bool stayed_ = true;  // The last pick.
    time_point next_look_{};
};
static_assert(load_balancer<zone_aware<>>);

}  // namespace futon
