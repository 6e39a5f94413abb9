// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The clients of a simulated cluster: calls, attempts, retries, and what they
/// learn of the servers. One thing because an event of any kind (a reply, a
/// deadline, a lost connection) may end attempts, begin others and end calls.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/cluster/stable_hash.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/detail/arrival_process.hpp>
#include <futon/testing/detail/chance.hpp>
#include <futon/testing/detail/cluster_state.hpp>
#include <futon/testing/detail/prefetch.hpp>
#include <futon/testing/detail/simulated_client.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
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

inline void simulated_clients::begin_call() {
    const auto number = calls_.add();
    auto& c = calls_[number];
    c.number = next_call_++;
    c.began = state_.at;
    c.client = callers_.below(static_cast<std::uint32_t>(clients_.size()), c.number);
    c.made = c.open = 0;
    c.measured = state_.tally.measures(c.began);
    state_.plan(event_lane::deadlines, c.began + what_.timeout, happening::deadline, number, c.generation);
    auto& client = clients_[c.client];
    client.budget.earn();
    if (client.admits()) {
        plan_hedge(number);
        try_somewhere(number);
    } else {
        end_call(number, errc::unavailable, true);
    }
    if (const auto next = arrivals_.next(); next < state_.end) {
        state_.plan(event_lane::calls, next, happening::call);
        const auto& caller = clients_[callers_.below(static_cast<std::uint32_t>(clients_.size()), next_call_)];
        prefetch(&caller);
        prefetch(&caller.budget);
        prefetch(&caller.set);
    }
}

inline void simulated_clients::plan_hedge(std::uint32_t number) {
    const auto& c = calls_[number];
    const auto& client = clients_[c.client];
    if (!client.hedging || !how_.idempotent) return;
    if (const auto delay = client.hedging->delay(what_.timeout))
        state_.plan(state_.at + *delay, happening::hedge, number, c.generation);
}

inline void simulated_clients::hedge(std::uint32_t number) {
    const auto& c = calls_[number];
    // Not beside a retry that is about to be made, nor a second time.
    if (c.open != 1 || c.made == most_attempts) return;
    // What has waited twice as long needs it more.
    if (!clients_[c.client].budget.spend_hedge(state_.now()))
        return state_.plan(state_.at + (state_.at - c.began), happening::hedge, number, c.generation);
    ++state_.tally.made.hedges;
    try_somewhere(number);
}

inline void simulated_clients::try_somewhere(std::uint32_t number) {
    auto& c = calls_[number];
    auto& client = clients_[c.client];
    pick_context context{.now = state_.now(), .random = client.random, .tried = {c.tried.data(), c.made}};
    if (how_.keys > 0) context.hash_key = stable_hash(1, keys_.below(static_cast<std::uint32_t>(how_.keys), c.number));
    if (client.health && client.health->trials().are_due(state_.now()) && c.made == 0) context.trial = trial_of(number);
    auto* picked = client.balancer.pick(client.set, context);
    if (picked != nullptr && picked == context.trial) client.health->trials().begun(*picked, state_.now());
    if (picked == nullptr && c.made > 0) {
        // All that are usable have been tried: better one again than none.
        context.tried = {};
        picked = client.balancer.pick(client.set, context);
    }
    const auto place = c.made++;
    c.tried[place] = picked;
    if (picked == nullptr) return after_failure(number, errc::no_provider, executed::no);

    const auto made = state_.attempts.add();
    auto& a = state_.attempts[made];
    const auto server = client.server_of(*picked);
    a = {.call = number,
         .client = c.client,
         .server = server,
         .at = picked,
         .began = state_.at,
         .deadline = c.began + what_.timeout};
    const auto draw = 2 * (c.number * most_attempts + place);
    a.demand = what_.service.draw(demands_.fraction(draw), what_.service.takes_two() ? demands_.fraction(draw + 1) : 0);
    c.attempts[c.open++] = made;
    client.begin_attempt(*picked, state_.now());
    state_.tally.attempted(state_.at, server, c.measured);
    ++state_.truth.in_flight[server];
    state_.plan(event_lane::to_server, state_.after_network(), happening::request, made);
    if (client.balancer.probes()) send_probes(c.client, context);
}

