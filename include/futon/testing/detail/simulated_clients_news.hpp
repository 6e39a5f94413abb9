// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What simulated clients learn of their servers: by probes, connections, the registry, and from calls that failed.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/retry.hpp>
#include <futon/testing/detail/simulated_clients_class.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace futon::detail {

inline void simulated_clients::send_probes(std::uint32_t client, pick_context& context) {
    auto& from = clients_[client];
    std::array<node*, 16> asked{};
    send_to(client, {asked.data(), from.balancer.next_probes(from.set, context, asked)});
    plan_idle_probes(client);
}

inline void simulated_clients::send_idle_probes(std::uint32_t client) {
    auto& from = clients_[client];
    from.idle_probes_due = no_deadline;
    if (from.balancer.idle_probes_due() <= state_.now()) {
        pick_context context{.now = state_.now(), .random = from.random};
        std::array<node*, 16> asked{};
        send_to(client, {asked.data(), from.balancer.idle_probes(from.set, context, asked)});
    }
    plan_idle_probes(client);
}

inline void simulated_clients::send_to(std::uint32_t client, std::span<node* const> asked) {
    auto together = simulated_probe::none;
    for (std::size_t i = asked.size(); i-- > 0;) {
        const auto made = state_.probes.add();
        const bool alone = what_.network_jitter > 0;
        state_.probes[made] = {.client = client,
                               .server = clients_[client].server_of(*asked[i]),
                               .next = alone ? simulated_probe::none : together,
                               .at = asked[i]};
        together = made;
        if (alone || i == 0) state_.plan(event_lane::to_server, state_.after_network(), happening::probe, made);
    }
    state_.tally.made.probes += asked.size();
}

// One event at a time: calls put it off, and it sees that when it comes.
inline void simulated_clients::plan_idle_probes(std::uint32_t client) {
    auto& of = clients_[client];
    const auto due = of.balancer.idle_probes_due();
    if (due == no_deadline || of.idle_probes_due != no_deadline || state_.at >= state_.end) return;
    of.idle_probes_due = std::max(due, state_.now());
    state_.plan(of.idle_probes_due - cluster_state::epoch, happening::idle_probes, client);
}

inline void simulated_clients::receive_probe_reply(std::uint32_t first) {
    for (auto probe = first; probe != simulated_probe::none;) {
        const auto& asked = state_.probes[probe];
        take_report(clients_[asked.client].balancer, *asked.at, asked.report, state_.now());
        state_.probes.remove(std::exchange(probe, asked.next));
    }
}

inline void simulated_clients::lose_connections(std::uint32_t server) {
    for (std::uint32_t i = 0; i < clients_.size(); ++i) {
        auto* const lost = clients_[i].find(server);
        if (lost == nullptr || !lost->connected()) continue;
        lost->set_connected(false);
        connects_[i * state_.providers.size() + server] = {};
        review(i);
        reconnect(i, server);
    }
    // What was sent until now is lost with them.
    for (std::uint32_t i = 0; i < state_.attempts.end(); ++i) {
        const auto a = state_.attempts[i];
        if (a.server != server || a.ended || a.at == nullptr) continue;
        end_attempt(i, attempt_outcome::failed(errc::connection_lost, cluster_state::epoch + a.began, state_.now(),
                                               what_.timeout));
        after_failure(a.call, errc::connection_lost, executed::maybe);
    }
}

inline void simulated_clients::plan_reconnect(std::uint32_t client, std::uint32_t server, duration at) {
    connects_[client * state_.providers.size() + server].due = at;
    state_.plan(at, happening::reconnect, client, server);
}

// Tries it; where that fails, again after a pause.
inline void simulated_clients::reconnect(std::uint32_t client, std::uint32_t server) {
    auto& its = connects_[client * state_.providers.size() + server];
    its.due = not_due;
    auto& to = *clients_[client].find(server);
    if (state_.truth.up[server] != 0) {
        its.failures = 0;
        if (to.listed) to.set(hold::draining, false);
        hurry_beside(client, server);
        to.set_connected(true);
        return review(client);
    }
    const auto pause =
        reconnect_backoff{}.pause_after(static_cast<int>(++its.failures), pauses_.fraction(next_pause_++));
    if (state_.at < state_.end) plan_reconnect(client, server, state_.at + pause + 2 * what_.network);
}

// As in `lane::hurry`: where all were out, the first that is back has the others tried soon.
inline void simulated_clients::hurry_beside(std::uint32_t client, std::uint32_t server) {
    const auto servers = static_cast<std::uint32_t>(state_.providers.size());
    for (std::uint32_t s = 0; s < servers; ++s)
        if (const auto* const other = clients_[client].find(s); other != nullptr && other->connected()) return;
    for (std::uint32_t s = 0; s < servers; ++s) {
        auto& its = connects_[client * servers + s];
        if (s == server || its.due == not_due) continue;
        its.failures = 1;
        const duration soon{
            std::llround(static_cast<double>(reconnect_backoff{}.base.count()) * pauses_.fraction(next_pause_++))};
        if (const auto at = state_.at + soon + 2 * what_.network; at < its.due) plan_reconnect(client, s, at);
    }
}

inline void simulated_clients::apply(const testing::registry_change& change, std::uint32_t client) {
    auto& to = clients_[client];
    for (auto s = static_cast<std::uint32_t>(change.first); s < static_cast<std::uint32_t>(change.first + change.count);
         ++s) {
        if (!change.listed) {
            to.remove(state_.providers[s], state_.now());
        } else if (auto& known = to.put(state_.providers[s], s, state_.now(), false); !known.connected()) {
            plan_reconnect(client, s, state_.at + 2 * what_.network);
        }
    }
    to.list();
    review(client);
}

inline void simulated_clients::drain(const testing::server_fault& fault) {
    for (std::uint32_t i = 0; i < clients_.size(); ++i) {
        for (auto s = static_cast<std::uint32_t>(fault.first);
             s < static_cast<std::uint32_t>(fault.first + fault.count); ++s)
            if (auto* const leaving = clients_[i].find(s)) leaving->set(hold::draining, true);
        review(i);
    }
}

inline void simulated_clients::review(std::uint32_t client) {
    clients_[client].review(state_.now());
    plan_health(client);
}

inline void simulated_clients::plan_health(std::uint32_t client) {
    auto& of = clients_[client];
    if (!of.health) return;
    const auto next = of.health->next_wakeup();
    if (!next || *next >= of.health_due || state_.at >= state_.end) return;
    of.health_due = std::max(*next, state_.now());
    state_.plan(of.health_due - cluster_state::epoch, happening::health, client);
}

}  // namespace futon::detail
