// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What travels with a request through every service that works on it: its trace, and its baggage.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/random_word.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// The trace and the baggage of one request, in the terms of
/// W3C Trace Context and W3C Baggage. Not changed once shared.
struct request_trace final : detail::ref_counted {
    /// `traceparent`: "00-", 32 hex digits of trace, "-", 16 of span, "-", 2 of flags. Empty: none.
    std::string parent{};
    std::string state{};  ///< `tracestate`: what tracing systems add for themselves.
    std::vector<std::pair<std::string, std::string>> baggage{};  ///< Keys are unique.

    [[nodiscard]] bool empty() const noexcept { return parent.empty() && baggage.empty(); }
    /// Valid as long as this.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const noexcept {
        for (const auto& [present, value] : baggage)
            if (present == key) return value;
        return std::nullopt;
    }
    void set(std::string_view key, std::string_view value) {
        for (auto& [present, old] : baggage) {
            if (present == key) {
                old = value;
                return;
            }
        }
        baggage.emplace_back(key, value);
    }
};
using trace_ptr = detail::intrusive_ptr<const request_trace>;

/// Whether `text` is a `traceparent` of version 00 with ids that are not zero.
[[nodiscard]] inline bool is_trace_parent(std::string_view text) noexcept {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    const auto some_hex = [&](std::string_view part) {
        return std::all_of(part.begin(), part.end(), is_hex) && part.find_first_not_of('0') != part.npos;
    };
    return text.size() == 55 && text.starts_with("00-") && text[35] == '-' && text[52] == '-' &&
           some_hex(text.substr(3, 32)) && some_hex(text.substr(36, 16)) && is_hex(text[53]) && is_hex(text[54]);
}

/// A `traceparent` for a request that begins a trace of its own.
[[nodiscard]] inline std::string make_trace_parent(bool sampled = true) {
    std::string text{"00-"};
    // An id must not be zero.
    const auto append_digits = [&](int words) {
        for (int word = 0; word < words; ++word) {
            const std::uint32_t number = detail::random_word() | 1u;
            for (int shift = 28; shift >= 0; shift -= 4) text.push_back("0123456789abcdef"[(number >> shift) & 15u]);
        }
    };
    append_digits(4);
    text.push_back('-');
    append_digits(2);
    return text.append(sampled ? "-01" : "-00");
}

}  // namespace futon
