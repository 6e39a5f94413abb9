// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Providers as SOFARPC writes them into ZooKeeper: the name of a node is a URL, encoded as Java's URLEncoder does it:
/// `bolt://10.0.0.1:12200?version=1.0&uniqueId=&weight=100&warmupTime=30000&...`. Pure; any bytes may be read.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/query_text.hpp>
#include <futon/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// The parts of a full service name, "name:version:unique_id".
struct sofa_service {
    std::string interface {};
    std::string version{};
    std::string unique_id{};

    [[nodiscard]] static sofa_service parse(std::string_view service) {
        sofa_service made;
        for (auto* const into : {&made.interface, &made.version}) {
            const auto end = service.find(':');
            *into = service.substr(0, end);
            if (end == service.npos) return made;
            service.remove_prefix(end + 1);
        }
        made.unique_id = service;
        return made;
    }
    friend bool operator==(const sofa_service&, const sofa_service&) = default;
};

/// What a node tells.
struct sofa_node {
    provider who{};
    std::string version{};  ///< Of the service; where the node says none it is "1.0", as in SOFARPC.
    std::string unique_id{};
};

/// As java.net.URLEncoder does it, in UTF-8.
[[nodiscard]] inline std::string java_url_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string made;
    for (const char c : text) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
            c == '*' || c == '_')
            made.push_back(c);
        else if (c == ' ')
            made.push_back('+');
        else
            made.append({'%', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]});
    }
    return made;
}
/// Errors: `errc::bad_address`.
[[nodiscard]] inline result<std::string> java_url_decode(std::string_view text) {
    std::string spaced{text};
    for (auto& c : spaced)
        if (c == '+') c = ' ';
    std::string made;
    if (!detail::decode_percent(spaced, made))
        return error{errc::bad_address, "a '%' is not followed by two hexadecimal digits", executed::no};
    return made;
}

/// The name of a provider's node. What futon knows and SOFARPC does not is in parameters that SOFARPC ignores; values
/// are percent-encoded once more within the URL, since SOFARPC splits it at each '&' and '='.
[[nodiscard]] inline std::string sofa_node_name(const sofa_service& service, const provider& who) {
    auto url = who.address.text();
    char mark = '?';
    const auto add = [&](std::string_view key, std::string_view value) {
        url.push_back(std::exchange(mark, '&'));
        url.append(key).push_back('=');
        detail::append_encoded(url, value);
    };
    add("version", service.version);
    add("uniqueId", service.unique_id);  // Consumers compare it, so that an empty one must be said.
    add("interface", service.interface);
    add("protocol", who.address.scheme);
    add("weight", std::to_string(who.weight));
    add("language", "futon");
    if (who.warm_up > duration::zero())
        add("warmupTime", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(who.warm_up).count()));
    if (!who.version.empty()) add("providerVersion", who.version);
    if (!who.zone.empty()) add("zone", who.zone);
    if (!who.group.empty()) add("group", who.group);
    for (const auto& [key, value] : who.tags) {
        std::string name{"tag."};
        detail::append_encoded(name, key);
        add(name, value);
    }
    return java_url_encode(url);
}

/// Reads a node that SOFARPC or futon wrote. A path after the address is left out;
/// parameters of SOFARPC that futon has no field for become tags, e.g. "serialization",
/// "startTime" and "uniqueId"; the service's version is the provider's too.
/// Errors: `errc::bad_address`.
[[nodiscard]] inline result<sofa_node> parse_sofa_node(std::string_view name) {
    const auto bad = [](std::string_view why) {
        return error{errc::bad_address, "a node of ZooKeeper is not a provider: " + std::string{why}, executed::no};
    };
    if (name.size() > 3 * detail::most_query_bytes) return bad("it is too long");
    const auto url = java_url_decode(name);
    if (!url) return bad(url.error().message());
    std::string_view address{*url};
    const auto question = address.find('?');
    const auto query = question == address.npos ? std::string_view{} : address.substr(question + 1);
    address = address.substr(0, question);
    const auto begin = address.find("://");
    if (begin == address.npos) return bad("it has no protocol");
    if (!address.starts_with("unix:") && !address.starts_with("memory:"))
        address = address.substr(0, address.find('/', begin + 3));
    auto read = endpoint::parse(address);
    if (!read) return bad("it has no address");
    sofa_node made{.who = {.address = *std::move(read)}, .version = "1.0"};
    bool ours = false;
    std::string provider_version;
    metadata others;
    const auto take = [&](const std::string& key, const std::string& value) -> std::string_view {
        std::uint32_t number = 0;
        if (key == "version") {
            made.version = value;
        } else if (key == "uniqueId") {
            made.unique_id = value;
            others.set(key, value);
        } else if (key == "weight") {
            if (!detail::parse_number(value, most_weight, made.who.weight))
                return "its weight is not a number from 0 to 1000000";
        } else if (key == "warmupTime") {
            if (!detail::parse_number(value, 86'400'000, number))
                return "its warm-up is not a number of milliseconds, of a day at most";
            made.who.warm_up = std::chrono::milliseconds{number};
        } else if (key == "language" && value == "futon") {
            ours = true;
        } else if (key == "providerVersion") {
            provider_version = value;
        } else if (key == "zone") {
            made.who.zone = value;
        } else if (key == "group") {
            made.who.group = value;
        } else if (key.starts_with("tag.")) {
            made.who.tags.set(std::string_view{key}.substr(4), value);
        } else if (key != "interface" && key != "protocol") {
            others.set(key, value);
        }
        return {};
    };
    if (const auto why = detail::read_query(query, take); !why.empty()) return bad(why);
    made.who.version = ours ? provider_version : made.version;
    if (!ours)
        for (const auto& [key, value] : others) made.who.tags.set(key, value);
    if (const auto why = provider_fault(made.who); !why.empty()) return bad(why);
    return made;
}

/// Settings of SOFARPC under the names and units of futon: "timeout" in milliseconds, "loadBalancer" as "balancer".
inline void add_sofa_setting(metadata& to, std::string_view key, std::string_view value) {
    std::uint32_t number = 0;
    if (key == "timeout" && detail::parse_number(value, 86'400'000, number))
        to.set(key, std::string{value} + "ms");
    else
        to.set(key == "loadBalancer" ? "balancer" : key, value);
}

}  // namespace futon
