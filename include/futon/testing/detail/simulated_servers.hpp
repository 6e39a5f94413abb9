// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The servers of a simulated cluster, and what goes wrong with them.

#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/detail/chance.hpp>
#include <futon/testing/detail/cluster_state.hpp>
#include <futon/testing/detail/simulated_server.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

class simulated_servers {
public:
    explicit simulated_servers(cluster_state& state);

    /// Plans what happens to them by the clock.
    void begin();
    void happen(const cluster_state::occurrence& event);
    /// The share of all workers' time in which one idled while a request waited elsewhere.
    [[nodiscard]] double capacity_lost() const noexcept { return owned_ > 0 ? lost_ / owned_ : 0; }

private:
    void receive(std::uint32_t attempt);
    void work_on(simulated_server& on, std::uint32_t attempt);
    void end_work(std::uint32_t attempt, std::uint32_t life);
    void reply(std::uint32_t attempt, std::optional<errc> failure, executed ran, duration after = {});
    void leave(std::uint32_t attempt);
    void receive_probe(std::uint32_t first);
    void start(std::uint32_t number);
    void stop(std::uint32_t number);
    void count_idle() noexcept;
    void fault(std::uint32_t number, bool begins);
    void weigh_faults(std::uint32_t server);
    void roll_antagonists();
    void end_second();
    void sample();

    cluster_state& state_;
    const testing::cluster_scenario& what_;
    std::vector<simulated_server> servers_;
    std::vector<latency_by_load> took_;  // by server; apart, as it is large and often not asked for
    std::vector<bool> active_;           // by fault
    chance_stream mishaps_;
    std::uint64_t next_mishap_ = 0;
    std::uint64_t rolls_ = 0;

    // For the capacity that is lost while a request waits beside an idle worker.
    int workers_ = 0;
    int idle_ = 0;
    int waiting_ = 0;
    duration counted_{};
    double lost_ = 0;
    double owned_ = 0;
};

inline simulated_servers::simulated_servers(cluster_state& state)
    : state_{state},
      what_{state.what},
      servers_(state.providers.size()),
      active_(what_.faults.size()),
      mishaps_{state.how.seed, chance::fault} {
    for (std::uint32_t i = 0; i < servers_.size(); ++i) {
        auto& server = servers_[i];
        server.workers = what_.workers;
        if (!what_.speeds.empty()) server.speed = what_.speeds[i % what_.speeds.size()];
        server.downs = 1;  // until it is started
        weigh_faults(i);
    }
}

inline void simulated_servers::begin() {
    if (state_.reports) took_.resize(servers_.size());
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(what_.servers); ++i) start(i);
    for (const auto& change : what_.changes)
        for (int i = std::max(change.first, what_.servers); change.listed && i < change.first + change.count; ++i)
            state_.plan(change.at, happening::start, static_cast<std::uint32_t>(i));
    for (std::uint32_t i = 0; i < what_.faults.size(); ++i) {
        state_.plan(what_.faults[i].from, happening::fault_begins, i);
        if (what_.faults[i].until < state_.end) state_.plan(what_.faults[i].until, happening::fault_ends, i);
    }
    if (what_.antagonists.enters > 0) state_.plan(duration::zero(), happening::antagonists);
    state_.plan(std::chrono::seconds{1}, happening::second);
    state_.plan(std::chrono::milliseconds{50}, happening::sample);
}

inline void simulated_servers::happen(const cluster_state::occurrence& event) {
    switch (event.what) {
        case happening::request: return receive(event.a);
        case happening::work_done: return end_work(event.a, event.b);
        case happening::probe: return receive_probe(event.a);
        case happening::fault_begins: return fault(event.a, true);
        case happening::fault_ends: return fault(event.a, false);
        case happening::start: return start(event.a);
        case happening::antagonists: return roll_antagonists();
        case happening::second: return end_second();
        default: return sample();
    }
}

inline void simulated_servers::receive(std::uint32_t attempt) {
    auto& a = state_.attempts[attempt];
    auto& server = servers_[a.server];
    if (!server.up()) return reply(attempt, errc::connection_lost, executed::no);
    if (server.fault != nullptr) {
        const auto die = mishaps_.fraction(next_mishap_++);
        if (die < server.fault->swallows) return leave(attempt);
        if (die < server.fault->swallows + server.fault->fails) {
            ++server.answered;
            ++server.failed;
            return reply(attempt, server.fault->code, server.fault->ran, server.fault->fails_after);
        }
    }
    if (what_.queue_limit > 0 && server.waiting.size() >= static_cast<std::size_t>(what_.queue_limit))
        return reply(attempt, errc::overloaded, executed::no);
    a.arrived = state_.at;
    a.found = server.in_flight++;
    if (a.server >= static_cast<std::uint32_t>(what_.servers)) state_.tally.newcomer_holds(server.in_flight);
    count_idle();
    if (server.busy < server.workers) return work_on(server, attempt);
    server.waiting.push(attempt);
    ++waiting_;
}

inline void simulated_servers::work_on(simulated_server& on, std::uint32_t attempt) {
    const auto& a = state_.attempts[attempt];
    const auto takes = duration{
        static_cast<duration::rep>(static_cast<double>(a.demand.count()) * state_.truth.slowness[a.server] + 0.5)};
    ++on.busy;
    --idle_;
    on.busy_time += takes;
    state_.plan(state_.at + takes, happening::work_done, attempt, on.life);
}

