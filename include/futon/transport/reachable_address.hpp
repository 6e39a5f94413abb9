// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The address under which others find somebody who listens on all of a machine's.

#include <futon/core/runtime_state.hpp>
#include <futon/message/endpoint.hpp>

#include <asio/ip/address.hpp>
#include <asio/ip/udp.hpp>

#include <string>
#include <system_error>

namespace futon::detail {

/// `bound`, where its host is 0.0.0.0 or [::] with the address that this machine sends from instead; without a route to
/// anywhere the loopback address. Sends nothing.
[[nodiscard]] inline endpoint reachable_address(endpoint bound, const io_place& place) {
    if (bound.scheme == "unix" || bound.scheme == "memory") return bound;
    std::error_code code;
    const auto listens = asio::ip::make_address(bound.host, code);
    if (code || !listens.is_unspecified()) return bound;
    // Connecting a UDP socket only chooses its local address. The
    // peer is one that is kept for documentation (RFC 5737, 3849).
    asio::ip::udp::socket probe{place.asio};
    const auto far = listens.is_v4() ? asio::ip::make_address("192.0.2.1") : asio::ip::make_address("2001:db8::1");
    probe.connect(asio::ip::udp::endpoint{far, 9}, code);
    const auto near = code ? asio::ip::udp::endpoint{} : probe.local_endpoint(code);
    if (code || near.address().is_unspecified()) {
        bound.host = listens.is_v4() ? "127.0.0.1" : "::1";
    } else {
        bound.host = near.address().to_string();
    }
    return bound;
}

}  // namespace futon::detail
