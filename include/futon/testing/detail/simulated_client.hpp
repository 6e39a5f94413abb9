// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One client of a simulated cluster: what a channel holds, without its connections.

#include <futon/cluster/attempt_budget.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/dice.hpp>
#include <futon/cluster/hedge_delay.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/provider.hpp>
#include <futon/core/time.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/detail/chance.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace futon::detail {

/// Nodes, policy, health, budget and dice of one client: the shipped objects.
class simulated_client {
public:
    simulated_client(std::uint32_t number, any_load_balancer policy, const testing::cluster_options& how)
        : balancer{std::move(policy)},
          random{chance_stream{how.seed, chance::policy, number}.bits(0)},
          budget{how.budget} {
        if (how.hedge) hedging = std::make_unique<hedge_delay>(*how.hedge);
        if (how.health)
            health =
                std::make_unique<cluster_health>(*how.health, chance_stream{how.seed, chance::policy, number}.bits(1));
    }

    /// The registry lists a server. `first`: with the first list.
    node& put(const provider& told, std::uint32_t server, time_point now, bool first) {
        auto& known = nodes.put(told, now);
        if (by_server.size() <= server) by_server.resize(server + 1);
        if (by_server[server] != &known && health) health->added(known, first);
        if (by_slot.size() <= known.slot) by_slot.resize(known.slot + std::size_t{1});
        by_slot[known.slot] = server;
        return *(by_server[server] = &known);
    }
    void remove(const provider& told, time_point now) {
        auto* const gone = nodes.remove(told.address, now);
        if (gone != nullptr && health) health->removed(*gone);
    }
    /// The server of a node that was put. The address says it, too, but lies far from what a pick has read.
    [[nodiscard]] std::uint32_t server_of(const node& n) const noexcept { return by_slot[n.slot]; }
    [[nodiscard]] node* find(std::uint32_t server) const noexcept {
        return server < by_server.size() ? by_server[server] : nullptr;
    }
    /// After the list has changed.
    void list() {
        set.assign(nodes.listed(), nodes.version());
        balancer.rebuild(set);
    }

    void begin_attempt(node& on, time_point now) noexcept {
        futon::begin_attempt(balancer, on, now);
        if (health) health->started(on, now);
    }
    /// True: the node was ejected or let back in.
    bool end_attempt(node& on, const attempt_outcome& outcome) {
        futon::end_attempt(balancer, on, outcome);
        return health && health->ended(on, outcome, nodes.size());
    }
    /// After nodes were ejected, let back in, connected or lost.
    void review(time_point now) {
        if (!health) return;
        health->review(set);
        std::size_t usable = 0;
        for (const auto* each : set) usable += set.usable(*each);
        health->recovery().observe(usable, set.size(), now);
    }
    /// When its health has something to do.
    void advance_health(time_point now) {
        const auto change = health->advance(nodes.listed(), now);
        review(now);
        if (!change.weights) return;
        set.reweigh();
        balancer.rebuild(set);
    }
    [[nodiscard]] bool admits() noexcept { return !health || health->recovery().admits(random); }

    // What each call needs lies together: with a hundred clients it is seldom at hand.
    any_load_balancer balancer;
    dice random;
    node_set set;
    std::vector<std::uint32_t> by_slot;        ///< The servers of nodes.
    std::unique_ptr<hedge_delay> hedging;      ///< Null: none.
    std::unique_ptr<cluster_health> health;    ///< Likewise.
    time_point health_due = no_deadline;       ///< The event that is planned.
    time_point idle_probes_due = no_deadline;  ///< Likewise.
    attempt_budget budget;
    node_table nodes;
    std::vector<node*> by_server;  ///< Null: it has not heard of that one. Also those that are listed no more.
};

}  // namespace futon::detail
