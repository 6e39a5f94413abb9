// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `least_request`: of a few nodes by chance the one
/// with the fewest calls in flight ("power of two choices").

#include <futon/cluster/detail/choices.hpp>
#include <futon/cluster/detail/latency.hpp>
#include <futon/cluster/load_balancer.hpp>

namespace futon {

/// Of `least_request`.
struct least_request_options {
    /// Candidates compared for each pick, 1 to 8; 0 and 1 mean `random`. More shed a slow node faster, and herd more.
    int choices = 2;
};

/// Slow nodes collect calls in flight and thereby get fewer new ones. Where weights differ they say how often a node is
/// a candidate, and divide its count. A node that fails or errs more often than others counts as busier than it is, or
/// one that does so at once would look idle.
///
/// Its weak spot: it knows only its own calls. With fewer than a few calls per second and node most counts are zero,
/// and it chooses by chance.
class least_request {
public:
    explicit least_request(least_request_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (call.trial != nullptr) [[unlikely]]
            return call.trial;
        return detail::best_of(nodes, table_, call, options_.choices, [&](const node& n) {
            const auto averse = detail::aversion(n, call.now, memory);
            const auto queue = (static_cast<float>(n.in_flight) + 1) * averse - 1;
            return n.weight > 0 ? queue / n.weight : queue;
        });
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if (outcome.verdict == verdict::abandoned) return;
        detail::take_success(n, outcome, memory, typical_);
        n.latency_at = outcome.now;
    }
    void rebuild(const node_set& nodes) {
        table_.rebuild(nodes);
        typical_.rebuild(nodes.size());
    }

private:
    static constexpr detail::memory_span memory{};

    least_request_options options_;
    detail::typical_answer typical_;  // Without latencies.
    detail::alias_table table_;
};
static_assert(load_balancer<least_request>);

}  // namespace futon
