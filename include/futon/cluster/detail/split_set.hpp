// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A part of a set with a policy of its own, for policies that prefer some nodes to others.

#include <futon/cluster/detail/probing.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node_set.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace futon::detail {

template <load_balancer Policy>
struct part_of_set {
    node_set nodes;
    Policy policy;

    explicit part_of_set(Policy p) : policy(std::move(p)) {}
    /// Only those of `whole` that `belong`.
    template <class Belongs>
    void rebuild(const node_set& whole, const Belongs& belong) {
        std::vector<node*> mine;
        for (auto* n : whole)
            if (belong(*n)) mine.push_back(n);
        nodes.assign(std::move(mine), whole.version());
        if constexpr (requires { policy.rebuild(nodes); }) policy.rebuild(nodes);
    }
    /// A panic is one of the whole set.
    [[nodiscard]] node* pick(const node_set& whole, pick_context& call) noexcept {
        if (nodes.empty()) return nullptr;
        if (nodes.panic() != whole.panic()) nodes.set_panic(whole.panic());
        if (call.trial == nullptr) [[likely]]
            return policy.pick(nodes, call);
        // It may belong to another part, which then is asked for it.
        auto* const trial = call.trial;
        if (std::find(nodes.begin(), nodes.end(), trial) == nodes.end()) call.trial = nullptr;
        auto* const picked = policy.pick(nodes, call);
        call.trial = trial;
        return picked;
    }
    void started(node& n, time_point now) noexcept {
        if constexpr (requires { policy.started(n, now); }) policy.started(n, now);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if constexpr (requires { policy.ended(n, outcome); }) policy.ended(n, outcome);
    }
    [[nodiscard]] std::size_t next_probes(pick_context& call, std::span<node*> into) noexcept {
        return nodes.empty() ? 0 : detail::next_probes(policy, nodes, call, into);
    }
    void probed(node& n, const load_report& report, time_point now) noexcept { detail::probed(policy, n, report, now); }
    [[nodiscard]] time_point idle_probes_due() const noexcept {
        return nodes.empty() ? no_deadline : detail::idle_probes_due(policy);
    }
    [[nodiscard]] std::size_t idle_probes(pick_context& call, std::span<node*> into) noexcept {
        return call.now < idle_probes_due() ? 0 : detail::idle_probes(policy, nodes, call, into);
    }
};

}  // namespace futon::detail
