// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What may change about a client's calls while it runs.

#include <futon/cluster/any_load_balancer.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <optional>

namespace futon {

/// For `client.update({.timeout = 200ms})`: holds for calls that are made from then on. What is not given is as in the
/// client's options. What a registry's configuration says of a service comes before both.
struct call_rules {
    /// Deadline of calls that say nothing else; `duration::max()`: none.
    std::optional<duration> timeout{};
    /// For calls that surely were not executed, and for idempotent methods.
    std::optional<exponential_backoff> retry{};
    /// When idempotent methods are called once more beside a slow attempt.
    std::optional<hedging> hedge{};
    /// Chooses the provider of each call.
    std::optional<any_load_balancer> balancer{};
    /// How providers whose calls fail are taken out, and let back in.
    std::optional<health_options> health{};
};

}  // namespace futon
