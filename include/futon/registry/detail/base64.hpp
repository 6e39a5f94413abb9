// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Base64 with padding (RFC 4648 section 4).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace futon::detail {

[[nodiscard]] inline std::string to_base64(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto part = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= part.size() ? letters[bits >> (18 - 6 * k) & 63] : '=');
    }
    return text;
}

/// Empty if it is not base64 with its padding.
[[nodiscard]] inline std::optional<std::string> from_base64(std::string_view text) {
    const auto value = [](char c) -> int {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
    };
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t bits = 0;
        std::size_t padding = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const char c = text[i + k];
            const int six = c == '=' ? 0 : value(c);
            if (six < 0 || (c != '=' && padding > 0)) return std::nullopt;
            if (c == '=') ++padding;
            bits = bits << 6 | static_cast<std::uint32_t>(six);
        }
        if (padding > 2 || (padding > 0 && i + 4 != text.size())) return std::nullopt;
        for (std::size_t k = 0; k < 3 - padding; ++k) bytes.push_back(static_cast<char>(bits >> (16 - 8 * k) & 0xff));
    }
    return bytes;
}

}  // namespace futon::detail
