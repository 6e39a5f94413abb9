// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `rendezvous`: hashing without a table, for sets of up to some 64 nodes.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/stable_hash.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace futon {

namespace detail {

/// Greater is better; the best of a set wins with a chance in proportion to its weight, for each key anew.
[[nodiscard]] inline double rendezvous_score(std::uint64_t key, std::uint64_t id, double weight) noexcept {
    const auto even = (static_cast<double>(stable_hash(key, id) >> 11) + 0.5) * 0x1.0p-53;
    return -weight / std::log(even);
}

}  // namespace detail

/// Every node draws a number from the key and its own address; the highest that
/// is usable gets the call ("highest random weight"). Exact weights, no memory,
/// only the keys of a node that leaves move, and its load goes to all others.
///
/// Its weak spot: it looks at each node for each pick, some ten nanoseconds a node. Calls without a key go by chance.
class rendezvous {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (!call.hash_key) return nodes.draw(call);
        return walk(nodes, call, [](const node&) { return true; });
    }
    /// The best usable node that it `accepts`; null if there is none.
    template <class Accepts>
    [[nodiscard]] node* walk(const node_set& nodes, pick_context& call, const Accepts& accepts) const noexcept {
        node* best = nullptr;
        double highest = -1;
        for (auto* n : nodes) {
            if (!nodes.usable(*n, call) || !accepts(*n)) continue;
            const auto weight = n->told.weight > 0 ? static_cast<double>(n->told.weight) : 1.0;
            // The logarithm costs more than the rest: only where weights make a difference.
            const auto score = weights_differ_ ? detail::rendezvous_score(*call.hash_key, n->id, weight)
                                               : static_cast<double>(stable_hash(*call.hash_key, n->id) >> 11);
            if (score > highest || (score == highest && n->id < best->id)) {
                best = n;
                highest = score;
            }
        }
        return best;
    }
    void rebuild(const node_set& nodes) {
        // Told weights: keys do not move for a ramp.
        weights_differ_ = false;
        for (const auto* n : nodes) weights_differ_ = weights_differ_ || n->told.weight != nodes[0].told.weight;
    }

private:
    bool weights_differ_ = false;
};
static_assert(load_balancer<rendezvous>);

}  // namespace futon
