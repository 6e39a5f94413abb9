// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bytes as text, so that tests can quote messages.

#include <futon/core/bytes.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace test_support {

/// "93 01 02" as bytes; spaces are optional.
[[nodiscard]] inline futon::bytes hex(std::string_view text) {
    const auto digit = [](char c) {
        const auto at = std::string_view{"0123456789abcdef"}.find(c);
        if (at == std::string_view::npos) throw std::invalid_argument{"not a hexadecimal digit"};
        return static_cast<unsigned>(at);
    };
    futon::bytes out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ') continue;
        out.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text.at(i + 1))));
        ++i;
    }
    return out;
}

/// Bytes as "93 01 02".
[[nodiscard]] inline std::string to_hex(futon::bytes_view blob) {
    std::string out;
    for (const auto each : blob) {
        if (!out.empty()) out += ' ';
        out += "0123456789abcdef"[std::to_integer<unsigned>(each) >> 4];
        out += "0123456789abcdef"[std::to_integer<unsigned>(each) & 15];
    }
    return out;
}

/// The same bytes `count` times.
[[nodiscard]] inline futon::bytes repeat(std::string_view text, std::size_t count) {
    const auto one = hex(text);
    futon::bytes out;
    out.reserve(one.size() * count);
    for (std::size_t i = 0; i != count; ++i) out.insert(out.end(), one.begin(), one.end());
    return out;
}

}  // namespace test_support
