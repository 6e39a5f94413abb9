// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a simulated cluster did.

#include <futon/core/time.hpp>
#include <futon/testing/latency_histogram.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace futon::testing {

/// Half a second of a simulation, by the virtual time at which things happened.
struct cluster_window {
    static constexpr duration length = std::chrono::milliseconds{500};

    std::uint64_t attempts = 0;      ///< Sent to any server.
    std::uint64_t bad_attempts = 0;  ///< Sent to servers of the scenario's faults that count as bad.
    std::uint64_t ended = 0;         ///< Calls that ended.
    std::uint64_t failed = 0;        ///< Of these, with an error.
    std::uint64_t refused = 0;       ///< Of these, because no server was usable or none could be tried.
};

/// The result of `simulate`. Counts are of the calls that began while it measured, unless said; a failed call counts as
/// having taken the timeout, so that no policy looks fast by failing.
struct cluster_report {
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;
    std::uint64_t attempts = 0;  ///< First tries, retries and hedges.
    std::uint64_t hedges = 0;
    std::uint64_t retries = 0;
    std::uint64_t bad_attempts = 0;  ///< Attempts at servers with a fault that counts as bad.
    /// Attempts whose work a server completed; of all, also for calls that had ended.
    std::uint64_t served = 0;
    /// Violations of what must hold: a call ended twice or never, in-flight counts left over. Zero.
    std::uint64_t wrong = 0;

    duration mean{};
    duration p50{};
    duration p90{};
    duration p99{};
    duration p999{};
    latency_histogram latencies{};  ///< Of all of them, for other percentiles.

    /// From when its fault began (or the run) to the first of two windows in a row in which the bad servers had less
    /// than three tenths of their fair share of attempts.
    std::optional<duration> time_to_shed{};
    /// From when the last fault of a bad server healed to the first of two windows in a row in which they had at least
    /// half of their fair share again and 99 % of all calls succeeded.
    std::optional<duration> time_to_recover{};

    /// Work done by the busiest server by that of the average one, per second; the mean of the seconds.
    double busiest = 0;
    int p99_in_flight = 0;       ///< Of requests in one server, sampled every 50 ms.
    int newcomer_in_flight = 0;  ///< The most that a server held which joined during the run.
    /// Share of all workers' time in which one idled while a request waited at another server.
    double capacity_lost = 0;
    int ejections = 0;         ///< By all clients, of all servers.
    std::uint64_t probes = 0;  ///< Load probes sent.

    std::vector<cluster_window> windows{};  ///< From the very start.
    std::uint64_t picks_hash = 0;           ///< Of which server each attempt went to, in order. Equal for equal seeds.
    std::uint64_t trace_hash = 0;           ///< Of every event and its time.
    std::uint64_t events = 0;

    /// Of measured calls, in [0, 1].
    [[nodiscard]] double error_rate() const noexcept { return ratio(failed, calls); }
    /// Of attempts, the share that went to bad servers, in [0, 1].
    [[nodiscard]] double bad_share() const noexcept { return ratio(bad_attempts, attempts); }
    /// Attempts beyond one a call, by calls.
    [[nodiscard]] double extra_attempts() const noexcept { return calls ? ratio(attempts, calls) - 1 : 0; }
    /// Calls that ended with an error from `from` up to `until`, by virtual time; in whole windows.
    [[nodiscard]] std::uint64_t failed_between(duration from, duration until) const noexcept {
        return sum(from, until, &cluster_window::failed);
    }

private:
    static double ratio(std::uint64_t part, std::uint64_t whole) noexcept {
        return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
    }
    std::uint64_t sum(duration from, duration until, std::uint64_t cluster_window::*count) const noexcept {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < windows.size(); ++i) {
            const auto begin = static_cast<duration::rep>(i) * cluster_window::length;
            if (begin >= from && begin < until) total += windows[i].*count;
        }
        return total;
    }
};

}  // namespace futon::testing
