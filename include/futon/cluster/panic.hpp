// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The panic rule: where most nodes are out, ejection is more likely wrong than right, and the rest would drown.

#include <futon/cluster/node_set.hpp>

#include <cstddef>

namespace futon {

/// Below `enter` of the nodes healthy, ejected ones are used like all others, until `leave` of them are. Draining and
/// unconnected ones are not.
struct panic_threshold {
    double enter = 0.5;  ///< Share of healthy nodes below which a panic begins. 0: never.
    double leave = 0.6;  ///< At which it ends; not below `enter`, or it would flap.

    /// Counts the set's nodes and sets its panic; true if that changed. Nodes that leave of their own will do not count.
    bool review(node_set& nodes) const noexcept {
        std::size_t staying = 0;
        std::size_t healthy = 0;
        for (const auto* n : nodes) {
            if (n->is_held(hold::draining) || n->is_held(hold::drained)) continue;
            ++staying;
            healthy += n->holds == 0;
        }
        const auto share = staying == 0 ? 1.0 : static_cast<double>(healthy) / static_cast<double>(staying);
        const bool panic = share < (nodes.panic() ? leave : enter);
        if (panic == nodes.panic()) return false;
        nodes.set_panic(panic);
        return true;
    }
};

}  // namespace futon
