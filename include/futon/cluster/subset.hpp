// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Subsets: a client of a very large service talks to some of its providers only, each provider to some of the clients.

#include <futon/cluster/router.hpp>
#include <futon/cluster/stable_hash.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

namespace detail {

/// Keeps the first `size`; absent ones only where there are no others among twice as many. So a client that reaches
/// nobody does not go through the whole list.
inline void keep_present(std::vector<node*>& in_order, std::size_t size) {
    const auto end = in_order.begin() + static_cast<std::ptrdiff_t>(std::min(in_order.size(), 2 * size));
    std::stable_partition(in_order.begin(), end, [](const node* n) { return !n->absent; });
    in_order.resize(std::min(in_order.size(), size));
}

}  // namespace detail

/// A router, the last of its chain: keeps `size` nodes by a draw that client and node make together. It needs nothing
/// of other clients; a provider that comes or goes changes one node of some clients. Providers get unequal numbers of
/// clients: with an average of 20 the spread is 22 %, and none is left out.
///
/// Never with hashing policies: keys would have another node in each client.
struct rendezvous_subset {
    std::size_t size = 20;     ///< Nodes kept. Not below 20 * providers / clients. 0: all of them.
    std::uint64_t client = 0;  ///< Distinct in each client, e.g. by chance at its start.
    /// A node that could not be connected, or was ejected, for so long is replaced by the next one until it is back.
    /// Not more than `size` are. Zero: none is.
    duration refill_after = std::chrono::seconds{10};

    void narrow(const route&, std::vector<node*>& nodes) const {
        if (size == 0 || nodes.size() <= size) return;
        std::vector<std::pair<std::uint64_t, node*>> drawn;
        drawn.reserve(nodes.size());
        for (auto* n : nodes) drawn.emplace_back(stable_hash(client, n->id), n);
        const bool refill = refill_after > duration::zero();
        const auto end = drawn.begin() + static_cast<std::ptrdiff_t>(std::min(nodes.size(), refill ? 2 * size : size));
        std::partial_sort(drawn.begin(), end, drawn.end(),
                          [](const auto& a, const auto& b) { return a.first < b.first; });
        nodes.clear();
        for (auto at = drawn.begin(); at != end; ++at) nodes.push_back(at->second);
        detail::keep_present(nodes, size);
    }
    [[nodiscard]] duration absent_after() const noexcept { return refill_after; }
    [[nodiscard]] std::string_view name() const noexcept { return "subset"; }
};
static_assert(router<rendezvous_subset>);

/// A router, the last of its chain, for clients that know their number: nodes stand on a circle, and the clients'
/// slices of it begin at even distances. Every provider has the same number of clients, but for one; one that comes or
/// goes shifts some slices by one node.
struct deterministic_subset {
    std::size_t size = 20;         ///< Nodes kept, at least `least` and providers / clients. 0: all of them.
    std::size_t client_index = 0;  ///< This client's number, below `client_count`.
    std::size_t client_count = 1;  ///< 0: like 1.
    std::size_t least = 12;        ///< So many are kept at least: fewer cannot be balanced. 0: no such bound.
    /// As that of `rendezvous_subset`.
    duration refill_after = std::chrono::seconds{10};

    void narrow(const route&, std::vector<node*>& nodes) const {
        if (size == 0) return;
        const auto clients = std::max<std::size_t>(client_count, 1);
        const auto count = nodes.size();
        const auto kept = std::max({size, least, (count + clients - 1) / clients});
        if (kept >= count) return;
        std::sort(nodes.begin(), nodes.end(), [](const node* a, const node* b) { return a->id < b->id; });
        const auto first = static_cast<std::size_t>(std::uint64_t{client_index % clients} * count / clients);
        std::rotate(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(first), nodes.end());
        if (refill_after > duration::zero()) return detail::keep_present(nodes, kept);
        nodes.resize(kept);
    }
    [[nodiscard]] duration absent_after() const noexcept { return refill_after; }
    [[nodiscard]] std::string_view name() const noexcept { return "subset"; }
};
static_assert(router<deterministic_subset>);

}  // namespace futon
