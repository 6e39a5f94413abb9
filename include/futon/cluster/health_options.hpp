// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The options of the health rules: all that one has to compile
/// to set them. What they mean is in the header of each rule.

#include <futon/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace futon {

struct node;
class node_set;

/// Of `outlier_ejection`. What counts are verdicts of `failed`, see `judge`.
struct outlier_options {
    std::uint32_t consecutive_failures = 5;  ///< So many in a row eject. 0: off.
    double failure_share = 0.5;              ///< So many of the calls in `window` eject... 0: off.
    std::uint32_t minimum_calls = 20;        ///< ...if there were at least this many. 0: like 1.
    /// Whether errors of handlers count, too (`verdict::erred`). Not unless they say that the server is sick: a request
    /// that no server can bear would eject one after the other.
    bool handler_errors = false;
    /// What `failure_share` is counted over. Zero: each call by itself.
    duration window = std::chrono::seconds{10};
    /// How long the first ejection lasts; each further one twice as long.
    duration base = std::chrono::seconds{1};
    duration ceiling = std::chrono::seconds{30};  ///< The longest ejection.
    /// Fraction by which the length varies, both ways, so that clients do not return as one. 0: none.
    double jitter = 0.2;
    /// Each such time without an ejection takes back one doubling. Zero: never.
    duration forgive = std::chrono::seconds{60};
    /// Share of the listed nodes that may be out at once, but always one. 0: one.
    double most_ejected = 1.0 / 3.0;
    double ramp_from = 0.1;                    ///< Share of its weight that a returning node begins with.
    duration ramp = std::chrono::seconds{10};  ///< How long it takes to its full weight. Zero: at once.
};

/// Of `recovery_trials`.
struct trial_options {
    /// So long after its last failure a provider that is avoided for it may be tried by a call that would be repeated.
    /// After a trial that failed, too, twice as long, then four times; +-20 %. Zero: off.
    duration interval = std::chrono::seconds{1};
    /// Twice as long again each time that it fails within a minute of its recovery, up to this. Not below `interval`.
    duration ceiling = std::chrono::seconds{30};
    /// Trials in a row that have to be answered for its failures to be forgotten. 0: like 1.
    std::uint32_t answers = 3;
};

/// Below `enter` of the nodes healthy, ejected ones are used like all others, until `leave` of them are. Draining and
/// unconnected ones are not.
struct panic_threshold {
    double enter = 0.5;  ///< Share of healthy nodes below which a panic begins. 0: never.
    double leave = 0.6;  ///< At which it ends; not below `enter`, or it would flap.

    /// Counts the set's nodes and sets its panic; true if that changed. Nodes that leave of their own will do not
    /// count. Defined in panic.hpp.
    bool review(node_set& nodes) const noexcept;
};

/// Of `recovery_throttle`.
struct recovery_options {
    /// So long must the number of usable nodes stay the same for all calls to be let through again. Zero: off.
    duration hold = std::chrono::seconds{5};
};

/// Linear from `least` to all of the weight over the provider's own `warm_up`, counted from when this client saw it
/// first: clocks need not agree, and a client that starts beside old providers warms none of them up (see
/// `cluster_health`).
struct warm_up_ramp {
    double least = 0.1;  ///< Share of the weight to begin with. 0: nearly nothing; 1: no ramp.

    /// Defined in warm_up.hpp.
    [[nodiscard]] double factor(const node& n, time_point now) const noexcept;
};

/// SOFARPC's parameters with their meaning and defaults; the name there stands beside each. Off by default, as there:
/// `outlier_ejection` does the same job faster. Both may be on.
struct fault_tolerance_options {
    bool enabled = false;                        ///< regulationEffective: measure at all.
    bool degrades = false;                       ///< degradeEffective. False: abnormal nodes are only reported.
    duration window = std::chrono::seconds{10};  ///< timeWindow. Zero: like off.
    /// leastWindowCount: fewer calls in a window judge nobody. Scaled by what is left of the node's weight; at least 1.
    std::uint32_t least_calls = 10;
    /// leastWindowExceptionRateMultiple: abnormal at so many times the failure rate of the others. 0: off.
    double rate_multiple = 6.0;
    double degrade_rate = 0.05;  ///< weightDegradeRate: what an abnormal window leaves of the weight.
    double least_weight = 1;     ///< degradeLeastWeight: the weight never sinks below.
    /// weightRecoverRate: what a healthy window multiplies the weight by. Not above 1: never recovers.
    double recover_rate = 2;
    std::size_t most_degraded = 2;  ///< degradeMaxIpCount: nodes degraded at once. 0: none.
    /// Not in SOFARPC: a node is abnormal, too, if so many of its calls fail, whatever the others do. 0: off.
    double absolute_rate = 0.5;
    /// Not in SOFARPC: the others' rate counts as at least this, or
    /// one failure among none would be infinitely many times theirs.
    double least_rate = 0.01;
};

/// Of `active_pings`. Without them a provider that hangs is known by the calls that it does not answer.
struct ping_options {
    /// A provider that was silent for so long is pinged. Zero: off. At least 100 ms is kind: see
    /// limits::max_pings_per_second.
    duration interval{};
    /// Fraction by which the interval is shortened by chance, so that clients do not ping as one; at most 0.9. 0: not.
    double jitter = 0.2;
    /// A ping that was not answered for so long has failed.
    duration timeout = std::chrono::seconds{1};
    /// So many that failed in a row eject it. 0: like 1.
    std::uint32_t failures = 1;
    /// So many that were answered in a row let it back in. 0: like 1.
    std::uint32_t successes = 1;
    /// At once; others wait for their turn. 0: like 1.
    std::size_t most_in_flight = 64;
};

/// The rules by which a client judges its providers. Each field says its own defaults.
struct health_options {
    /// When a provider whose calls fail is taken out, and how it comes back.
    outlier_options outliers{};
    /// When calls that can go elsewhere try a provider that is avoided: after 1 s, 2, 4. Zero `.interval`: never.
    trial_options trials{};
    /// When so few are healthy that ejection is overlooked: below 50 %, until 60 % are.
    panic_threshold panic{};
    /// How calls are let through again after a total outage. `.hold`: 5 s; zero: all at once.
    recovery_options recovery{};
    /// `.least`: with which share of its weight a provider that publishes a `warm_up` begins: 0.1.
    warm_up_ramp warm_up{};
    /// SOFARPC's rules; off.
    fault_tolerance_options fault_tolerance{};
    /// Whether providers from which nothing is heard are asked if they live. Off; `.interval` turns it on.
    ping_options pings{};
};

}  // namespace futon
