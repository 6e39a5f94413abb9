// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The members of a set as hashing policies see them: by identity, so that every client has them in the same order.

#include <futon/cluster/node_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace futon::detail {

/// Told weights count, not ramps: a provider that warms up gets its keys at once, and keys do not wander.
struct hash_member {
    std::uint64_t id;
    node* of;
    std::uint32_t weight;
};

[[nodiscard]] inline std::vector<hash_member> members_by_id(const node_set& nodes) {
    std::vector<hash_member> members;
    members.reserve(nodes.size());
    bool any = false;
    for (auto* n : nodes) any = any || n->told.weight > 0;
    for (auto* n : nodes)
        if (!any || n->told.weight > 0) members.push_back({n->id, n, any ? n->told.weight : 1});
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return members;
}

/// The weight that counts as one share: the mean, by powers of two of 100, so that one provider more or less does not
/// change what all others have.
[[nodiscard]] inline double reference_weight(const std::vector<hash_member>& members) noexcept {
    double sum = 0;
    for (const auto& m : members) sum += m.weight;
    if (sum <= 0) return 1;
    const auto mean = sum / static_cast<double>(members.size());
    double reference = 100;
    while (reference > mean * 1.5) reference /= 2;
    while (reference * 1.5 < mean) reference *= 2;
    return reference;
}

}  // namespace futon::detail
