// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// UTF-8: is it, and where may it be cut.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace futon::detail {

/// Shortest form, no surrogates, nothing past U+10FFFF.
[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        const std::size_t more = lead >= 0xC2 && lead <= 0xDF   ? 1
                                 : lead >= 0xE0 && lead <= 0xEF ? 2
                                 : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                                : 0;
        if (more == 0 || text.size() - i <= more) return false;
        const auto second = static_cast<unsigned char>(text[i + 1]);
        const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (second < lowest || second > highest) return false;
        for (std::size_t k = 2; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

/// The longest beginning of at most `count` bytes that does not cut a character in two.
[[nodiscard]] constexpr std::string_view cut_utf8(std::string_view text, std::size_t count) noexcept {
    if (text.size() <= count) return text;
    while (count > 0 && (static_cast<unsigned char>(text[count]) & 0xC0) == 0x80) --count;
    return text.substr(0, count);
}

}  // namespace futon::detail
