// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `maglev`: hashing by a table that every client fills
/// alike. Evener and faster than a ring, not quite as steady.

#include <futon/cluster/detail/hash_members.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/stable_hash.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace futon {

/// After "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016). A table of 65 537 entries, or the
/// first of 131 101, 262 147, 524 309 and 1 048 573 that has a hundred for each node; 4 bytes each. Weights count.
///
/// When: as `ring_hash`, where a few keys more may move. A node that leaves moves its keys and about a hundredth to a
/// fortieth of the others; from 10 000 nodes on, with fewer entries each, more. Calls without a key go by chance.
class maglev {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (!call.hash_key || table_.empty()) return nodes.draw(call);
        return walk(nodes, call, [](const node&) { return true; });
    }
    /// The key's node, or the one of the next entry that is usable
    /// and that it `accepts`; null if the next thousands are not.
    template <class Accepts>
    [[nodiscard]] node* walk(const node_set& nodes, pick_context& call, const Accepts& accepts) const noexcept {
        if (table_.empty()) return nullptr;
        auto at = static_cast<std::size_t>(*call.hash_key % table_.size());
        for (std::size_t i = 0; i < longest_walk; ++i) {
            auto& owner = *members_[table_[at]].of;
            if (nodes.usable(owner, call) && accepts(owner)) return &owner;
            if (++at == table_.size()) at = 0;
        }
        return nullptr;
    }
    void rebuild(const node_set& nodes);
    [[nodiscard]] std::size_t entries() const noexcept { return table_.size(); }

private:
    static constexpr std::size_t longest_walk = 4096;

    std::vector<detail::hash_member> members_;  // By id.
    std::vector<std::uint32_t> table_;          // Indices of members_.
};
static_assert(load_balancer<maglev>);

inline void maglev::rebuild(const node_set& nodes) {
    auto members = detail::members_by_id(nodes);
    const bool same = std::equal(members.begin(), members.end(), members_.begin(), members_.end(),
                                 [](const auto& a, const auto& b) { return a.id == b.id && a.weight == b.weight; });
    members_ = std::move(members);
    if (same && (members_.empty() || !table_.empty())) return;
    if (members_.empty()) {
        table_.clear();
        return;
    }

    std::size_t size = 65'537;
    for (const std::size_t prime : {131'101u, 262'147u, 524'309u, 1'048'573u})
        if (size < 100 * members_.size()) size = prime;
    constexpr auto none = std::numeric_limits<std::uint32_t>::max();
    table_.assign(size, none);

    // Each member walks the table by a step of its own, and takes the first free entry when it has its turn.
    struct walker {
        std::uint32_t at;
        std::uint32_t step;
        double turns;
    };
    std::vector<walker> walkers;
    walkers.reserve(members_.size());
    std::uint32_t greatest = 1;
    for (const auto& m : members_) {
        walkers.push_back({static_cast<std::uint32_t>(stable_hash(m.id, 1) % size),
                           static_cast<std::uint32_t>(stable_hash(m.id, 2) % (size - 1) + 1), 0});
        greatest = std::max(greatest, m.weight);
    }
    for (std::size_t filled = 0; filled < size;) {
        for (std::uint32_t i = 0; i < members_.size() && filled < size; ++i) {
            auto& w = walkers[i];
            w.turns += static_cast<double>(members_[i].weight) / greatest;
            if (w.turns < 1) continue;
            w.turns -= 1;
            while (table_[w.at] != none)
                w.at = w.at + w.step < size ? w.at + w.step : w.at + w.step - static_cast<std::uint32_t>(size);
            table_[w.at] = i;
            ++filled;
        }
    }
}

}  // namespace futon
