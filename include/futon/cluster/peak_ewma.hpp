// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `peak_ewma`: of a few nodes by chance the one that
/// would answer soonest, by what it took lately and its queue.

#include <futon/cluster/detail/choices.hpp>
#include <futon/cluster/detail/latency.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>

namespace futon {

/// Of `peak_ewma`.
struct peak_ewma_options {
    /// Candidates compared for each pick, 1 to 8; 0 and 1 mean `random`. With a share f of slow nodes, f^choices of the
    /// picks meet no other.
    int choices = 3;
    /// The average of a node forgets over ten times the gap between its calls, but no faster. Zero: no bound.
    duration shortest_memory = std::chrono::seconds{1};
    /// And no slower. Not below `shortest_memory`.
    duration longest_memory = std::chrono::seconds{10};
    /// What one failure is charged with at most. Zero: failures cost what they took.
    duration failure_ceiling = std::chrono::seconds{30};
};

/// A node's cost is its average latency times its calls in flight, one more included. The average follows a slower call
/// at once, and quicker ones slowly. Failures are charged with their timeout, and the whole is divided by the share of
/// calls that ended well: a node that errs more often than others gets fewer calls, however quick it is. A node that is
/// not known yet counts as the median of the others, with one call until it has answered. Where weights differ they say
/// how often a node is a candidate.
///
/// When: the default where servers are not futon's, or do not report; also with few calls for each pair of client and
/// node. Its weak spot: a slow past is held against a node until it fades.
class peak_ewma {
public:
    explicit peak_ewma(peak_ewma_options options = {}) noexcept
        : options_{options},
          span_{detail::in_seconds(options.shortest_memory),
                std::max(detail::in_seconds(options.shortest_memory), detail::in_seconds(options.longest_memory))} {
        if (span_.most <= 0) span_.most = span_.least = 1e-9f;
    }

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (call.trial != nullptr) [[unlikely]]
            return call.trial;
        return detail::best_of(nodes, table_, call, options_.choices, [&](const node& n) {
            auto queue = static_cast<float>(n.in_flight);
            if (n.in_flight > 0 && n.weight > 0) {
                const auto mean = nodes.total_weight() / static_cast<float>(nodes.size());
                queue = queue * mean / n.weight;
            }
            if (n.samples > 0)
                return detail::latency_now(n, call.now, span_) * (1 + queue) * detail::aversion(n, call.now, span_);
            if (typical_.latency.value() <= 0) return 1 + queue;
            return n.in_flight == 0 ? typical_.latency.value() : 1e6f * (1 + queue);
        });
    }
    void rebuild(const node_set& nodes) {
        table_.rebuild(nodes);
        typical_.rebuild(nodes.size());
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        detail::take_latency(n, outcome, span_, detail::in_seconds(options_.failure_ceiling), typical_);
    }
    /// The share of a node's calls that ended well; failures and errors are forgotten with `longest_memory`.
    [[nodiscard]] float success_rate(const node& n, time_point now) const noexcept {
        return detail::success_rate_now(n, now, span_);
    }

private:
    peak_ewma_options options_;
    detail::memory_span span_;
    detail::typical_answer typical_;
    detail::alias_table table_;
};
static_assert(load_balancer<peak_ewma>);

}  // namespace futon
