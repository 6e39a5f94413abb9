// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `least_request`: of a few nodes by chance the one with the fewest calls in flight ("power of two choices").

#include <futon/cluster/detail/choices.hpp>
#include <futon/cluster/load_balancer.hpp>

namespace futon {

/// Of `least_request`.
struct least_request_options {
    int choices = 2;  ///< Candidates compared for each pick, 1 to 8; 0 and 1 mean `random`. More shed a slow node faster, and herd more.
};

/// Slow nodes collect calls in flight and thereby get fewer new ones. Where weights differ they say how often a node is a
/// candidate, and divide its count.
///
/// Its weak spot: it knows only its own calls. With fewer than a few calls per second and node most counts are zero, and
/// it chooses by chance; and a node that fails at once looks idle, until outlier ejection takes it out.
class least_request {
public:
    explicit least_request(least_request_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        return detail::best_of(nodes, table_, call, options_.choices, [](const node& n) {
            return n.weight > 0 ? static_cast<float>(n.in_flight) / n.weight : static_cast<float>(n.in_flight);
        });
    }
    void rebuild(const node_set& nodes) { table_.rebuild(nodes); }

private:
    least_request_options options_;
    detail::alias_table table_;
};
static_assert(load_balancer<least_request>);

}  // namespace futon
