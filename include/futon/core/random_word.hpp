// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bits from the system's source of randomness.

#include <futon/core/bodies.hpp>

#include <cstdint>

namespace futon::detail {

/// Uniform. Throws what `std::random_device` does where the system has none. Thread-safety: safe.
[[nodiscard]] std::uint32_t random_word();

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/random_word_bodies.hpp>
#endif
