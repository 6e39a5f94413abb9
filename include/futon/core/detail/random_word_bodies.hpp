// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of random_word.hpp, so that few files compile <random>.

#include <futon/core/bodies.hpp>
#include <futon/core/mix.hpp>
#include <futon/core/random_word.hpp>

#include <atomic>
#include <cstdint>
#include <random>

namespace futon::detail {

FUTON_DETAIL_BODY std::uint32_t random_word() { return std::random_device{}(); }

FUTON_DETAIL_BODY std::uint64_t random_bits() noexcept {
    static std::atomic<std::uint64_t> state{[] {
        try {
            return (std::uint64_t{random_word()} << 32) | random_word();
        } catch (...) {  // The system has no randomness.
            return mix_step;
        }
    }()};
    return mix(state.fetch_add(mix_step, std::memory_order_relaxed));
}

}  // namespace futon::detail
