// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The hash behind everything that must come out alike in every client: keys of calls and identities of providers.

#include <futon/cluster/dice.hpp>
#include <futon/message/endpoint.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace futon {

/// 64 bits of a text: the same on every platform and in every version of futon, since clients of different builds must
/// send one key to one provider. Not for adversaries: whoever chooses keys can make them collide.
///
/// Eight bytes at a time, little-endian, the last ones padded
/// with zeros: h = mix(h ^ word) * odd; then mix(h ^ length).
[[nodiscard]] constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0) noexcept {
    std::uint64_t h = seed ^ 0x9e3779b97f4a7c15u;
    for (std::size_t at = 0; at < text.size(); at += 8) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 8 && at + i < text.size(); ++i)
            word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
        h = detail::mix(h ^ word) * 0xd6e8feb86659fd93u;
    }
    return detail::mix(h ^ text.size());
}

namespace detail {

// Halves of the hash of two numbers, for one with many others.
[[nodiscard]] constexpr std::uint64_t hash_first(std::uint64_t a) noexcept { return mix(a + 0x9e3779b97f4a7c15u); }
[[nodiscard]] constexpr std::uint64_t hash_second(std::uint64_t first, std::uint64_t b) noexcept {
    return mix(first ^ (b * 0xd6e8feb86659fd93u));
}

}  // namespace detail

/// Of two numbers, where their order matters.
[[nodiscard]] constexpr std::uint64_t stable_hash(std::uint64_t a, std::uint64_t b) noexcept {
    return detail::hash_second(detail::hash_first(a), b);
}

/// Of an address: of its text.
[[nodiscard]] inline std::uint64_t stable_hash(const endpoint& address) {
    const bool plain =
        address.scheme != "unix" && address.scheme != "memory" && address.host.find(':') == std::string::npos;
    std::array<char, 120> text;
    if (!plain || address.scheme.size() + address.host.size() > text.size() - 9) return stable_hash(address.text());
    // The same without an allocation: lists of a hundred thousand are hashed at once.
    auto* end = std::copy(address.scheme.begin(), address.scheme.end(), text.data());
    for (const char c : {':', '/', '/'}) *end++ = c;
    end = std::copy(address.host.begin(), address.host.end(), end);
    *end++ = ':';
    end = std::to_chars(end, text.data() + text.size(), address.port).ptr;
    return stable_hash(std::string_view{text.data(), static_cast<std::size_t>(end - text.data())});
}

}  // namespace futon
