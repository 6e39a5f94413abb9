// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Chance for pauses that must not all end together. Not for secrets.

#include <futon/core/random_word.hpp>

#include <atomic>
#include <cstdint>

namespace futon::detail {

/// Uniform in [0, 1). Thread-safety: safe.
[[nodiscard]] inline double roll_dice() noexcept {
    static std::atomic<std::uint64_t> state{[] {
        try {
            return (std::uint64_t{random_word()} << 32) | random_word();
        } catch (...) {
            return std::uint64_t{0x9E3779B97F4A7C15};
        }
    }()};
    // A counter with a large odd step, its bits mixed until neighbours have nothing in common (the function of MurmurHash3).
    auto mixed = state.fetch_add(0x9E3779B97F4A7C15, std::memory_order_relaxed);
    mixed = (mixed ^ (mixed >> 33)) * 0xFF51AFD7ED558CCD;
    mixed = (mixed ^ (mixed >> 33)) * 0xC4CEB9FE1A85EC53;
    mixed ^= mixed >> 33;
    return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

}  // namespace futon::detail
