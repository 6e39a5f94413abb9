// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The clients of a simulated cluster: calls, attempts, retries, and what they learn of the servers. An event of any
/// kind (a reply, a deadline, a lost connection) may end attempts, begin others and end calls.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/detail/arrival_process.hpp>
#include <futon/testing/detail/chance.hpp>
#include <futon/testing/detail/cluster_state.hpp>
#include <futon/testing/detail/simulated_client.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace futon::detail {

class simulated_clients {
public:
    explicit simulated_clients(cluster_state& state);

    void begin(std::vector<any_load_balancer> policies);
    void happen(const cluster_state::occurrence& event);
    /// What should be none when all has ended: calls without an end, attempts that a node still counts.
    [[nodiscard]] std::uint64_t left_over() const noexcept;

private:
    static constexpr std::size_t most_attempts = 8;
    struct call {
        std::uint64_t number = 0;
        duration began{};
        std::uint32_t client = 0;
        std::uint32_t generation = 0;  // of the place in the table: events of an earlier call are stale
        std::uint32_t made = 0;        // attempts
        std::uint32_t open = 0;        // of these, without an end
        bool measured = false;
        std::array<node*, most_attempts> tried{};             // the first `made`; null where none was usable
        std::array<std::uint32_t, most_attempts> attempts{};  // the first `open`
    };

    void begin_call();
    void plan_hedge(std::uint32_t call);
    void hedge(std::uint32_t call);
    void try_somewhere(std::uint32_t call);
    [[nodiscard]] node* trial_of(std::uint32_t call);
    void send_probes(std::uint32_t client, pick_context& context);
    void send_idle_probes(std::uint32_t client);
    void send_to(std::uint32_t client, std::span<node* const> asked);
    void plan_idle_probes(std::uint32_t client);
    void receive_reply(std::uint32_t attempt);
    void receive_probe_reply(std::uint32_t first);
    void end_attempt(std::uint32_t attempt, attempt_outcome outcome);
    void after_failure(std::uint32_t call, errc code, executed ran);
    void end_call(std::uint32_t call, std::optional<errc> failure, bool refused = false);
    void lose_connections(std::uint32_t server);
    void reconnect(std::uint32_t client, std::uint32_t server);
    void plan_reconnect(std::uint32_t client, std::uint32_t server, duration at);
    void hurry_beside(std::uint32_t client, std::uint32_t server);
    void apply(const testing::registry_change& change, std::uint32_t client);
    void drain(const testing::server_fault& fault);
    void review(std::uint32_t client);
    void plan_health(std::uint32_t client);

    cluster_state& state_;
    const testing::cluster_scenario& what_;
    const testing::cluster_options& how_;
    std::vector<simulated_client> clients_;
    numbered<call> calls_;
    struct connecting {
        std::uint32_t failures = 0;  // in a row
        duration due = not_due;
    };
    static constexpr duration not_due = duration::max();
    std::vector<connecting> connects_;  // by client and server
    arrival_process arrivals_;
    chance_stream callers_;
    chance_stream demands_;
    chance_stream keys_;
    chance_stream pauses_;
    std::uint64_t next_call_ = 0;
    std::uint64_t next_pause_ = 0;
};

}  // namespace futon::detail
