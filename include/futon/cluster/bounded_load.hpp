// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `bounded_load`: a hashing policy whose busy keys spill over, so that no node carries much more than the mean.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/ring_hash.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <utility>

namespace futon {

/// A policy with an order of nodes for each key, that can be asked for the first acceptable one.
template <class P>
concept hashing_balancer = load_balancer<P> && requires(const P& policy, const node_set& nodes, pick_context& call,
                                                        bool (*accepts)(const node&)) {
    { policy.walk(nodes, call, accepts) } -> std::same_as<node*>;
};

/// Of `bounded_load`.
struct bounded_load_options {
    /// A node may have 1 + `excess` times its share of the calls in flight. 0: exactly its share, which scatters keys.
    double excess = 0.25;
};

/// Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018), on this client's calls in flight:
/// a key's node, or the next ones in its order while that has its fill. 1.25 spills more calls than 2, which lets nodes
/// grow twice as busy as the mean.
template <hashing_balancer Hash = ring_hash>
class bounded_load {
public:
    explicit bounded_load(bounded_load_options options = {}, Hash hash = Hash{}) noexcept
        : options_{options}, hash_(std::move(hash)) {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (!call.hash_key) return hash_.pick(nodes, call);
        const auto each = (1 + options_.excess) * static_cast<double>(total_ + 1);
        const auto weights = static_cast<double>(nodes.total_weight());
        const auto accepts = [&](const node& n) {
            const auto share =
                weights > 0 ? static_cast<double>(n.weight) / weights : 1.0 / static_cast<double>(nodes.size());
            return n.in_flight + 1 <= std::ceil(each * share);
        };
        if (auto* const n = hash_.walk(nodes, call, accepts)) return n;
        return hash_.walk(nodes, call, [](const node&) { return true; });  // As few are usable, they carry more.
    }
    void rebuild(const node_set& nodes) {
        if constexpr (requires { hash_.rebuild(nodes); }) hash_.rebuild(nodes);
    }
    void started(node& n, time_point now) noexcept {
        ++total_;
        if constexpr (requires { hash_.started(n, now); }) hash_.started(n, now);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if (total_ > 0) --total_;
        if constexpr (requires { hash_.ended(n, outcome); }) hash_.ended(n, outcome);
    }

private:
    bounded_load_options options_;
    Hash hash_;
    std::size_t total_ = 0;  // In flight, of those that were picked here.
};
static_assert(load_balancer<bounded_load<>>);

}  // namespace futon
