// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How long a call may take before a second attempt is worth making: a high percentile of what calls took lately.

#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace futon {

/// Of `hedge_delay`.
struct hedge_delay_options {
    /// Of the calls that answered. So many need no hedge.
    double percentile = 0.95;
    /// With fewer there is no delay to be had, and no hedge. 0: like 1.
    std::uint32_t least_samples = 64;
    /// After which a sample counts half. Zero: for ever whole.
    duration half_life = std::chrono::seconds{30};
    /// No shorter delay: it would be noise. Zero: none.
    duration floor = std::chrono::milliseconds{1};
    /// No longer than so much of the call's own timeout. 0: no bound.
    double most_of_timeout = 0.5;
};

/// Samples by size, 16 to a doubling, so that a percentile is right within 5 %; old ones fade. One for each method.
///
/// Thread-safety: one thread at a time. Memory: 2.5 kB, fixed.
class hedge_delay {
public:
    explicit hedge_delay(hedge_delay_options options = {}) noexcept : options_{options} {}

    /// A call answered after that time. Failures and abandoned attempts are not samples.
    void took(duration latency, time_point now) noexcept {
        fade(now);
        counts_[bucket_of(latency)] += 1;
        total_ += 1;
    }
    /// When to hedge, from the start of the call; empty while too little is known.
    [[nodiscard]] std::optional<duration> delay(duration timeout) const noexcept {
        const auto at = percentile(options_.percentile);
        if (!at || total_ < static_cast<float>(std::max(options_.least_samples, 1u)) * 0.999f) return std::nullopt;
        auto bounded = std::max(*at, options_.floor);
        if (options_.most_of_timeout > 0 && timeout > duration::zero())
            bounded = std::min(bounded, std::chrono::duration_cast<duration>(timeout * options_.most_of_timeout));
        return bounded;
    }
    /// What that share of the calls stayed below; empty without samples.
    [[nodiscard]] std::optional<duration> percentile(double share) const noexcept {
        if (total_ <= 0) return std::nullopt;
        auto left = static_cast<float>(share) * total_;
        std::size_t last = 0;
        for (std::size_t i = 0; i < buckets; ++i) {
            if (counts_[i] <= 0) continue;
            last = i;
            left -= counts_[i];
            if (left <= 0) break;
        }
        return upper_bound_of(last);
    }
    [[nodiscard]] float samples() const noexcept { return total_; }

private:
    static constexpr std::size_t per_octave = 16;
    static constexpr std::size_t buckets = 40 * per_octave;  // From a microsecond up to days.

    [[nodiscard]] static std::size_t bucket_of(duration latency) noexcept {
        const auto us = static_cast<std::uint64_t>(std::max<duration::rep>(latency.count() / 1000, 0));
        if (us < per_octave) return static_cast<std::size_t>(us);
        const auto octave = static_cast<std::size_t>(std::bit_width(us)) - 5;  // 0 for 16 to 31.
        return std::min(per_octave * (octave + 1) + ((us >> octave) & (per_octave - 1)), buckets - 1);
    }
    [[nodiscard]] static duration upper_bound_of(std::size_t bucket) noexcept {
        if (bucket < per_octave) return std::chrono::microseconds{bucket + 1};
        const auto octave = bucket / per_octave - 1;
        return std::chrono::microseconds{(per_octave + bucket % per_octave + 1) << octave};
    }
    void fade(time_point now) noexcept {
        if (options_.half_life <= duration::zero()) return;
        if (faded_ == time_point{}) faded_ = now;
        // A half-life at once, or everything where nothing came for long.
        if (now - faded_ >= 20 * options_.half_life) {
            counts_.fill(0);
            total_ = 0;
            faded_ = now;
        }
        for (; now - faded_ >= options_.half_life; faded_ += options_.half_life) {
            total_ = 0;
            for (auto& c : counts_) {
                c = c < 0.01f ? 0 : c / 2;
                total_ += c;
            }
        }
    }

    hedge_delay_options options_;
    std::array<float, buckets> counts_{};
    float total_ = 0;
    time_point faded_{};
};

}  // namespace futon
