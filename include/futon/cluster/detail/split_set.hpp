// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A part of a set with a policy of its own, for policies that prefer some nodes to others.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node_set.hpp>

#include <cstdint>
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
        return policy.pick(nodes, call);
    }
    void started(node& n, time_point now) noexcept {
        if constexpr (requires { policy.started(n, now); }) policy.started(n, now);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if constexpr (requires { policy.ended(n, outcome); }) policy.ended(n, outcome);
    }
};

}  // namespace futon::detail
