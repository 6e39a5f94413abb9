// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A provider as one line of text, for files, for registries that store text, and for people:
/// `tcp://10.0.0.1:12200?weight=50&zone=eu-1a&version=1.4&group=canary&warm_up=30s&colour=blue`.
/// A parameter with another name than these five is a tag. Pure; any bytes may be parsed.

#include <futon/cluster/provider.hpp>
#include <futon/cluster/query_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

inline constexpr std::uint32_t most_weight = 1'000'000;              ///< The greatest weight of a provider.
inline constexpr duration longest_warm_up = std::chrono::hours{24};  ///< The longest warm-up of a provider.

namespace detail {

inline constexpr std::array<std::string_view, 5> provider_keys{"weight", "zone", "version", "group", "warm_up"};

struct time_unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
// The longest first: the first that divides a duration writes it shortest.
inline constexpr std::array<time_unit, 6> time_units{{{"h", 3'600'000'000'000},
                                                      {"m", 60'000'000'000},
                                                      {"s", 1'000'000'000},
                                                      {"ms", 1'000'000},
                                                      {"us", 1'000},
                                                      {"ns", 1}}};

[[nodiscard]] inline std::string duration_text(duration time) {
    for (const auto& unit : time_units)
        if (time.count() % unit.nanoseconds == 0)
            return std::to_string(time.count() / unit.nanoseconds).append(unit.name);
    return {};
}

/// A whole number and its unit, e.g. "30s"; false if it is none, or more than `most`.
[[nodiscard]] inline bool parse_duration(std::string_view text, duration most, duration& into) {
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || number < 0) return false;
    const auto name = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& unit : time_units) {
        if (unit.name != name) continue;
        if (number > most.count() / unit.nanoseconds) return false;
        into = duration{number * unit.nanoseconds};
        return true;
    }
    return false;
}

[[nodiscard]] inline bool parse_number(std::string_view text, std::uint32_t most, std::uint32_t& into) {
    std::uint32_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size() || number > most) return false;
    into = number;
    return true;
}

}  // namespace detail

/// What is wrong with a provider, in words; empty if it can be published.
[[nodiscard]] inline std::string_view provider_fault(const provider& who) {
    const auto& address = who.address;
    const bool by_path = address.scheme == "unix" || address.scheme == "memory";
    const auto& place = by_path ? address.path : address.host;
    if (!by_path && address.port == 0) return "it has no port";
    if (place.empty()) return "it has no address";
    const auto unclear = [](char c) { return c <= ' ' || c >= 0x7f || c == '?' || c == '&' || c == '%' || c == '#'; };
    if (std::ranges::any_of(place, unclear)) return "its address has characters that no address has";
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
               c == '.';
    };
    if (address.scheme.empty() || !std::ranges::all_of(address.scheme, letter)) return "its scheme is not a word";
    if (by_path) {
        if (!address.host.empty() || address.port != 0) return "its address has a host and a path";
        if (address.scheme == "unix" && (place.front() != '/' || place.size() > 103))
            return "its path is not absolute, or longer than 103 bytes";
    } else {
        if (!address.path.empty()) return "its address has a host and a path";
        if (place.find_first_of("/[]@") != place.npos) return "its host is not a host";
    }
    if (who.weight > most_weight) return "its weight is more than 1000000";
    if (who.warm_up < duration::zero() || who.warm_up > longest_warm_up)
        return "its warm-up is negative, or longer than a day";
    if (who.tags.size() > detail::most_query_pairs - detail::provider_keys.size()) return "it has more than 59 tags";
    std::size_t size = place.size() + who.zone.size() + who.version.size() + who.group.size();
    for (const auto& [key, value] : who.tags) {
        if (key.empty()) return "a tag has no name";
        if (std::ranges::find(detail::provider_keys, key) != detail::provider_keys.end())
            return "a tag has the name of a parameter";
        size += key.size() + value.size() + 2;
    }
    // Each byte may need three, and the names of the parameters need a few.
    if (size > detail::most_query_bytes / 3 - 64) return "it is too long";
    return {};
}

/// The line that `parse_provider` reads back. What is as if not said is not written.
[[nodiscard]] inline std::string provider_text(const provider& who) {
    auto text = who.address.text();
    char mark = '?';
    const auto add = [&](std::string_view key, std::string_view value) {
        text.push_back(std::exchange(mark, '&'));
        detail::append_encoded(text, key);
        text.push_back('=');
        detail::append_encoded(text, value);
    };
    if (who.weight != provider{}.weight) add("weight", std::to_string(who.weight));
    if (!who.zone.empty()) add("zone", who.zone);
    if (!who.version.empty()) add("version", who.version);
    if (!who.group.empty()) add("group", who.group);
    if (who.warm_up != duration::zero()) add("warm_up", detail::duration_text(who.warm_up));
    for (const auto& [key, value] : who.tags) add(key, value);
    return text;
}

/// Errors: `errc::bad_address`, with the beginning of the text and what is wrong with it.
[[nodiscard]] inline result<provider> parse_provider(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        std::string shown{text.substr(0, 100)};
        std::ranges::replace_if(
            shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) >= 0x7f; },
            '?');
        return error{errc::bad_address, "'" + shown + "' is not a provider: " + std::string{why}, executed::no};
    };
    if (text.size() > detail::most_query_bytes) return bad("it is longer than 8 KiB");
    const auto question = text.find('?');
    auto address = endpoint::parse(text.substr(0, question));
    if (!address)
        return bad("it does not begin with an address like tcp://host:port, tcp://[ipv6]:port or unix:///path");
    provider made{.address = *std::move(address)};
    unsigned seen = 0;
    const auto take = [&](const std::string& key, std::string& value) -> std::string_view {
        const auto place =
            static_cast<unsigned>(std::ranges::find(detail::provider_keys, key) - detail::provider_keys.begin());
        if (place == detail::provider_keys.size()) {
            if (made.tags.contains(key)) return "a tag is given twice";
            made.tags.set(key, value);
            return {};
        }
        if (seen & (1u << place)) return "a parameter is given twice";
        seen |= 1u << place;
        switch (place) {
            case 0:
                return detail::parse_number(value, most_weight, made.weight)
                           ? ""
                           : "the weight must be a number from 0 to 1000000";
            case 1: made.zone = std::move(value); break;
            case 2: made.version = std::move(value); break;
            case 3: made.group = std::move(value); break;
            default:
                return detail::parse_duration(value, longest_warm_up, made.warm_up)
                           ? ""
                           : "the warm-up must be a time like 30s, of a day at most";
        }
        return {};
    };
    if (question != text.npos)
        if (const auto why = detail::read_query(text.substr(question + 1), take); !why.empty()) return bad(why);
    if (const auto why = provider_fault(made); !why.empty()) return bad(why);
    return made;
}

}  // namespace futon
