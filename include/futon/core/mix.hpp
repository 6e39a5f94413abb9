// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Makes any number look like chance.

#include <cstdint>

namespace futon::detail {

/// Every bit of the argument changes each bit of the result with even chance (MurmurHash3's finaliser, Stafford's
/// variant 13).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// The step of a counter whose values, mixed, have nothing in common: 2^64 / golden ratio, and odd (SplitMix64).
inline constexpr std::uint64_t mix_step = 0x9e3779b97f4a7c15u;

}  // namespace futon::detail
