// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Chance for pauses that must not all end together. Not for secrets.

#include <futon/core/random_word.hpp>

namespace futon::detail {

/// Uniform in [0, 1). Thread-safety: safe.
[[nodiscard]] inline double roll_dice() noexcept { return static_cast<double>(random_bits() >> 11) * 0x1.0p-53; }

}  // namespace futon::detail
