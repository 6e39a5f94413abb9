// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The clients of a simulated cluster: how they begin, and what each event means to them.

#include <futon/testing/detail/simulated_clients_calls.hpp>
#include <futon/testing/detail/simulated_clients_class.hpp>
#include <futon/testing/detail/simulated_clients_news.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace futon::detail {

inline simulated_clients::simulated_clients(cluster_state& state)
    : state_{state},
      what_{state.what},
      how_{state.how},
      arrivals_{what_, how_.seed},
      callers_{how_.seed, chance::caller},
      demands_{how_.seed, chance::demand},
      keys_{how_.seed, chance::key},
      pauses_{how_.seed, chance::reconnect} {}

inline void simulated_clients::begin(std::vector<any_load_balancer> policies) {
    const chance_stream pushes{how_.seed, chance::push};
    clients_.reserve(policies.size());
    for (std::uint32_t i = 0; i < policies.size(); ++i) {
        auto& client = clients_.emplace_back(i, std::move(policies[i]), how_);
        for (std::uint32_t s = 0; s < static_cast<std::uint32_t>(what_.servers); ++s)
            client.put(state_.providers[s], s, state_.now(), true).set_connected(true);
        client.list();
        review(i);
        for (std::uint32_t c = 0; c < what_.changes.size(); ++c) {
            const auto late = pushes.fraction(std::uint64_t{i} * what_.changes.size() + c) *
                              static_cast<double>(what_.changes[c].spread.count());
            state_.plan(what_.changes[c].at + duration{std::llround(late)}, happening::change, c, i);
        }
    }
    connects_.resize(clients_.size() * state_.providers.size());
    for (std::uint32_t i = 0; i < what_.faults.size(); ++i)
        if (const auto& fault = what_.faults[i]; fault.notice > duration::zero())
            state_.plan(std::max(duration::zero(), fault.from - fault.notice) + what_.network, happening::drain_notice,
                        i);
    state_.plan(event_lane::calls, arrivals_.next(), happening::call);
}

inline void simulated_clients::happen(const cluster_state::occurrence& event) {
    switch (event.what) {
        case happening::call: return begin_call();
        case happening::reply: return receive_reply(event.a);
        case happening::deadline:
            if (calls_[event.a].generation == event.b) end_call(event.a, errc::deadline_exceeded);
            return;
        case happening::retry:
            if (calls_[event.a].generation != event.b) return;
            ++state_.tally.made.retries;
            return try_somewhere(event.a);
        case happening::hedge:
            if (calls_[event.a].generation == event.b) hedge(event.a);
            return;
        case happening::probe_reply: return receive_probe_reply(event.a);
        case happening::lost: return lose_connections(event.a);
        case happening::reconnect:
            if (connects_[event.a * state_.providers.size() + event.b].due != state_.at) return;  // Planned anew since.
            return reconnect(event.a, event.b);
        case happening::drain_notice: return drain(what_.faults[event.a]);
        case happening::change: return apply(what_.changes[event.a], event.b);
        case happening::idle_probes: return send_idle_probes(event.a);
        default:                                                       // health
            if (clients_[event.a].health_due != state_.now()) return;  // it was planned anew since
            clients_[event.a].health_due = no_deadline;
            clients_[event.a].advance_health(state_.now());
            return plan_health(event.a);
    }
}

inline std::uint64_t simulated_clients::left_over() const noexcept {
    std::uint64_t count = calls_.live();
    for (const auto& client : clients_)
        for (const auto* each : client.by_server) count += each->in_flight;
    return count;
}

}  // namespace futon::detail
