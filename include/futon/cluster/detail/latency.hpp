// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The decaying peak average of what calls on a node take, and what is typical among nodes.

#include <futon/cluster/attempt_outcome.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace futon::detail {

[[nodiscard]] inline float in_seconds(duration d) noexcept { return std::chrono::duration<float>(d).count(); }

/// e^-x, of no negative number, to half a millionth: in less time than `std::exp` takes, and whatever the C library is.
/// As good as nothing where x is no number, e.g. that of no time for a memory of none.
[[nodiscard]] constexpr float decay(float x) noexcept {
    const auto halvings = x < 86 ? x * 1.44269504f : 125.0f;
    const auto whole = static_cast<std::int32_t>(halvings);
    const auto part = static_cast<float>(whole) - halvings;  // More than -1, not more than 0.
    const auto power =
        1 + part * (0.693146945f +
                    part * (0.24021469f + part * (0.0554085595f + part * (0.00934423101f + part * 0.00100363051f))));
    return std::bit_cast<float>(std::bit_cast<std::int32_t>(power) - (whole << 23));
}

/// How long an average remembers: ten times the gap between two samples, so that a node that is seldom called is not
/// forgotten between two calls, and one that is often called not remembered for what it was.
struct memory_span {
    float least = 1.0f;
    float most = 10.0f;
    /// After one sample the gap is not known: a slow node must not be forgotten before its second.
    [[nodiscard]] float of(const node& n) const noexcept {
        return n.samples < 2 ? most : std::clamp(10.0f * n.sample_gap, least, most);
    }
};

/// The average now: unheard of, a node's past fades, so that it is tried again.
[[nodiscard]] inline float latency_now(const node& n, time_point now, const memory_span& span) noexcept {
    const auto gone = in_seconds(now - n.latency_at);
    return gone <= 0 ? n.latency : n.latency * decay(gone / span.of(n));
}

/// The median of a stream of positive numbers, by steps up and down: forgets its beginning, costs two operations.
class running_median {
public:
    void take(float value) noexcept {
        if (value_ <= 0) {
            value_ = value;
        } else if (value > value_) {
            value_ *= 1.03f;
        } else if (value < value_) {
            value_ *= 1 / 1.03f;
        }
    }
    [[nodiscard]] float value() const noexcept { return value_; }  ///< 0: nothing was taken yet.

private:
    float value_ = 0;
};

/// The share of calls that ended well now. Time heals it, too, or
/// what is avoided for its failures would be avoided for ever.
[[nodiscard]] inline float success_rate_now(const node& n, time_point now, const memory_span& span) noexcept {
    if (n.success_rate >= 1) return 1;
    return 1 - (1 - n.success_rate) * decay(std::max(in_seconds(now - n.latency_at), 0.0f) / span.most);
}

/// How many times as long a node counts to take as it does, at most ten. Where all err alike, as in services for which
/// that is a normal answer, it makes no difference between them.
[[nodiscard]] inline float aversion(const node& n, time_point now, const memory_span& span) noexcept {
    if (n.success_rate >= 1) [[likely]]
        return 1;
    return 1 / std::max(success_rate_now(n, now, span), 0.1f);
}

/// What is known of all nodes together.
struct typical_answer {
    running_median latency;  ///< Of the nodes' averages, as calls end.
    float success_rate = 1;  ///< Of all calls, the last few for each node and at most the last 64.
    float step = 1.0f / 64;

    void rebuild(std::size_t nodes) noexcept {
        step = 1.0f / static_cast<float>(std::clamp<std::size_t>(4 * nodes, 8, 64));
    }
};

/// Counts an outcome in the node's success rate, and in what is typical. Who keeps no average of latencies sets
/// `latency_at` then.
///
/// A bad call takes back a fifth, where others are good. Where all fail, as with what all of them need, it takes less
/// and less, or those that are tried first when that is over would get all calls.
inline void take_success(node& n, const attempt_outcome& outcome, const memory_span& span,
                         typical_answer& typical) noexcept {
    const auto rate = success_rate_now(n, outcome.now, span);
    if (outcome.verdict == verdict::abandoned) {
        n.success_rate = rate;
    } else if (outcome.verdict == verdict::answered) {
        n.success_rate = rate < 0.999f ? rate + 0.1f * (1 - rate) : 1;
        typical.success_rate += typical.step * (1 - typical.success_rate);
    } else {
        // In the simulation half as much takes a client that calls a server twice a second three seconds more to avoid
        // it, and half as much again is no better.
        n.success_rate = rate - 0.2f * rate * typical.success_rate;
        typical.success_rate -= typical.step * typical.success_rate;
    }
}

/// Counts an outcome in the node's average, and in what is typical.
///
/// Who fails at once must not look fastest. A failure costs as much as it might have taken, and at least twice what the
/// node usually takes; `failure_ceiling` bounds that. An error that was answered takes at least what is typical,
/// unless the node errs no more often than all do: then it is an answer like others.
inline void take_latency(node& n, const attempt_outcome& outcome, const memory_span& span, float failure_ceiling,
                         typical_answer& typical) noexcept {
    const auto gone = n.samples > 0 ? std::max(in_seconds(outcome.now - n.latency_at), 0.0f) : 0.0f;
    // By the memory that it had until now: one call after a long
    // silence makes that longer, and what had faded would be back.
    const auto kept = decay(gone / span.of(n));
    const auto before = n.latency * kept;
    // Never nothing: a node that is not known yet is compared with what is typical.
    auto sample = std::max(in_seconds(outcome.latency), 1e-6f);
    // It would have taken longer: not known how long.
    if (outcome.verdict == verdict::abandoned && sample <= before) return;

    take_success(n, outcome, span, typical);
    const bool like_others =
        !outcome.failure || (outcome.verdict == verdict::erred && n.success_rate >= typical.success_rate);
    if (outcome.verdict == verdict::failed) {
        sample =
            std::min(std::max({sample, in_seconds(outcome.timeout), 2 * before}), std::max(failure_ceiling, sample));
    } else if (!like_others && outcome.verdict != verdict::abandoned) {
        if (typical.latency.value() <= 0 && n.samples == 0) {
            n.latency_at = outcome.now;
            return;  // Nothing to compare with: it stays unknown.
        }
        sample = std::max(sample, typical.latency.value());
    }

    if (n.samples > 0) n.sample_gap = n.samples == 1 ? gone : n.sample_gap + (gone - n.sample_gap) * 0.1f;
    if (n.samples == 0 || sample >= before) {
        n.latency = sample;
    } else {
        n.latency = n.latency * kept + sample * (1 - kept);
    }
    n.latency_at = outcome.now;
    ++n.samples;
    // What an erring node is charged with says nothing.
    if (like_others || outcome.verdict != verdict::erred) typical.latency.take(n.latency);
}

}  // namespace futon::detail
