// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Writes single msgpack values, each in its shortest form; floats always as floats.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

namespace futon::detail {

template <class Unsigned>
inline void store(std::byte* to, Unsigned value) noexcept {
    for (std::size_t i = sizeof(Unsigned); i != 0; --i) {
        to[i - 1] = static_cast<std::byte>(value & 0xff);
        if constexpr (sizeof(Unsigned) > 1) value = static_cast<Unsigned>(value >> 8);
    }
}

/// A leading byte and a big-endian number.
template <class Unsigned>
inline void put(byte_buffer& out, unsigned leading, Unsigned value) {
    std::byte* const to = out.prepare(1 + sizeof(Unsigned)).data();
    *to = static_cast<std::byte>(leading);
    store(to + 1, value);
    out.commit(1 + sizeof(Unsigned));
}
inline void put(byte_buffer& out, unsigned leading) { out.push_back(static_cast<std::byte>(leading)); }

inline void put_nil(byte_buffer& out) { put(out, 0xc0); }
inline void put_boolean(byte_buffer& out, bool value) { put(out, value ? 0xc3 : 0xc2); }

inline void put_unsigned(byte_buffer& out, std::uint64_t value) {
    if (value < 0x80) return put(out, static_cast<unsigned>(value));
    if (value <= 0xff) return put(out, 0xcc, static_cast<std::uint8_t>(value));
    if (value <= 0xffff) return put(out, 0xcd, static_cast<std::uint16_t>(value));
    if (value <= 0xffff'ffff) return put(out, 0xce, static_cast<std::uint32_t>(value));
    put(out, 0xcf, value);
}

inline void put_negative(byte_buffer& out, std::int64_t value) {
    if (value >= -0x20) return put(out, static_cast<unsigned>(value & 0xff));
    if (value >= -0x80) return put(out, 0xd0, static_cast<std::uint8_t>(value));
    if (value >= -0x8000) return put(out, 0xd1, static_cast<std::uint16_t>(value));
    if (value >= -0x8000'0000LL) return put(out, 0xd2, static_cast<std::uint32_t>(value));
    put(out, 0xd3, static_cast<std::uint64_t>(value));
}

template <std::integral T>
inline void put_integer(byte_buffer& out, T value) {
    if constexpr (std::is_signed_v<T>) {
        if (value < 0) return put_negative(out, value);
    }
    put_unsigned(out, static_cast<std::uint64_t>(value));
}

inline void put_floating(byte_buffer& out, float value) { put(out, 0xca, std::bit_cast<std::uint32_t>(value)); }
inline void put_floating(byte_buffer& out, double value) { put(out, 0xcb, std::bit_cast<std::uint64_t>(value)); }

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_to_pack(errc code, const char* why) {
    error{code, why, executed::no}.raise();
}

/// msgpack counts in 32 bits.
inline std::uint32_t checked_size(std::size_t size) {
    if (size > std::numeric_limits<std::uint32_t>::max()) {
        refuse_to_pack(errc::message_too_big, "more than 4294967295 bytes or elements in one value");
    }
    return static_cast<std::uint32_t>(size);
}

/// A length in the shortest of three widths, whose leading bytes follow each other.
inline void put_length(byte_buffer& out, unsigned leading16, std::uint32_t size) {
    if (size <= 0xffff) return put(out, leading16, static_cast<std::uint16_t>(size));
    put(out, leading16 + 1, size);
}

/// What stands before the bytes of a text that is not short.
inline void put_text_head(byte_buffer& out, std::uint32_t size) {
    if (size <= 0xff) return put(out, 0xd9, static_cast<std::uint8_t>(size));
    put_length(out, 0xda, size);
}

inline void put_text(byte_buffer& out, std::string_view text) {
    const auto size = checked_size(text.size());
    if (size < 0x20) {
        std::byte* const to = out.prepare(1 + size).data();
        *to = static_cast<std::byte>(0xa0 | size);
        if (size != 0) std::memcpy(to + 1, text.data(), size);
        return out.commit(1 + size);
    }
    put_text_head(out, size);
    out.append(text.data(), size);
}

inline void put_blob_head(byte_buffer& out, std::uint32_t size) {
    if (size <= 0xff) return put(out, 0xc4, static_cast<std::uint8_t>(size));
    put_length(out, 0xc5, size);
}

inline void put_blob(byte_buffer& out, const void* from, std::size_t count) {
    const auto size = checked_size(count);
    put_blob_head(out, size);
    out.append(from, size);
}

/// `from` holds the type byte and then `count` bytes.
inline void put_extension(byte_buffer& out, const void* from, std::size_t count) {
    const auto size = checked_size(count);
    switch (size) {
        case 1: put(out, 0xd4); break;
        case 2: put(out, 0xd5); break;
        case 4: put(out, 0xd6); break;
        case 8: put(out, 0xd7); break;
        case 16: put(out, 0xd8); break;
        default:
            if (size <= 0xff) {
                put(out, 0xc7, static_cast<std::uint8_t>(size));
            } else {
                put_length(out, 0xc8, size);
            }
    }
    out.append(from, std::size_t{1} + size);
}

inline void put_array(byte_buffer& out, std::size_t count) {
    const auto size = checked_size(count);
    if (size < 0x10) return put(out, 0x90 | size);
    put_length(out, 0xdc, size);
}

inline void put_map(byte_buffer& out, std::size_t count) {
    const auto size = checked_size(count);
    if (size < 0x10) return put(out, 0x80 | size);
    put_length(out, 0xde, size);
}

}  // namespace futon::detail
