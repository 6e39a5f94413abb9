// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How the clients of a simulated cluster call it.

#include <futon/cluster/attempt_budget.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/hedge_delay.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <cstdint>
#include <optional>

namespace futon::testing {

/// Given to `simulate` beside a policy and a scenario. The defaults
/// show what a policy does on its own: no retries, no health rules.
struct cluster_options {
    /// Each has a policy of its own and sees only its own calls. Few: many calls per client and server.
    int clients = 10;
    /// Of all chance. Equal seeds give equal runs; policies are compared on equal arrivals and demands.
    std::uint64_t seed = 1;

    /// Ejection, panic, warm-up and recovery, as clients have them; empty: none.
    std::optional<health_options> health{};
    /// Of failed attempts; each goes to a server that the call has not tried.
    exponential_backoff retry{.max_attempts = 1};
    bool idempotent = true;  ///< Whether a call may be repeated that was perhaps executed, and hedged.
    std::optional<hedge_delay_options> hedge{};  ///< When a second attempt is made beside a slow one; empty: never.
    attempt_budget_options budget{};             ///< Each client's, for retries and hedges.
    /// Servers send their load report with every reply, for policies that do not probe.
    bool reports_with_replies = false;
    int keys = 0;  ///< Calls carry one of so many hash keys, all alike frequent; 0: none.
};

}  // namespace futon::testing
