// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The counters of one connection; sums over connections make those of a client or a server.

#include <cstdint>

namespace futon {

/// "sent" and "received" are about frames. All but the two `in_flight` only ever grow.
struct session_stats {
    std::uint64_t requests_sent = 0;      ///< One-way calls included.
    std::uint64_t requests_received = 0;  ///< Accepted ones, one-way calls included.
    std::uint64_t replies_sent = 0;
    std::uint64_t replies_received = 0;
    std::uint64_t errors_sent = 0;  ///< Error replies.
    std::uint64_t errors_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t late_replies = 0;     ///< Received for a call that was over or never was.
    std::uint64_t dropped_replies = 0;  ///< Made here for a call whose caller had given up.
    std::uint64_t expired = 0;          ///< Calls from here that ran out of time.
    std::uint64_t withdrawn = 0;        ///< Requests taken back before they left.
    std::uint64_t cancels_sent = 0;
    std::uint64_t cancels_received = 0;
    std::uint64_t pings_sent = 0;
    std::uint64_t pings_received = 0;
    std::uint64_t items_sent = 0;  ///< Of streams.
    std::uint64_t items_received = 0;
    std::uint64_t late_items = 0;          ///< Received for a call that was over or never was.
    std::uint64_t in_flight_sent = 0;      ///< Calls from here that wait for their answer now.
    std::uint64_t in_flight_received = 0;  ///< Calls that came in and wait for their answer now.

    session_stats& operator+=(const session_stats& more) noexcept {
        requests_sent += more.requests_sent;
        requests_received += more.requests_received;
        replies_sent += more.replies_sent;
        replies_received += more.replies_received;
        errors_sent += more.errors_sent;
        errors_received += more.errors_received;
        bytes_sent += more.bytes_sent;
        bytes_received += more.bytes_received;
        late_replies += more.late_replies;
        dropped_replies += more.dropped_replies;
        expired += more.expired;
        withdrawn += more.withdrawn;
        cancels_sent += more.cancels_sent;
        cancels_received += more.cancels_received;
        pings_sent += more.pings_sent;
        pings_received += more.pings_received;
        items_sent += more.items_sent;
        items_received += more.items_received;
        late_items += more.late_items;
        in_flight_sent += more.in_flight_sent;
        in_flight_received += more.in_flight_received;
        return *this;
    }
};

}  // namespace futon