inline void simulated_servers::end_work(std::uint32_t attempt, std::uint32_t life) {
    auto& a = state_.attempts[attempt];
    auto& server = servers_[a.server];
    if (server.life != life) return leave(attempt);
    count_idle();
    --server.busy;
    ++idle_;
    --server.in_flight;
    ++server.answered;
    if (state_.reports) took_[a.server].add(a.found, state_.at - a.arrived, state_.at);
    ++state_.tally.made.served;
    reply(attempt, std::nullopt, executed::yes);
    while (!server.waiting.empty()) {
        const auto next = server.waiting.pop();
        --waiting_;
        const auto& waiting = state_.attempts[next];
        // Work whose caller has given up is not begun.
        if (state_.at < waiting.deadline && state_.at < waiting.cancelled) return work_on(server, next);
        --server.in_flight;
        leave(next);
    }
}

inline void simulated_servers::reply(std::uint32_t attempt, std::optional<errc> failure, executed ran, duration after) {
    auto& a = state_.attempts[attempt];
    a.failure = failure;
    a.ran = ran;
    if (state_.how.reports_with_replies) a.report = servers_[a.server].report(took_[a.server], state_.at);
    --state_.truth.in_flight[a.server];
    state_.answer(attempt, after);
}

// Without an answer.
inline void simulated_servers::leave(std::uint32_t attempt) {
    --state_.truth.in_flight[state_.attempts[attempt].server];
    state_.release(attempt);
}

// On the I/O thread: it waits behind no call.
inline void simulated_servers::receive_probe(std::uint32_t first) {
    auto answered = simulated_probe::none;
    auto* next = &answered;
    for (auto probe = first; probe != simulated_probe::none;) {
        auto& asked = state_.probes[probe];
        const auto number = std::exchange(probe, std::exchange(asked.next, simulated_probe::none));
        if (!servers_[asked.server].up()) {
            state_.probes.remove(number);
            continue;
        }
        asked.report = servers_[asked.server].report(took_[asked.server], state_.at);
        *std::exchange(next, &asked.next) = number;
    }
    if (answered != simulated_probe::none) state_.answer_probes(answered);
}

inline void simulated_servers::start(std::uint32_t number) {
    auto& server = servers_[number];
    if (--server.downs > 0) return;
    state_.truth.up[number] = 1;
    count_idle();
    idle_ += server.workers;
    workers_ += server.workers;
}

inline void simulated_servers::stop(std::uint32_t number) {
    auto& server = servers_[number];
    if (server.downs++ > 0) return;
    state_.truth.up[number] = 0;
    count_idle();
    idle_ -= server.workers - server.busy;
    workers_ -= server.workers;
    waiting_ -= static_cast<int>(server.waiting.size());
    while (!server.waiting.empty()) leave(server.waiting.pop());
    server.busy = 0;
    server.in_flight = 0;
    if (state_.reports) took_[number] = {};
    ++server.life;
    state_.plan(state_.at + what_.network, happening::lost, number);
}

inline void simulated_servers::count_idle() noexcept {
    const auto past = static_cast<double>((state_.at - counted_).count());
    lost_ += past * std::min(idle_, waiting_);
    owned_ += past * workers_;
    counted_ = state_.at;
}

inline void simulated_servers::fault(std::uint32_t number, bool begins) {
    const auto& which = what_.faults[number];
    active_[number] = begins;
    for (auto i = static_cast<std::uint32_t>(which.first); i < static_cast<std::uint32_t>(which.first + which.count);
         ++i) {
        weigh_faults(i);
        if (which.down) begins ? stop(i) : start(i);
    }
}

inline void simulated_servers::weigh_faults(std::uint32_t server) {
    auto& of = servers_[server];
    of.slowdown = 1;
    of.fault = nullptr;
    for (std::size_t i = 0; i < what_.faults.size(); ++i) {
        const auto& fault = what_.faults[i];
        const auto place = static_cast<int>(server) - fault.first;
        if (!active_[i] || place < 0 || place >= fault.count) continue;
        const std::chrono::duration<double> past = state_.at - fault.from;
        const auto left = fault.fades ? 1 - past / (fault.until - fault.from) : 1.0;
        of.slowdown *= 1 + (fault.slowdown - 1) * left;
        if (fault.swallows > 0 || fault.fails > 0) of.fault = &fault;
    }
    state_.truth.slowness[server] = of.slowness();
}

inline void simulated_servers::roll_antagonists() {
    const auto& with = what_.antagonists;
    const auto roll = rolls_++;
    for (std::uint32_t i = 0; i < servers_.size(); ++i) {
        auto& slows = servers_[i].antagonist;
        const auto die = chance_stream{state_.how.seed, chance::antagonist, i}.fraction(roll);
        if (slows == 1) {
            if (die < with.enters) slows = with.slowdown;
        } else if (die < with.leaves) {
            slows = 1;
        }
        state_.truth.slowness[i] = servers_[i].slowness();
    }
    if (state_.at + with.period < state_.end) state_.plan(state_.at + with.period, happening::antagonists);
}

inline void simulated_servers::end_second() {
    duration most{};
    duration sum{};
    int up = 0;
    for (std::uint32_t i = 0; i < servers_.size(); ++i) {
        const auto busy = servers_[i].end_second();
        weigh_faults(i);
        if (!servers_[i].up()) continue;
        most = std::max(most, busy);
        sum += busy;
        ++up;
    }
    if (state_.at > what_.warm_up && state_.at <= state_.end) state_.tally.second(most, sum, up);
    if (state_.at < state_.end) state_.plan(state_.at + std::chrono::seconds{1}, happening::second);
}

inline void simulated_servers::sample() {
    for (const auto& server : servers_)
        if (state_.at >= what_.warm_up && server.up()) state_.tally.sampled(server.in_flight);
    if (state_.at < state_.end) state_.plan(state_.at + std::chrono::milliseconds{50}, happening::sample);
}

}  // namespace futon::detail
