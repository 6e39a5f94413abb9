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

namespace futon::detail {

inline constexpr std::size_t most_choices = 8;

/// The best of a few distinct candidates by chance, by `score(node)`, the least first; in a draw the one that came first.
/// Where none of them is usable, any usable node; where the set has no more nodes than choices, all are candidates.
///
/// Where weights differ they decide how often a node is a candidate: a score must then not prefer heavy nodes at rest, too.
template <class Score>
[[nodiscard]] node* best_of(const node_set& nodes, const alias_table& table, pick_context& call, int choices,
                            const Score& score) noexcept {
    const auto count = nodes.size();
    if (count == 0) return nullptr;
    const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(std::clamp(choices, 1, int{most_choices})), count);

    node* best = nullptr;
    auto least = decltype(score(*best)){};
    const auto consider = [&](node& candidate) {
        if (!nodes.usable(candidate, call)) return;
        const auto its = score(candidate);
        if (best == nullptr || its < least) {
            best = &candidate;
            least = its;
        }
    };

    if (wanted == count && table.empty()) {
        const auto first = call.random.below(count);
        for (auto i = first; i < count; ++i) consider(nodes[i]);
        for (std::size_t i = 0; i < first; ++i) consider(nodes[i]);
        return best;
    }
    if (!table.empty()) {
        // Weighted candidates are seldom the same one twice, and it does no harm.
        for (std::size_t i = 0; i < wanted; ++i) consider(nodes[draw_index(nodes, table, call.random)]);
    } else {
        // The k-th is drawn from the count - k that are left, and stepped over those drawn before: no rejection.
        std::array<std::size_t, most_choices> drawn;
        for (std::size_t k = 0; k < wanted; ++k) {
            auto index = call.random.below(count - k);
            std::size_t place = 0;
            for (; place < k && drawn[place] <= index; ++place) ++index;
            for (auto i = k; i > place; --i) drawn[i] = drawn[i - 1];
            drawn[place] = index;
            consider(nodes[index]);
        }
    }
    return best != nullptr ? best : draw_usable(nodes, table, call);
}

}  // namespace futon::detail
