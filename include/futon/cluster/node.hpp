// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One provider as one client sees it: what was told of it, and what the client's own calls have shown.

#include <futon/cluster/provider.hpp>
#include <futon/cluster/stable_hash.hpp>
#include <futon/core/time.hpp>
#include <futon/message/load_report.hpp>

#include <cstdint>
#include <utility>

namespace futon {

/// Why a node gets no new calls; several reasons may hold at once.
enum class hold : std::uint8_t {
    disconnected = 1,  ///< There is no connection to it now.
    ejected = 2,       ///< Its calls failed too often; `outlier_ejection` lets it back in.
    on_trial = 4,      ///< Ejected before, and the one call that may show its recovery is under way.
    draining = 8,      ///< It said that it is about to stop, or an operator took it out.
    drained = 16,      ///< Its weight is 0.
};

/// A provider and its counters. Routers, policies and health rules read it; each writes only its own part.
///
/// Thread-safety: one thread at a time, as everything in this room: the channel's lock guards it.
/// Lifetime: its address is stable while the provider is listed, and then until the last attempt on it has ended.
struct alignas(64) node {
    explicit node(provider p) : node{std::move(p), 0} { id = stable_hash(told.address); }
    node(provider p, std::uint64_t its_id) : id{its_id}, told{std::move(p)} { refresh(); }
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    // What a pick reads, in one cache line.

    std::uint8_t holds = static_cast<std::uint8_t>(hold::disconnected);  ///< Of `hold`; zero: it takes calls.
    bool half_open = false;       ///< Back from ejection: the next call is a trial, see `outlier_ejection`.
    std::uint16_t strikes = 0;    ///< Calls in a row that spoke against it.
    std::uint32_t in_flight = 0;  ///< Attempts of this client that have not ended.
    /// Its share now: `told.weight` times what warm-up, recovery and degradation leave of it.
    float weight = 100;
    float latency = 0;          ///< Decaying peak average in seconds, at `latency_at`; kept by `peak_ewma`.
    float sample_gap = 0;       ///< Average seconds between two samples; kept by `peak_ewma`.
    std::uint32_t samples = 0;  ///< Latencies seen since the connection was made; 0: nothing is known of it yet.
    time_point latency_at{};    ///< When `latency` and `success_rate` were last updated.
    /// Of the address: the same in every client, on every run. What hashing policies place it by.
    std::uint64_t id;
    /// Small and distinct within one client while listed: an index for tables of your own.
    std::uint32_t slot = 0;
    /// Decaying share of calls that ended well, among those that say something; at `latency_at`.
    float success_rate = 1;
    std::uint32_t successes = 0;  ///< In the window of `outlier_ejection` that is being filled.
    std::uint32_t failures = 0;   ///< In that window.

    // The rest.

    time_point window_began{};      ///< Of the window of successes and failures.
    time_point held_until{};        ///< While ejected: when a trial may be made.
    time_point turned{};            ///< When it was ejected, then when its trial began, then when it was let back in.
    time_point reported_at{};       ///< Of `report`. `time_point{}`: it never reported.
    std::uint8_t ejections = 0;     ///< Lately: what doubles the next ejection's length.
    bool listed = true;             ///< False once the registry has taken it back.
    bool ramping : 1 = false;       ///< It was let back in, and its weight grows.
    bool loss_counted : 1 = false;  ///< All calls that one lost connection took along count as one failure.
    bool absent : 1 = false;        ///< It has been out for so long that a router which says so leaves it out.
    bool shunned : 1 = false;       ///< Its failures are not forgotten yet, and `recovery_trials` knows it.
    float degraded = 1;             ///< What `fault_tolerance` leaves of its weight.
    load_report report{};           ///< The last one.
    time_point first_seen{};        ///< By this client: warm-up counts from here, whatever the provider's clock says.
    void* attachment = nullptr;     ///< Belongs to whoever owns the node, e.g. its connections.
    provider told;                  ///< As the registry said last.

    [[nodiscard]] bool is_held(hold why) const noexcept { return (holds & static_cast<std::uint8_t>(why)) != 0; }
    void set(hold why, bool held) noexcept {
        const auto bit = static_cast<std::uint8_t>(why);
        holds = static_cast<std::uint8_t>(held ? holds | bit : holds & ~bit);
    }
    [[nodiscard]] bool connected() const noexcept { return !is_held(hold::disconnected); }

    /// After a change of `told`: its weight counts from now on.
    void refresh() noexcept {
        weight = static_cast<float>(told.weight);
        set(hold::drained, told.weight == 0);
    }
    /// A connection was made or the last one was lost. What was measured before a reconnection is forgotten: another
    /// process may answer now, and a slow past must not cost a restarted provider its share.
    void set_connected(bool now_connected) noexcept {
        if (now_connected && !connected()) {
            forget_past();
            reported_at = {};
            loss_counted = false;
        }
        set(hold::disconnected, !now_connected);
    }
    /// What policies measured: it is like a node that is new.
    void forget_past() noexcept {
        samples = 0;
        latency = 0;
        sample_gap = 0;
        success_rate = 1;
    }
};

static_assert(sizeof(node) <= 384, "six cache lines: hundreds of thousands of nodes must fit");

}  // namespace futon
