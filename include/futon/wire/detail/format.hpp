// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The heads of msgpack values: what follows a leading byte. Shared by the validator, the reader and the tree.

#include <cstddef>
#include <cstdint>

namespace futon::detail {

/// What a msgpack value is, before any C++ type is asked.
enum class kind : std::uint8_t { nil, boolean, integer, floating, string, binary, array, map, extension, reserved };

[[nodiscard]] constexpr const char* name(kind what) noexcept {
    switch (what) {
        case kind::nil: return "nil";
        case kind::boolean: return "bool";
        case kind::integer: return "integer";
        case kind::floating: return "float";
        case kind::string: return "string";
        case kind::binary: return "binary";
        case kind::array: return "array";
        case kind::map: return "map";
        case kind::extension: return "extension";
        case kind::reserved: break;
    }
    return "reserved byte 0xc1";
}

/// The name with its article.
[[nodiscard]] constexpr const char* article(kind what) noexcept {
    switch (what) {
        case kind::integer: return "an integer";
        case kind::array: return "an array";
        case kind::extension: return "an extension";
        case kind::nil: return "nil";
        case kind::boolean: return "a bool";
        case kind::floating: return "a float";
        case kind::string: return "a string";
        case kind::binary: return "a binary";
        case kind::map: return "a map";
        case kind::reserved: break;
    }
    return "a reserved byte";
}

/// How the leading bytes 0xc0 to 0xdf are followed: by `payload` bytes, or by a length of `length_width`
/// bytes and then by what that says. The type byte of an extension counts as payload.
struct head_rule {
    kind what;
    std::uint8_t payload;
    std::uint8_t length_width;
};
inline constexpr head_rule head_rules[32] = {
    {kind::nil, 0, 0},        {kind::reserved, 0, 0},  {kind::boolean, 0, 0},   {kind::boolean, 0, 0},
    {kind::binary, 0, 1},     {kind::binary, 0, 2},    {kind::binary, 0, 4},    {kind::extension, 1, 1},
    {kind::extension, 1, 2},  {kind::extension, 1, 4}, {kind::floating, 4, 0},  {kind::floating, 8, 0},
    {kind::integer, 1, 0},    {kind::integer, 2, 0},   {kind::integer, 4, 0},   {kind::integer, 8, 0},
    {kind::integer, 1, 0},    {kind::integer, 2, 0},   {kind::integer, 4, 0},   {kind::integer, 8, 0},
    {kind::extension, 2, 0},  {kind::extension, 3, 0}, {kind::extension, 5, 0}, {kind::extension, 9, 0},
    {kind::extension, 17, 0}, {kind::string, 0, 1},    {kind::string, 0, 2},    {kind::string, 0, 4},
    {kind::array, 0, 2},      {kind::array, 0, 4},     {kind::map, 0, 2},       {kind::map, 0, 4},
};

[[nodiscard]] constexpr kind kind_of(std::byte leading) noexcept {
    const auto first = std::to_integer<std::uint8_t>(leading);
    if (first < 0x80 || first >= 0xe0) return kind::integer;
    if (first < 0x90) return kind::map;
    if (first < 0xa0) return kind::array;
    if (first < 0xc0) return kind::string;
    return head_rules[first - 0xc0].what;
}

/// A big-endian number of `sizeof(Unsigned)` bytes.
template <class Unsigned>
[[nodiscard]] constexpr Unsigned load(const std::byte* from) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i != sizeof(Unsigned); ++i) value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
    return static_cast<Unsigned>(value);
}

/// A parsed head. `size` counts elements of an array, pairs of a map, and for all else the bytes that follow.
struct head {
    kind what = kind::reserved;
    std::size_t size = 0;
};

/// Parses the head at `at` and moves past it; false, without moving, if the input ends within it.
[[nodiscard]] constexpr bool parse_head(const std::byte*& at, const std::byte* end, head& out) noexcept {
    if (at == end) return false;
    const auto first = std::to_integer<std::uint8_t>(*at);
    if (first < 0xc0 || first >= 0xe0) {
        out.what = kind_of(*at++);
        out.size = out.what == kind::integer ? 0 : out.what == kind::string ? first & 0x1f : first & 0x0f;
        return true;
    }
    const auto rule = head_rules[first - 0xc0];
    if (static_cast<std::size_t>(end - at) < 1u + rule.length_width) return false;
    out.what = rule.what;
    out.size = rule.payload;
    switch (rule.length_width) {
        case 1: out.size += load<std::uint8_t>(at + 1); break;
        case 2: out.size += load<std::uint16_t>(at + 1); break;
        case 4: out.size += load<std::uint32_t>(at + 1); break;
        default: break;
    }
    at += 1u + rule.length_width;
    return true;
}

}  // namespace futon::detail
