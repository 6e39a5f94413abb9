// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Addresses: where a service can be reached, and where a server listens.

#include <futon/core/result.hpp>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// One address: "tcp://host:port", "tcp://[v6]:port", "unix:///path", or "memory://name" in one `testing::network`.
///
/// `host` may be a name; it is resolved when a connection is made. Port 0 asks a listener for a free one.
struct endpoint {
    std::string scheme = "tcp";  ///< "tcp", "unix" or "memory"; others are kept and refused when they are used.
    std::string host{};          ///< For tcp: a name, an IPv4 address or an IPv6 address without brackets.
    std::uint16_t port = 0;      ///< For tcp.
    std::string path{};          ///< For unix: the socket's file. For memory: the name.

    /// Errors: `errc::bad_address`, quoting the text and what is missing. A text without "://" is tcp.
    [[nodiscard]] static result<endpoint> parse(std::string_view text);
    /// The text that `parse` reads back.
    [[nodiscard]] std::string text() const {
        if (scheme == "unix" || scheme == "memory") return scheme + "://" + path;
        const bool v6 = host.find(':') != std::string::npos;
        return scheme + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
    }
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Any number of addresses, from one text or a list of them.
///
/// `endpoints e = "tcp://h:1"`, `{"tcp://a:1", "tcp://b:1"}`, or a vector of `endpoint`.
/// Errors: a bad text throws `rpc_error` with `errc::bad_address`; `parse` returns it instead.
class endpoints {
public:
    endpoints() = default;
    endpoints(endpoint one) : list_{std::move(one)} {}
    endpoints(std::vector<endpoint> list) noexcept : list_{std::move(list)} {}
    template <std::convertible_to<std::string_view> Text>
    endpoints(const Text& text) : endpoints{parse({std::string_view{text}}).value()} {}
    endpoints(std::initializer_list<std::string_view> texts) : endpoints{parse({texts.begin(), texts.end()}).value()} {}
    explicit endpoints(const std::vector<std::string>& texts)
        : endpoints{parse({texts.begin(), texts.end()}).value()} {}

    [[nodiscard]] static result<endpoints> parse(const std::vector<std::string_view>& texts) {
        endpoints made;
        for (const auto text : texts) {
            auto one = endpoint::parse(text);
            if (!one) return std::move(one).error();
            made.list_.push_back(*std::move(one));
        }
        return made;
    }

    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] const endpoint& operator[](std::size_t i) const noexcept { return list_[i]; }
    [[nodiscard]] auto begin() const noexcept { return list_.begin(); }
    [[nodiscard]] auto end() const noexcept { return list_.end(); }
    friend bool operator==(const endpoints&, const endpoints&) = default;

private:
    std::vector<endpoint> list_;
};

inline result<endpoint> endpoint::parse(std::string_view text) {
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
    if (rest.find(',') != rest.npos) return bad("it has a comma: give several addresses as a list, {\"tcp://a:1\", \"tcp://b:1\"}");
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

}  // namespace futon
