// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Lets the clients and servers of a simulated cluster do what is planned, event after event.

#include <futon/cluster/load_balancer.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/cluster_report.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/cluster_truth.hpp>
#include <futon/testing/detail/cluster_state.hpp>
#include <futon/testing/detail/simulated_clients.hpp>
#include <futon/testing/detail/simulated_servers.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace futon::detail {

class cluster_engine {
public:
    cluster_engine(const testing::cluster_scenario& what, const testing::cluster_options& how)
        : state_{what, how}, servers_{state_}, clients_{state_} {}
    cluster_engine(const cluster_engine&) = delete;
    cluster_engine& operator=(const cluster_engine&) = delete;

    [[nodiscard]] const testing::cluster_truth& truth() const noexcept { return state_.truth; }

    /// One policy a client. Once.
    [[nodiscard]] testing::cluster_report run(std::vector<any_load_balancer> policies) {
        auto& made = state_.tally.made;
        if (policies.empty() || state_.what.servers <= 0 || state_.what.utilisation <= 0) return state_.tally.finish();
        state_.reports = state_.how.reports_with_replies ||
                         std::any_of(policies.begin(), policies.end(), [](const auto& each) { return each.probes(); });
        servers_.begin();
        clients_.begin(std::move(policies));
        decltype(state_.queue)::planned next;
        while (state_.queue.take(next)) {
            state_.at = duration{next.at};
            const auto& event = next.event;
            const auto told = (std::uint64_t{event.a} << 32 | event.b) ^ static_cast<std::uint64_t>(event.what);
            made.trace_hash =
                ((made.trace_hash ^ static_cast<std::uint64_t>(next.at)) * 0x9E3779B97F4A7C15u ^ told) * 0x100000001B3u;
            ++made.events;
            if (event.what >= happening::request) {
                servers_.happen(event);
            } else {
                clients_.happen(event);
            }
        }
        made.capacity_lost = servers_.capacity_lost();
        made.wrong += clients_.left_over() + state_.attempts.live() + state_.probes.live();
        return state_.tally.finish();
    }

private:
    cluster_state state_;
    simulated_servers servers_;
    simulated_clients clients_;
};

}  // namespace futon::detail
