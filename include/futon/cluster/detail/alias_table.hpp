// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Drawing nodes by chance in proportion to their weights.

#include <futon/cluster/dice.hpp>
#include <futon/cluster/node_set.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace futon::detail {

/// Draws indices in proportion to weights with one throw,
/// whatever their number (Vose's alias method); 8 bytes for each.
class alias_table {
public:
    /// Empty where weights are alike: an even draw is cheaper then.
    void rebuild(const node_set& nodes) {
        entries_.clear();
        if (!nodes.weights_differ()) return;
        const auto count = nodes.size();
        entries_.resize(count);
        // Twice 4 bytes each that live only here; `fill` holds each index's share of 1/count, those below one first.
        std::vector<std::uint32_t> order(count);
        std::vector<float> fill(count);
        const auto scale = static_cast<double>(count) / static_cast<double>(nodes.total_weight());
        std::size_t small = 0;
        std::size_t large = count;
        for (std::size_t i = 0; i < count; ++i) {
            fill[i] = static_cast<float>(static_cast<double>(nodes[i].weight) * scale);
            if (fill[i] < 1.0f) {
                order[small++] = static_cast<std::uint32_t>(i);
            } else {
                order[--large] = static_cast<std::uint32_t>(i);
            }
        }
        // Each small one is filled up by a large one, which is thereby done or becomes small itself.
        std::size_t next = 0;
        while (next < small && large < count) {
            const auto poor = order[next++];
            const auto rich = order[large];
            entries_[poor] = {share(fill[poor]), rich};
            fill[rich] -= 1.0f - fill[poor];
            if (fill[rich] < 1.0f) {
                ++large;
                order[small++] = rich;
            }
        }
        // What is left is full but for rounding.
        for (; next < small; ++next) entries_[order[next]] = {full, order[next]};
        for (; large < count; ++large) entries_[order[large]] = {full, order[large]};
    }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t draw(dice& random) const noexcept {
        const auto bits = random.throw_bits();
        const auto index = ((bits >> 32) * entries_.size()) >> 32;
        const auto& drawn = entries_[index];
        return static_cast<std::uint32_t>(bits) <= drawn.own ? index : drawn.other;
    }

private:
    static constexpr std::uint32_t full = 0xffffffffu;
    struct entry {
        std::uint32_t own = full;  ///< The chance, of 2^32, that a draw of this index stays with it.
        std::uint32_t other = 0;
    };
    [[nodiscard]] static std::uint32_t share(float fraction) noexcept {
        const auto scaled = static_cast<double>(fraction) * 4294967295.0;
        return scaled <= 0 ? 0 : static_cast<std::uint32_t>(scaled);
    }

    std::vector<entry> entries_;
};

/// An index by chance, in proportion to weights where they differ. `nodes` must be what the table was built from.
[[nodiscard]] inline std::size_t draw_index(const node_set& nodes, const alias_table& table, dice& random) noexcept {
    return table.size() == nodes.size() && !table.empty() ? table.draw(random) : random.below(nodes.size());
}

/// A usable node by chance, in proportion to weights; null if none is usable.
[[nodiscard]] inline node* draw_usable(const node_set& nodes, const alias_table& table, pick_context& call) noexcept {
    if (nodes.empty()) return nullptr;
    for (int throws = 0; throws < 8; ++throws) {
        auto& one = nodes[draw_index(nodes, table, call.random)];
        if (nodes.usable(one, call)) return &one;
    }
    return nodes.next_usable(call.random.below(nodes.size()), call);
}

}  // namespace futon::detail
