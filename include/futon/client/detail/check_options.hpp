// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no client can be made of, said before its first call.

#include <futon/client/client_options.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/transport/connector.hpp>

#include <string>
#include <utility>

namespace futon::detail {

/// More connections to one endpoint than this are a mistake, not a wish.
inline constexpr std::size_t most_connections_per_endpoint = 1024;

/// Errors: `bad_address`, `unsupported_protocol` for an endpoint; `bad_arguments` for all else, naming the option.
[[nodiscard]] inline result<void> check_options(const client_options& options) {
    const auto bad = [](const std::string& why) { return error{errc::bad_arguments, why, executed::no}; };
    for (const auto& each : options.endpoints) {
        if (auto known = known_addresses(each); !known) return std::move(known).error();
        if (const auto why = provider_fault({.address = each}); !why.empty())
            return error{errc::bad_address, "'" + each.text() + "' is no address to connect to: " + std::string{why}, executed::no};
    }
    if (options.registry && (!options.endpoints.empty() || options.source))
        return bad("client_options: .registry stands instead of .endpoints and .source: give one of them");
    if (options.timeout <= duration::zero())
        return bad("client_options: .timeout must be more than zero; futon::duration::max() is no deadline");
    if (options.connect_timeout <= duration::zero()) return bad("client_options: .connect_timeout must be more than zero");
    if (options.connections_per_endpoint == 0 || options.connections_per_endpoint > most_connections_per_endpoint)
        return bad("client_options: .connections_per_endpoint is " + std::to_string(options.connections_per_endpoint) + ", and must be from 1 to " +
                   std::to_string(most_connections_per_endpoint));
    const auto& budget = options.retry_budget;
    // Written so that what is no number fails, too.
    if (!(budget.share >= 0 && budget.per_second >= 0 && budget.reserve >= 0 && budget.hedge_share >= 0))
        return bad("client_options: a number of .retry_budget is negative, or none");
    return {};
}

}  // namespace futon::detail
