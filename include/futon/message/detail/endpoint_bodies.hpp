// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of endpoint.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/result.hpp>
#include <futon/message/endpoint.hpp>

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace futon {

FUTON_DETAIL_BODY result<endpoint> endpoint::parse(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return error{errc::bad_address,
                     "'" + std::string{text} + "' is not an address: " + std::string{why} +
                         " (expected tcp://host:port, tcp://[ipv6]:port or unix:///path)",
                     executed::no};
    };
    endpoint made;
    auto rest = text;
    if (const auto colon = rest.find("://"); colon != rest.npos) {
        made.scheme = rest.substr(0, colon);
        rest.remove_prefix(colon + 3);
    } else if (rest.starts_with("tcp:/") || rest.starts_with("unix:/") || rest.starts_with("memory:/")) {
        return bad("the scheme ends in ://");
    }
    if (made.scheme.empty()) return bad("the scheme is missing");
    if (made.scheme == "unix") {
        if (rest.empty() || rest.front() != '/') return bad("the path must be absolute");
        // sun_path holds 108 bytes with its terminator on Linux, fewer elsewhere.
        if (rest.size() > 103) return bad("the path is longer than 103 bytes");
        made.path = rest;
        return made;
    }
    if (made.scheme == "memory") {
        if (rest.empty()) return bad("the name is missing");
        made.path = rest;
        return made;
    }
    if (rest.find(',') != rest.npos)
        return bad("it has a comma: give several addresses as a list, {\"tcp://a:1\", \"tcp://b:1\"}");
    std::string_view port;
    if (!rest.empty() && rest.front() == '[') {
        const auto close = rest.find(']');
        if (close == rest.npos) return bad("']' is missing");
        made.host = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        if (rest.empty() || rest.front() != ':') return bad("the port is missing");
        port = rest.substr(1);
    } else {
        const auto colon = rest.rfind(':');
        if (colon == rest.npos) return bad("the port is missing");
        made.host = rest.substr(0, colon);
        if (made.host.find(':') != std::string::npos) return bad("an IPv6 address must stand in brackets");
        port = rest.substr(colon + 1);
    }
    if (made.host.empty()) return bad("the host is missing");
    // Some resolvers take it for this machine alone.
    if (made.host == "*") return bad("'*' is no host; all addresses of a machine are 0.0.0.0, or [::] of IPv6");
    unsigned number = 0;
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || code != std::errc{} || end != port.data() + port.size() || number > 65535)
        return bad("the port must be a number from 0 to 65535");
    made.port = static_cast<std::uint16_t>(number);
    return made;
}

FUTON_DETAIL_BODY std::string endpoint::text() const {
    if (scheme == "unix" || scheme == "memory") return scheme + "://" + path;
    const bool v6 = host.find(':') != std::string::npos;
    return scheme + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

FUTON_DETAIL_BODY result<endpoints> endpoints::parse(const std::vector<std::string_view>& texts) {
    endpoints made;
    for (const auto text : texts) {
        auto one = endpoint::parse(text);
        if (!one) return std::move(one).error();
        made.list_.push_back(*std::move(one));
    }
    return made;
}

FUTON_DETAIL_BODY endpoints::endpoints(std::initializer_list<std::string_view> texts)
    : endpoints{parse({texts.begin(), texts.end()}).value()} {}
FUTON_DETAIL_BODY endpoints::endpoints(const std::vector<std::string>& texts)
    : endpoints{parse({texts.begin(), texts.end()}).value()} {}

}  // namespace futon
