// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy that nobody can have, as a yardstick for simulations.

#include <futon/cluster/load_balancer.hpp>
#include <futon/testing/cluster_truth.hpp>

#include <cstddef>

namespace futon::testing {

/// Sends each call where it would be answered first, given what all clients have sent and how fast each server is.
///
/// Only in `simulate`: it picks by the simulation's own state.
class join_shortest_queue {
public:
    void see(const cluster_truth& truth) noexcept { truth_ = &truth; }

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (nodes.empty()) return nullptr;
        node* best = nullptr;
        double least = 0;
        // From a place by chance, so that equals share.
        const auto first = call.random.below(nodes.size());
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            auto& one = nodes[first + i < nodes.size() ? first + i : first + i - nodes.size()];
            const auto server = cluster_truth::server(one);
            const auto wait = (truth_->in_flight[server] + 1) * truth_->slowness[server];
            if ((best == nullptr || wait < least) && nodes.usable(one, call)) {
                best = &one;
                least = wait;
            }
        }
        return best;
    }

private:
    const cluster_truth* truth_ = nullptr;
};
static_assert(load_balancer<join_shortest_queue>);

}  // namespace futon::testing
