// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bits from the system's source of randomness.

#include <futon/core/bodies.hpp>

#include <cstdint>

namespace futon::detail {

/// Uniform. Throws what `std::random_device` does where the system has none. Thread-safety: safe.
[[nodiscard]] std::uint32_t random_word();

/// Uniform and cheap, for seeds and jitter that others should not guess; not for secrets. Thread-safety: safe.
[[nodiscard]] std::uint64_t random_bits() noexcept;

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/random_word_bodies.hpp>
#endif
