// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `ring_hash`: consistent hashing. Calls with the same key go to the same provider, from every client.

#include <futon/cluster/detail/hash_members.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/stable_hash.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace futon {

/// Of `ring_hash`. Clients that shall agree need the same options.
struct ring_hash_options {
    /// For a node of the usual weight; more spread keys more evenly. 0: like 1.
    std::uint32_t points = 160;
    /// Of all nodes together, 8 bytes each: large sets get fewer each, but at least 8.
    std::uint32_t most_points = 1u << 20;
};

/// Each node stands at many points of a circle of 2^64; a key belongs to the first point after it. A set that changes
/// moves only the keys of the nodes that came or went. Points follow from addresses and told weights alone, so that
/// clients agree whatever they have seen before. Where the owner is not usable the next node on the circle gets the
/// call, as in every client.
///
/// When: the provider keeps something for a key, such as a cache. Calls without a key go by chance.
/// Its weak spot: keys are not equally busy, and load does not move them; see `bounded_load`.
class ring_hash {
public:
    explicit ring_hash(ring_hash_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (!call.hash_key || points_.empty()) return nodes.draw(call);
        return walk(nodes, call, [](const node&) { return true; });
    }
    /// The first usable node from the key's point on that `accepts`; null if there is none among those that come next.
    template <class Accepts>
    [[nodiscard]] node* walk(const node_set& nodes, pick_context& call, const Accepts& accepts) const noexcept;

    void rebuild(const node_set& nodes);
    [[nodiscard]] std::size_t points() const noexcept { return points_.size(); }

private:
    static constexpr std::size_t longest_walk = 4096;
    static constexpr unsigned bucket_bits = 16;

    struct member {
        std::uint64_t id;
        node* of;
        std::uint32_t points;
    };
    /// The upper 40 bits are its place on the circle, the lower 24 the index of its member: sorted as plain numbers, of
    /// two points at one place the lower identity comes first, as in every client.
    using point = std::uint64_t;
    static constexpr std::uint64_t owner_mask = (1u << 24) - 1;
    [[nodiscard]] static std::uint32_t owner_of(point p) noexcept { return static_cast<std::uint32_t>(p & owner_mask); }
    [[nodiscard]] std::vector<member> members_of(const node_set& nodes) const;
    [[nodiscard]] std::size_t first_at(std::uint64_t key) const noexcept {
        const auto bucket = key >> (64 - bucket_bits);
        const auto from = points_.begin() + buckets_[bucket];
        const auto to = points_.begin() + buckets_[bucket + 1];
        const auto at = static_cast<std::size_t>(std::lower_bound(from, to, key & ~owner_mask) - points_.begin());
        return at == points_.size() ? 0 : at;
    }
    void index_buckets();

    ring_hash_options options_;
    std::vector<member> members_;         // By id.
    std::vector<point> points_;           // In order.
    std::vector<std::uint32_t> buckets_;  // Where those with each upper 16 bits begin.
};
static_assert(load_balancer<ring_hash>);

template <class Accepts>
node* ring_hash::walk(const node_set& nodes, pick_context& call, const Accepts& accepts) const noexcept {
    if (points_.empty()) return nullptr;
    auto at = first_at(detail::mix(*call.hash_key));  // Also for those who give small numbers as keys.
    const auto steps = std::min(points_.size(), longest_walk);
    for (std::size_t i = 0; i < steps; ++i) {
        auto& owner = *members_[owner_of(points_[at])].of;
        if (nodes.usable(owner, call) && accepts(owner)) return &owner;
        if (++at == points_.size()) at = 0;
    }
    return nullptr;
}

inline std::vector<ring_hash::member> ring_hash::members_of(const node_set& nodes) const {
    const auto by_id = detail::members_by_id(nodes);
    // Steps, since a number that followed the size of the set would change every node's points with each change.
    auto each = std::max(options_.points, 1u);
    for (const auto fewer : {128u, 96u, 64u, 48u, 32u, 24u, 16u, 12u, 8u})
        if (std::uint64_t{each} * by_id.size() > options_.most_points) each = std::min(each, fewer);

    const auto reference = detail::reference_weight(by_id);
    std::vector<member> members;
    members.reserve(by_id.size());
    for (const auto& m : by_id) {
        const auto share = std::min(static_cast<double>(m.weight) / reference, 16.0);
        members.push_back({m.id, m.of, std::max(static_cast<std::uint32_t>(std::lround(each * share)), 1u)});
    }
    return members;
}

inline void ring_hash::rebuild(const node_set& nodes) {
    auto members = members_of(nodes);
    // Which of the old members stay as they are, and where; the points of all others go.
    constexpr auto none = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> stays(members_.size(), none);
    std::vector<point> fresh;
    std::size_t old = 0;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        while (old < members_.size() && members_[old].id < members[i].id) ++old;
        if (old < members_.size() && members_[old].id == members[i].id && members_[old].points == members[i].points) {
            stays[old] = i;
            continue;
        }
        for (std::uint32_t k = 0; k < members[i].points; ++k)
            fresh.push_back((stable_hash(members[i].id, k) & ~owner_mask) | i);
    }
    const bool same = fresh.empty() && std::find(stays.begin(), stays.end(), none) == stays.end();
    members_ = std::move(members);
    if (same && !points_.empty()) return;

    std::sort(fresh.begin(), fresh.end());
    std::vector<point> merged;
    merged.reserve(points_.size() + fresh.size());
    auto next = fresh.begin();
    for (const auto p : points_) {
        const auto owner = stays[owner_of(p)];
        if (owner == none) continue;
        // Members that stay keep their order, so the old points are still sorted by their new numbers.
        const auto kept = (p & ~owner_mask) | owner;
        for (; next != fresh.end() && *next < kept; ++next) merged.push_back(*next);
        merged.push_back(kept);
    }
    merged.insert(merged.end(), next, fresh.end());
    points_ = std::move(merged);
    index_buckets();
}

inline void ring_hash::index_buckets() {
    buckets_.assign((std::size_t{1} << bucket_bits) + 1, 0);
    std::size_t bucket = 0;
    for (std::size_t i = 0; i < points_.size(); ++i)
        for (const auto its = points_[i] >> (64 - bucket_bits); bucket <= its; ++bucket)
            buckets_[bucket] = static_cast<std::uint32_t>(i);
    for (; bucket < buckets_.size(); ++bucket) buckets_[bucket] = static_cast<std::uint32_t>(points_.size());
}

}  // namespace futon
