// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Metadata as bytes: a msgpack map of str to str, bounded on both sides. Knows nothing of frames.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/message/metadata.hpp>
#include <futon/wire/detail/byte_reader.hpp>
#include <futon/wire/detail/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace futon {

/// What metadata may be. Fixed by the protocol, except for the two that a connection sets.
struct metadata_limits {
    static constexpr std::size_t max_key_bytes = 128;
    static constexpr std::size_t max_value_bytes = 8u << 10;
    std::size_t max_bytes = 16u << 10;  ///< Of the whole map as encoded. 0 refuses metadata.
    std::size_t max_entries = 64;       ///< 0 refuses metadata.
};

namespace detail {

[[nodiscard]] constexpr std::size_t str_size(std::size_t length) noexcept {
    return length + (length < 32 ? 1u : length < 256 ? 2u : length < 65536 ? 3u : 5u);
}

inline void put_str(byte_buffer& out, std::string_view text) {
    const auto n = text.size();
    if (n < 32) {
        out.push_back(static_cast<std::byte>(0xA0 | n));
    } else if (n < 256) {
        out.push_back(std::byte{0xD9});
        out.push_back(static_cast<std::byte>(n));
    } else {
        out.push_back(std::byte{0xDA});
        out.push_back(static_cast<std::byte>(n >> 8));
        out.push_back(static_cast<std::byte>(n));
    }
    out.append(text.data(), n);
}

// msgpack is big endian.
[[nodiscard]] inline bool take_big(bytes_view& from, std::size_t width, std::size_t& value) noexcept {
    if (from.size() < width) return false;
    value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | std::to_integer<std::size_t>(from[i]);
    from = from.subspan(width);
    return true;
}

[[nodiscard]] inline bool take_map(bytes_view& from, std::size_t& count) noexcept {
    if (from.empty()) return false;
    const auto tag = std::to_integer<unsigned>(from.front());
    from = from.subspan(1);
    if (tag >= 0x80 && tag <= 0x8F) {
        count = tag & 0x0F;
        return true;
    }
    return (tag == 0xDE && take_big(from, 2, count)) || (tag == 0xDF && take_big(from, 4, count));
}

[[nodiscard]] inline bool take_str(bytes_view& from, std::string_view& text) noexcept {
    if (from.empty()) return false;
    const auto tag = std::to_integer<unsigned>(from.front());
    from = from.subspan(1);
    std::size_t count = tag & 0x1F;
    const bool is_str = (tag >= 0xA0 && tag <= 0xBF) || (tag == 0xD9 && take_big(from, 1, count)) ||
                        (tag == 0xDA && take_big(from, 2, count)) || (tag == 0xDB && take_big(from, 4, count));
    if (!is_str || count > from.size()) return false;
    text = as_text(from.first(count));
    from = from.subspan(count);
    return true;
}

}  // namespace detail

/// Its size as encoded.
/// Errors: message_too_big, bad_arguments (a key that is empty or not UTF-8), with `executed::no`.
[[nodiscard]] inline result<std::size_t> encoded_size(const metadata& headers, const metadata_limits& limits) {
    const auto refuse = [](errc code, std::string_view what, std::size_t value, std::size_t most) {
        return error{code,
                     "metadata: " + std::string{what} + " " + std::to_string(value) + ", limit " + std::to_string(most),
                     executed::no};
    };
    if (headers.size() > limits.max_entries)
        return refuse(errc::message_too_big, "entries", headers.size(), limits.max_entries);
    std::size_t sum = headers.size() < 16 ? 1 : 3;
    for (const auto& [key, value] : headers) {
        if (key.size() > limits.max_key_bytes)
            return refuse(errc::message_too_big, "bytes of a key", key.size(), limits.max_key_bytes);
        if (value.size() > limits.max_value_bytes)
            return refuse(errc::message_too_big, "bytes of the value of '" + key + "':", value.size(),
                          limits.max_value_bytes);
        if (key.empty() || !detail::is_utf8(key))
            return error{errc::bad_arguments, "metadata: a key is empty or not UTF-8", executed::no};
        sum += detail::str_size(key.size()) + detail::str_size(value.size());
    }
    if (sum > limits.max_bytes) return refuse(errc::message_too_big, "bytes", sum, limits.max_bytes);
    return sum;
}

/// Appends it. Only for metadata that `encoded_size` accepted.
inline void encode_metadata(byte_buffer& out, const metadata& headers) {
    if (headers.size() < 16) {
        out.push_back(static_cast<std::byte>(0x80 | headers.size()));
    } else {
        out.push_back(std::byte{0xDE});
        out.push_back(static_cast<std::byte>(headers.size() >> 8));
        out.push_back(static_cast<std::byte>(headers.size()));
    }
    for (const auto& [key, value] : headers) {
        detail::put_str(out, key);
        detail::put_str(out, value);
    }
}

/// Replaces `headers`. The size is checked first, then each entry before it is copied.
/// Errors: message_too_big, bad_arguments (no map of str to str, a key twice, empty or not UTF-8), with `executed::no`.
[[nodiscard]] inline result<void> decode_metadata(bytes_view whole, metadata& headers, const metadata_limits& limits) {
    const auto too_big = [](const char* what) { return error{errc::message_too_big, what, executed::no}; };
    const auto malformed = [](const char* what) { return error{errc::bad_arguments, what, executed::no}; };
    headers.clear();
    if (whole.size() > limits.max_bytes) return too_big("metadata: too many bytes");
    std::size_t count = 0;
    if (!detail::take_map(whole, count)) return malformed("metadata: not a map");
    if (count > limits.max_entries) return too_big("metadata: too many entries");
    for (; count > 0; --count) {
        std::string_view key;
        std::string_view value;
        if (!detail::take_str(whole, key)) return malformed("metadata: a key is not a string");
        if (key.size() > limits.max_key_bytes) return too_big("metadata: a key is too long");
        if (key.empty() || !detail::is_utf8(key)) return malformed("metadata: a key is empty or not UTF-8");
        if (!detail::take_str(whole, value)) return malformed("metadata: a value is not a string");
        if (value.size() > limits.max_value_bytes) return too_big("metadata: a value is too long");
        if (headers.contains(key)) return malformed("metadata: a key stands twice");
        headers.set(key, value);
    }
    if (!whole.empty()) return malformed("metadata: bytes after the map");
    return {};
}

}  // namespace futon
