// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Unsigned LEB128: seven bits a byte, the lowest first, the top bit set on all but the last; at most ten bytes.

#include <futon/core/bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace futon {

inline constexpr std::size_t max_varint_bytes = 10;

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

/// Writes at `to`, where `max_varint_bytes` must have room; returns the end.
[[nodiscard]] constexpr std::byte* put_varint(std::byte* to, std::uint64_t value) noexcept {
    while (value >= 0x80) {
        *to++ = static_cast<std::byte>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<std::byte>(value);
    return to;
}

inline void write_varint(byte_buffer& out, std::uint64_t value) {
    auto* const start = out.prepare(max_varint_bytes).data();
    out.commit(static_cast<std::size_t>(put_varint(start, value) - start));
}

namespace detail {

/// One of any length.
[[nodiscard]] constexpr bool read_long_varint(bytes_view& from, std::uint64_t& value) noexcept {
    const auto* at = from.data();
    const auto* const end = at + std::min(from.size(), max_varint_bytes);
    std::uint64_t sum = 0;
    for (unsigned shift = 0; at != end; shift += 7) {
        const auto bits = std::to_integer<std::uint64_t>(*at++);
        sum |= (bits & 0x7F) << shift;
        if (bits < 0x80) {
            if (shift == 7 * (max_varint_bytes - 1) && bits > 1) return false;
            value = sum;
            from = from.subspan(static_cast<std::size_t>(at - from.data()));
            return true;
        }
    }
    return false;
}

}  // namespace detail

/// Takes a varint from the front of `from`; false, with `from` unchanged, if it is cut off or does not fit 64 bits.
/// A longer spelling than needed is accepted.
[[nodiscard]] constexpr bool read_varint(bytes_view& from, std::uint64_t& value) noexcept {
    // Most are of one byte: so short that this is inlined.
    if (from.empty() || from.front() >= std::byte{0x80}) return detail::read_long_varint(from, value);
    value = std::to_integer<std::uint64_t>(from.front());
    from = from.subspan(1);
    return true;
}

}  // namespace futon
