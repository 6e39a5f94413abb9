// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The number that a key of the user's becomes, the same in every process.

#include <cstdint>
#include <string_view>

namespace futon::detail {

/// 64-bit FNV-1a: stable across processes, so that clients agree on the endpoint of a key. Never zero.
[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view key) noexcept {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash == 0 ? 1 : hash;
}

}  // namespace futon::detail
