// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Takes numbers and texts from the front of bytes, and never reads past them.

#include <futon/core/bytes.hpp>
#include <futon/wire/varint.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

namespace futon::detail {

/// Little endian, as in the futon protocol.
template <class T>
[[nodiscard]] constexpr T load_little(const std::byte* from) noexcept {
    T value = 0;
    if (std::endian::native == std::endian::little && !std::is_constant_evaluated()) {
        std::memcpy(&value, from, sizeof(T));
        return value;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(from[i]) << (8 * i)));
    return value;
}

template <class T>
constexpr std::byte* put_little(std::byte* to, T value) noexcept {
    if (std::endian::native == std::endian::little && !std::is_constant_evaluated()) {
        std::memcpy(to, &value, sizeof(T));
        return to + sizeof(T);
    }
    for (std::size_t i = 0; i < sizeof(T); ++i) *to++ = static_cast<std::byte>(value >> (8 * i));
    return to;
}

/// Each function is false, and the value untouched, if the bytes do not hold it.
class byte_reader {
public:
    explicit byte_reader(bytes_view from) noexcept : left_{from} {}

    [[nodiscard]] bool u8(std::uint8_t& value) noexcept {
        if (left_.empty()) return false;
        value = std::to_integer<std::uint8_t>(left_.front());
        left_ = left_.subspan(1);
        return true;
    }
    [[nodiscard]] bool u64(std::uint64_t& value) noexcept {
        if (left_.size() < 8) return false;
        value = load_little<std::uint64_t>(left_.data());
        left_ = left_.subspan(8);
        return true;
    }
    [[nodiscard]] bool varint(std::uint64_t& value) noexcept { return read_varint(left_, value); }
    [[nodiscard]] bool varint32(std::uint32_t& value) noexcept {
        std::uint64_t wide = 0;
        auto rest = left_;
        if (!read_varint(rest, wide) || wide > std::numeric_limits<std::uint32_t>::max()) return false;
        value = static_cast<std::uint32_t>(wide);
        left_ = rest;
        return true;
    }
    /// A varint count, then as many bytes.
    [[nodiscard]] bool block(bytes_view& value) noexcept {
        std::uint64_t count = 0;
        auto rest = left_;
        if (!read_varint(rest, count) || count > rest.size()) return false;
        value = rest.first(static_cast<std::size_t>(count));
        left_ = rest.subspan(static_cast<std::size_t>(count));
        return true;
    }
    [[nodiscard]] bool text(std::string_view& value) noexcept {
        bytes_view raw;
        if (!block(raw)) return false;
        value = as_text(raw);
        return true;
    }
    [[nodiscard]] bytes_view rest() const noexcept { return left_; }
    [[nodiscard]] bool empty() const noexcept { return left_.empty(); }

private:
    bytes_view left_;
};

}  // namespace futon::detail
