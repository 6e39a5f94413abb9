// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The dice of everything that chooses by chance: seeded from
/// outside, so that a run can be repeated, and a nanosecond a throw.

#include <futon/core/mix.hpp>

#include <cstddef>
#include <cstdint>

namespace futon {

/// A small fast generator (SplitMix64); the same on every platform. Not for secrets.
class dice {
public:
    /// Seeds that follow each other give streams that have nothing in common: the seed is mixed first.
    constexpr explicit dice(std::uint64_t seed = 0) noexcept : state_{detail::mix(seed + step) ^ detail::mix(~seed)} {}

    /// 64 even bits.
    [[nodiscard]] constexpr std::uint64_t throw_bits() noexcept {
        state_ += step;
        return detail::mix(state_);
    }
    /// Even in [0, count), for a count below 2^32; 0 for a count of 0.
    [[nodiscard]] constexpr std::size_t below(std::size_t count) noexcept {
        return static_cast<std::size_t>(((throw_bits() >> 32) * std::uint64_t{count}) >> 32);
    }
    /// Even in [0, 1).
    [[nodiscard]] constexpr double fraction() noexcept { return static_cast<double>(throw_bits() >> 11) * 0x1.0p-53; }
    /// True with that probability.
    [[nodiscard]] constexpr bool chance(double probability) noexcept { return fraction() < probability; }

private:
    static constexpr std::uint64_t step = detail::mix_step;  // Odd, so that the period is 2^64.
    std::uint64_t state_;
};

}  // namespace futon
