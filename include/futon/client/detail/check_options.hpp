// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no client can be made of, said before its first call.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/negative_time.hpp>
#include <futon/core/result.hpp>
#include <futon/transport/connector.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// More connections to one endpoint than this are a mistake, not a wish.
inline constexpr std::size_t most_connections_per_endpoint = 1024;

/// What is wrong with rules for calls, which may also change later; empty: nothing.
[[nodiscard]] inline std::string rules_fault(const call_rules& rules) {
    if (rules.timeout && *rules.timeout <= duration::zero())
        return ".timeout must be more than zero; futon::duration::max() is no deadline";
    const auto retry = rules.retry.value_or(exponential_backoff{});
    const auto hedge = rules.hedge.value_or(hedging{});
    const auto health = rules.health.value_or(health_options{});
    return negative_time({{".retry.base", retry.base},
                          {".retry.ceiling", retry.ceiling},
                          {".hedge.delay", hedge.delay},
                          {".health.outliers.window", health.outliers.window},
                          {".health.outliers.base", health.outliers.base},
                          {".health.outliers.ceiling", health.outliers.ceiling},
                          {".health.outliers.forgive", health.outliers.forgive},
                          {".health.outliers.ramp", health.outliers.ramp},
                          {".health.trials.interval", health.trials.interval},
                          {".health.trials.ceiling", health.trials.ceiling},
                          {".health.recovery.hold", health.recovery.hold},
                          {".health.fault_tolerance.window", health.fault_tolerance.window},
                          {".health.pings.interval", health.pings.interval},
                          {".health.pings.timeout", health.pings.timeout}});
}

/// Errors: `bad_address`, `unsupported_protocol` for an endpoint; `bad_arguments` for all else, naming the option.
[[nodiscard]] inline result<void> check_options(const client_options& options) {
    const auto bad = [](const std::string& why) {
        return error{errc::bad_arguments, "client_options: " + why, executed::no};
    };
    for (const auto& each : options.endpoints) {
        if (auto known = known_addresses(each); !known) return std::move(known).error();
        if (const auto why = provider_fault({.address = each}); !why.empty())
            return error{errc::bad_address, "'" + each.text() + "' is no address to connect to: " + std::string{why},
                         executed::no};
    }
    if (options.registry && (!options.endpoints.empty() || options.source))
        return bad(".registry stands instead of .endpoints and .source: give one of them");
    if (const auto why = rules_fault(
            {.timeout = options.timeout, .retry = options.retry, .hedge = options.hedge, .health = options.health});
        !why.empty())
        return bad(why);
    if (const auto why = negative_time({{".reconnect.base", options.reconnect.base},
                                        {".reconnect.ceiling", options.reconnect.ceiling},
                                        {".protection.window", options.protection.window},
                                        {".protection.patience", options.protection.patience}});
        !why.empty())
        return bad(why);
    if (const auto why = limits_fault(options.limits); !why.empty()) return bad(why);
    if (options.connect_timeout <= duration::zero()) return bad(".connect_timeout must be more than zero");
    if (options.connections_per_endpoint == 0 || options.connections_per_endpoint > most_connections_per_endpoint)
        return bad(".connections_per_endpoint is " + std::to_string(options.connections_per_endpoint) +
                   ", and must be from 1 to " + std::to_string(most_connections_per_endpoint));
    // Written so that what is no number fails, too.
    if (!(options.reconnect.factor >= 1)) return bad(".reconnect.factor must be at least 1");
    if (!(options.reconnect.jitter >= 0 && options.reconnect.jitter <= 1))
        return bad(".reconnect.jitter must be from 0 to 1");
    const auto& budget = options.retry_budget;
    if (!(budget.share >= 0 && budget.per_second >= 0 && budget.reserve >= 0 && budget.hedge_share >= 0))
        return bad("a number of .retry_budget is negative, or none");
    return {};
}

}  // namespace futon::detail
