// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All that a load-balancing policy is made of, and what whoever makes the attempts does around it.

#include <futon/cluster/any_load_balancer.hpp>
#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/detail/probing.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/core/time.hpp>

namespace futon {

// The counters that every policy relies on, then the policy's own hook.

/// An attempt on `n` begins. To be matched by exactly one `end_attempt`, whatever becomes of it.
template <load_balancer P>
void begin_attempt(P& policy, node& n, time_point now) noexcept {
    ++n.in_flight;
    if constexpr (requires { policy.started(n, now); }) policy.started(n, now);
}
template <load_balancer P>
void end_attempt(P& policy, node& n, const attempt_outcome& outcome) noexcept {
    --n.in_flight;
    if (outcome.report) {
        n.report = *outcome.report;
        n.reported_at = outcome.now;
    }
    if constexpr (requires { policy.ended(n, outcome); }) policy.ended(n, outcome);
}
/// A probe of `n` was answered.
template <load_balancer P>
void take_report(P& policy, node& n, const load_report& report, time_point now) noexcept {
    n.report = report;
    n.reported_at = now;
    detail::probed(policy, n, report, now);
}

}  // namespace futon
