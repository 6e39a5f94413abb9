// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pairs of key and value as the query of a URL: "a=1&b=two%20words". Pure, bounded, and strict: what it would not
/// write the same way it may still read, what is not clear it refuses.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/message/metadata.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// Longest text of a provider or of settings, and most pairs in it.
inline constexpr std::size_t most_query_bytes = 8 * 1024;
inline constexpr std::size_t most_query_pairs = 64;

/// Percent-encodes all but letters, digits and a few signs that mean nothing in a query.
inline void append_encoded(std::string& to, std::string_view raw) {
    constexpr std::string_view plain = "-._~:/@";
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : raw) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || plain.find(c) != plain.npos) {
            to.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            to.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
}

/// Undoes percent-encoding; false if a '%' is not followed by two hexadecimal digits.
[[nodiscard]] inline bool decode_percent(std::string_view text, std::string& into) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    into.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            into.push_back(text[i]);
            continue;
        }
        if (text.size() - i < 3) return false;
        const int high = digit(text[i + 1]);
        const int low = digit(text[i + 2]);
        if (high < 0 || low < 0) return false;
        into.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return true;
}

/// Calls `take(key, value)` for each pair until it returns false. The values are valid within the call.
/// Errors: the reason in words, where the text is not a query; empty: it was read.
template <class Take>
[[nodiscard]] std::string_view read_query(std::string_view text, Take take) {
    if (text.size() > most_query_bytes) return "it is longer than 8 KiB";
    std::string key;
    std::string value;
    for (std::size_t pairs = 0; !text.empty(); ++pairs) {
        if (pairs == most_query_pairs) return "it has more than 64 parameters";
        const auto end = text.find('&');
        const auto pair = text.substr(0, end);
        text = end == text.npos ? std::string_view{} : text.substr(end + 1);
        const auto equals = pair.find('=');
        if (equals == pair.npos) return "a parameter has no '='";
        if (pair.find('=', equals + 1) != pair.npos) return "a parameter has more than one '='";
        if (equals == 0) return "a parameter has no name";
        if (!decode_percent(pair.substr(0, equals), key) || !decode_percent(pair.substr(equals + 1), value))
            return "a '%' is not followed by two hexadecimal digits";
        if (const std::string_view why = take(key, value); !why.empty()) return why;
    }
    return {};
}

[[nodiscard]] inline std::string settings_text(const metadata& settings) {
    std::string text;
    for (const auto& [key, value] : settings) {
        if (!text.empty()) text.push_back('&');
        append_encoded(text, key);
        text.push_back('=');
        append_encoded(text, value);
    }
    return text;
}

/// Errors: `errc::bad_address`, with the reason.
[[nodiscard]] inline result<metadata> parse_settings(std::string_view text) {
    metadata made;
    const auto why = read_query(text, [&](const std::string& key, const std::string& value) -> std::string_view {
        if (made.contains(key)) return "a parameter is given twice";
        made.set(key, value);
        return {};
    });
    if (!why.empty())
        return error{errc::bad_address, "settings that cannot be read: " + std::string{why}, executed::no};
    return made;
}

}  // namespace futon::detail
