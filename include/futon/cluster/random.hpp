// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `random`: by chance, in proportion to weights. It
/// knows nothing of load; what a policy is measured against.

#include <futon/cluster/detail/alias_table.hpp>
#include <futon/cluster/load_balancer.hpp>

namespace futon {

/// Each usable node with a chance in proportion to its weight; one throw, whatever the size of the set.
class random {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        return detail::draw_usable(nodes, table_, call);
    }
    void rebuild(const node_set& nodes) { table_.rebuild(nodes); }

private:
    detail::alias_table table_;
};
static_assert(load_balancer<random>);

}  // namespace futon
