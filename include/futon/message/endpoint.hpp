// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Addresses: where a service can be reached, and where a server listens.

#include <futon/core/result.hpp>

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
    [[nodiscard]] std::string text() const;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Any number of addresses, from one text or a list of them.
///
/// `endpoints e = "tcp://h:1"`, `{"tcp://a:1", "tcp://b:1"}`, or a vector of texts or of `endpoint`.
/// Errors: a bad text throws `rpc_error` with `errc::bad_address`; `parse` returns it instead.
class endpoints {
public:
    endpoints() = default;
    endpoints(endpoint one) : list_{std::move(one)} {}
    endpoints(std::vector<endpoint> list) noexcept : list_{std::move(list)} {}
    template <std::convertible_to<std::string_view> Text>
    endpoints(const Text& text) : endpoints{std::initializer_list<std::string_view>{std::string_view{text}}} {}
    endpoints(std::initializer_list<std::string_view> texts);
    endpoints(const std::vector<std::string>& texts);

    [[nodiscard]] static result<endpoints> parse(const std::vector<std::string_view>& texts);

    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] const endpoint& operator[](std::size_t i) const noexcept { return list_[i]; }
    [[nodiscard]] auto begin() const noexcept { return list_.begin(); }
    [[nodiscard]] auto end() const noexcept { return list_.end(); }
    friend bool operator==(const endpoints&, const endpoints&) = default;

private:
    std::vector<endpoint> list_;
};

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/message/detail/endpoint_bodies.hpp>
#endif
