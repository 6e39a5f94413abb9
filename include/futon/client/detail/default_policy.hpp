// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy of clients that were told none.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/cluster/rendezvous.hpp>

namespace futon::detail {

/// Calls with a hash key go to the provider that the key prefers, others by `peak_ewma`.
///
/// Source: docs/simulator.md, the table of policies.
class default_policy {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        return call.hash_key ? keyed_.pick(nodes, call) : others_.pick(nodes, call);
    }
    void rebuild(const node_set& nodes) {
        keyed_.rebuild(nodes);
        others_.rebuild(nodes);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept { others_.ended(n, outcome); }

private:
    rendezvous keyed_;
    peak_ewma others_;
};
static_assert(load_balancer<default_policy>);

}  // namespace futon::detail
