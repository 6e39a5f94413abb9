// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The panic rule: where most nodes are out, ejection is more likely wrong than right, and the rest would drown.

#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node_set.hpp>

#include <cstddef>

namespace futon {

inline bool panic_threshold::review(node_set& nodes) const noexcept {
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

}  // namespace futon
