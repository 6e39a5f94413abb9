// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of random_word.hpp, so that few files compile <random>.

#include <futon/core/bodies.hpp>
#include <futon/core/random_word.hpp>

#include <cstdint>
#include <random>

namespace futon::detail {

FUTON_DETAIL_BODY std::uint32_t random_word() { return std::random_device{}(); }

}  // namespace futon::detail
