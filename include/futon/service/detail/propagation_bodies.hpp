// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of propagation.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/trace.hpp>
#include <futon/message/metadata.hpp>
#include <futon/service/propagation.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace futon::detail {

/// As many whole entries of a list with commas as `most` bytes have room for.
[[nodiscard]] inline std::string_view whole_entries(std::string_view list, std::size_t most) noexcept {
    if (list.size() <= most) return list;
    const auto end = list.substr(0, most + 1).rfind(',');
    return end == list.npos ? std::string_view{} : list.substr(0, end);
}

/// Percent-encodes what may not stand in a value.
inline void append_escaped(std::string& to, std::string_view text) {
    for (const char c : text) {
        const bool plain =
            c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != ';' && c != '\\' && c != '%' && c != '=';
        if (plain) {
            to.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            to.push_back('%');
            to.push_back("0123456789ABCDEF"[byte >> 4u]);
            to.push_back("0123456789ABCDEF"[byte & 15u]);
        }
    }
}

[[nodiscard]] inline std::string unescaped(std::string_view text) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = high >= 0 ? digit(text[i + 2]) : -1;
        if (low >= 0) {
            plain.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            plain.push_back(text[i]);
        }
    }
    return plain;
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    return first == text.npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

FUTON_DETAIL_BODY void write_trace(const request_trace& from, metadata& to) {
    if (!from.parent.empty() && !to.contains("traceparent")) {
        to.set("traceparent", from.parent);
        if (!from.state.empty()) to.set("tracestate", from.state);
    }
    if (from.baggage.empty() || to.contains("baggage")) return;
    std::string text;
    std::size_t entries = 0;
    for (const auto& [key, value] : from.baggage) {
        const auto before = text.size();
        if (!text.empty()) text.push_back(',');
        append_escaped(text, key);
        text.push_back('=');
        append_escaped(text, value);
        if (text.size() > max_baggage_bytes || ++entries > max_baggage_entries) {
            text.resize(before);
            break;
        }
    }
    if (!text.empty()) to.set("baggage", text);
}

FUTON_DETAIL_BODY trace_ptr read_trace(const metadata& from) {
    const auto parent = from.get("traceparent");
    const auto baggage = from.get("baggage");
    if (!parent && !baggage) return nullptr;
    const auto made = make_intrusive<request_trace>();
    if (parent && is_trace_parent(*parent)) {
        made->parent = *parent;
        if (const auto state = from.get("tracestate")) made->state = whole_entries(*state, max_trace_state_bytes);
    }
    auto rest = baggage ? whole_entries(*baggage, max_baggage_bytes) : std::string_view{};
    while (!rest.empty() && made->baggage.size() < max_baggage_entries) {
        const auto end = rest.find(',');
        const auto entry = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
        const auto pair = entry.substr(0, entry.find(';'));
        const auto equals = pair.find('=');
        if (equals == pair.npos) continue;
        const auto key = unescaped(trimmed(pair.substr(0, equals)));
        if (!key.empty()) made->set(key, unescaped(trimmed(pair.substr(equals + 1))));
    }
    if (made->empty()) return nullptr;
    return made;
}

}  // namespace futon::detail
