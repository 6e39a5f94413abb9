// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Nodes without connections, and what a test asks of picks.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node_set.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tests {

inline futon::provider numbered_provider(std::size_t number, std::uint32_t weight = 100) {
    futon::provider p;
    p.address.host = "10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
    p.address.port = static_cast<std::uint16_t>(12200 + number % 7);
    p.weight = weight;
    return p;
}

/// `count` connected nodes and the set of them.
struct nodes {
    explicit nodes(std::size_t count, std::uint32_t weight = 100, std::uint64_t seed = 1) : random{seed} {
        for (std::size_t i = 0; i < count; ++i) add(i, weight);
        publish();
    }
    futon::node& add(std::size_t number, std::uint32_t weight = 100) {
        owned.push_back(std::make_unique<futon::node>(numbered_provider(number, weight)));
        owned.back()->slot = static_cast<std::uint32_t>(owned.size() - 1);
        owned.back()->set_connected(true);
        return *owned.back();
    }
    void publish() {
        std::vector<futon::node*> listed;
        for (const auto& n : owned) listed.push_back(n.get());
        set.assign(std::move(listed), ++version);
    }
    futon::node& operator[](std::size_t i) { return *owned[i]; }
    [[nodiscard]] futon::pick_context call() { return {.now = now, .random = random}; }

    std::vector<std::unique_ptr<futon::node>> owned;
    futon::node_set set;
    futon::dice random;
    futon::time_point now{std::chrono::seconds{1000}};
    std::uint64_t version = 0;
};

/// How often each node is picked in `picks`, by slot.
template <class Policy>
std::vector<std::size_t> count_picks(Policy& policy, nodes& of, std::size_t picks) {
    std::vector<std::size_t> counts(of.owned.size());
    for (std::size_t i = 0; i < picks; ++i) {
        auto call = of.call();
        if (const auto* n = policy.pick(of.set, call)) ++counts[n->slot];
    }
    return counts;
}

/// Pearson's statistic against shares in proportion to `expected`; entries of 0 must not occur at all.
inline double chi_square(const std::vector<std::size_t>& counts, const std::vector<double>& expected) {
    double total = 0;
    double shares = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        total += static_cast<double>(counts[i]);
        shares += expected[i];
    }
    double sum = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const auto mean = total * expected[i] / shares;
        if (mean == 0) {
            if (counts[i] > 0) return 1e30;
            continue;
        }
        const auto off = static_cast<double>(counts[i]) - mean;
        sum += off * off / mean;
    }
    return sum;
}

}  // namespace tests
