// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a channel chooses among its providers: what the client was told, with what holds where it was told nothing.

#include <futon/client/client_options.hpp>
#include <futon/client/detail/default_policy.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/provider_set.hpp>
#include <futon/cluster/router.hpp>
#include <futon/cluster/routers.hpp>

#include <cstddef>
#include <utility>

namespace futon::detail {

struct fleet_rules {
    any_load_balancer balancer{default_policy{}};
    router_chain routers{version_router{}, group_router{}, tag_router{}};
    health_options health{};
    provider_protection protection{};
    std::size_t connections_per_endpoint = 1;
    bool plain = true;  ///< One endpoint needs no choice, and nobody asked to watch it.
};

[[nodiscard]] inline fleet_rules rules_of(const client_options& options) {
    fleet_rules made;
    made.plain = !options.balancer && options.routers.empty() && !options.registry &&
                 options.health.pings.interval <= duration::zero();
    if (options.balancer) made.balancer = options.balancer;
    if (!options.routers.empty()) made.routers = router_chain{options.routers};
    made.health = options.health;
    made.protection = options.protection;
    made.connections_per_endpoint = options.connections_per_endpoint;
    return made;
}

}  // namespace futon::detail
