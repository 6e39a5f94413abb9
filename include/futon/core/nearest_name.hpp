// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What somebody may have meant who wrote a name that is not known. Pure; any bytes may be compared.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace futon::detail {

/// How many bytes must be put in, left out or replaced to make one of the other; upper and lower case are the same.
/// Of names longer than 32 bytes only the beginnings are compared.
[[nodiscard]] constexpr std::size_t name_distance(std::string_view a, std::string_view b) noexcept {
    constexpr std::size_t most = 32;
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    a = a.substr(0, most);
    b = b.substr(0, most);
    std::array<std::size_t, most + 1> row{};
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto replaced = diagonal + (small(a[i - 1]) == small(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

/// The one of `known` that `name` is nearest to; empty if at most half of it fits.
[[nodiscard]] constexpr std::string_view nearest_name(std::string_view name,
                                                      std::span<const std::string_view> known) noexcept {
    std::string_view nearest;
    auto least = name.size();
    for (const auto each : known) {
        const auto distance = name_distance(name, each);
        if (distance >= least || 2 * distance >= std::max(name.size(), each.size())) continue;
        least = distance;
        nearest = each;
    }
    return nearest;
}

/// For the end of a sentence that says that `name` is not known: "; did you mean 'a'? Known: a, b".
[[nodiscard]] inline std::string known_names(std::string_view name, std::span<const std::string_view> known) {
    std::string text;
    if (const auto nearest = nearest_name(name, known); !nearest.empty())
        text.append("; did you mean '").append(nearest).append("'?");
    text.append(text.empty() ? "; known: " : " Known: ");
    for (std::size_t i = 0; i < known.size(); ++i) text.append(i == 0 ? "" : ", ").append(known[i]);
    return text;
}

}  // namespace futon::detail
