// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The calls of simulated clients: from their beginning through attempts, retries and hedges to their end.

#include <futon/cluster/stable_hash.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/retry.hpp>
#include <futon/testing/detail/prefetch.hpp>
#include <futon/testing/detail/simulated_clients_class.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace futon::detail {

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

}  // namespace futon::detail
