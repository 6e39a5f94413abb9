// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Comparing a few candidates by chance: "the power of two choices".

#include <futon/cluster/detail/alias_table.hpp>
#include <futon/cluster/node_set.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace futon::detail {

inline constexpr std::size_t most_choices = 8;

/// The best of a few distinct candidates by chance, by `score(node)`, the least
/// first; in a draw the one that came first. Where none of them is usable, any
/// usable node; where the set has no more nodes than choices, all are candidates.
///
/// Where weights differ they decide how often a node is a candidate:
/// a score must then not prefer heavy nodes at rest, too.
template <class Score>
[[nodiscard]] node* best_of(const node_set& nodes, const alias_table& table, pick_context& call, int choices,
                            const Score& score) noexcept {
    const auto count = nodes.size();
    if (count == 0) return nullptr;
    const auto wanted =
        std::min<std::size_t>(static_cast<std::size_t>(std::clamp(choices, 1, int{most_choices})), count);

    std::array<node*, most_choices> candidates;
    if (wanted == count && table.empty()) {
        const auto first = call.random.below(count);
        for (std::size_t i = 0; i < count; ++i)
            candidates[i] = &nodes[first + i < count ? first + i : first + i - count];
    } else if (!table.empty()) {
        // Weighted candidates are seldom the same one twice, and it does no harm.
        for (std::size_t i = 0; i < wanted; ++i) candidates[i] = &nodes[draw_index(nodes, table, call.random)];
    } else {
        // The k-th is drawn from the count - k that are left, and stepped over those drawn before: no rejection.
        std::array<std::size_t, most_choices> drawn;
        for (std::size_t k = 0; k < wanted; ++k) {
            auto index = call.random.below(count - k);
            std::size_t place = 0;
            for (; place < k && drawn[place] <= index; ++place) ++index;
            candidates[k] = &nodes[index];
            for (; place < k; ++place) std::swap(index, drawn[place]);
            drawn[k] = index;
        }
    }

    // All are drawn before one is looked at: the processor fetches them together.
    node* best = nullptr;
    auto least = decltype(score(*best)){};
    for (std::size_t i = 0; i < wanted; ++i) {
        if (!nodes.usable(*candidates[i], call)) continue;
        const auto its = score(*candidates[i]);
        if (best != nullptr && !(its < least)) continue;
        best = candidates[i];
        least = its;
    }
    return best != nullptr ? best : draw_usable(nodes, table, call);
}

}  // namespace futon::detail