// As in `fleet::trial_of`.
inline node* simulated_clients::trial_of(std::uint32_t number) {
    const auto& c = calls_[number];
    auto& client = clients_[c.client];
    if (how_.keys > 0) return nullptr;
    return client.health->trials().next(client.set, state_.now(), [&](executed ran) {
        const failed_attempt first{.ran = ran,
                                   .idempotent = how_.idempotent,
                                   .now = state_.now(),
                                   .deadline = cluster_state::epoch + c.began + what_.timeout};
        return how_.retry.next_delay(first) && client.budget.has_retry(state_.now());
    });
}

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

inline void simulated_clients::receive_reply(std::uint32_t attempt) {
    const auto& a = state_.attempts[attempt];
    if (!a.ended) {
        auto outcome =
            a.failure ? attempt_outcome::failed(*a.failure, cluster_state::epoch + a.began, state_.now(), what_.timeout)
                      : attempt_outcome::success(cluster_state::epoch + a.began, state_.now());
        outcome.ran = a.ran;
        if (how_.reports_with_replies) outcome.report = a.report;
        end_attempt(attempt, outcome);
        if (a.failure) {
            after_failure(a.call, *a.failure, a.ran);
        } else {
            end_call(a.call, std::nullopt);
        }
    }
    state_.release(attempt);
}

inline void simulated_clients::end_attempt(std::uint32_t attempt, attempt_outcome outcome) {
    auto& a = state_.attempts[attempt];
    state_.tally.made.wrong += a.ended;
    a.ended = true;
    auto& c = calls_[a.call];
    auto* const own = std::find(c.attempts.data(), c.attempts.data() + c.open, attempt);
    *own = c.attempts[--c.open];
    const auto client = a.client;
    auto& at = *a.at;
    if (a.gone) state_.attempts.remove(attempt);
    if (!clients_[client].end_attempt(at, outcome)) return;
    state_.tally.made.ejections += at.is_held(hold::ejected);
    review(client);
}

inline void simulated_clients::after_failure(std::uint32_t number, errc code, executed ran) {
    auto& c = calls_[number];
    if (c.open > 0) return;  // another attempt may still succeed
    const failed_attempt failed{.number = static_cast<int>(c.made),
                                .code = code,
                                .ran = ran,
                                .idempotent = how_.idempotent,
                                .now = state_.now(),
                                .deadline = cluster_state::epoch + c.began + what_.timeout};
    const auto delay = c.made < most_attempts ? how_.retry.next_delay(failed) : std::nullopt;
    if (!delay || !clients_[c.client].budget.spend_retry(state_.now()))
        return end_call(number, code, code == errc::no_provider);
    state_.plan(state_.at + *delay, happening::retry, number, c.generation);
}

inline void simulated_clients::end_call(std::uint32_t number, std::optional<errc> failure, bool refused) {
    auto& c = calls_[number];
    while (c.open > 0) {
        const auto left = c.attempts[c.open - 1];
        auto& a = state_.attempts[left];
        a.cancelled = state_.at + what_.network;
        // A deadline speaks against the server that let it pass; that another attempt was quicker does not.
        const auto code = failure == errc::deadline_exceeded ? errc::deadline_exceeded : errc::cancelled;
        end_attempt(left, attempt_outcome::failed(code, cluster_state::epoch + a.began, state_.now(), what_.timeout));
    }
    // Of the call, not of the attempt that won: else hedges would hide the very latencies that call for them.
    if (auto& hedging = clients_[c.client].hedging; hedging && !failure)
        hedging->took(state_.at - c.began, state_.now());
    state_.tally.ended(c.began, state_.at, failure.has_value(), refused);
    ++c.generation;
    calls_.remove(number);
    // Nearly all calls end long before their deadlines, which would be a fifth of all events.
    state_.queue.forget(static_cast<std::size_t>(event_lane::deadlines),
                        [&](const auto& deadline) { return calls_[deadline.a].generation != deadline.b; });
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
