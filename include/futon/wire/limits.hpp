// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Every bound on what a peer can make this side hold, do or wait for, on clients as well as on servers.

#include <futon/core/negative_time.hpp>
#include <futon/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace futon {

/// The encoded application error that an error frame may carry; a larger one does not travel.
inline constexpr std::size_t max_error_payload_bytes = 16u << 10;

/// How intricate one message may be. Checked over the raw bytes, before anything is allocated for it.
///
/// A value costs at most about 80 times its byte on the wire once decoded (an empty map in a vector), so
/// `max_nodes` bounds the memory and the hashing that one message of hostile bytes can cause.
struct complexity_limits {
    /// Arrays and maps inside each other. Default 32; 0 allows scalars only; past 64 counts as 64.
    std::size_t max_depth = 32;
    /// Values in one message, containers and map keys included. Default 262 144; 0 refuses every message.
    std::size_t max_nodes = 262'144;
};

/// The limits of a connection, a client or a server.
///
/// A count or size of zero allows none; a time of zero turns its check off. To lift a limit, set it to the
/// largest value of its type. What exceeds a limit fails alone; only a frame past `max_body_bytes`, a connection
/// past its count and a stalled or silent peer cost the connection.
struct limits {
    // One message.
    /// Arguments or reply of one frame, in bytes, both ways; announced to the peer. Default 8 MiB; 0 refuses all.
    /// More than 2 GiB counts as that.
    std::size_t max_body_bytes = 8u << 20;
    /// Metadata of one frame, in bytes as encoded; announced to the peer. Default 16 KiB; 0 refuses metadata.
    std::size_t max_metadata_bytes = 16u << 10;
    std::size_t max_metadata_entries = 64;  ///< Metadata pairs of one frame. Default 64; 0 refuses metadata.
    complexity_limits complexity{};         ///< Nesting and number of values of one message.

    // One connection.
    /// Calls that the peer may have open here at once; announced to it. Default 8192; 0 refuses calls from the peer.
    std::size_t max_in_flight = 8192;
    /// Calls with streams that the peer may have open here at once, beside the other calls; announced to it. Default
    /// 16 384; 0 refuses streams.
    std::size_t max_streams = 16'384;
    /// Items of one stream that came and were not consumed yet, in bytes: each counts its body and 32 more. One item
    /// may pass it. Default 64 KiB; 0 counts as 1, for one item at a time.
    std::size_t stream_window = 64u << 10;
    /// Items of all streams that the peer opened on the connection, counted alike. What is left of it goes to the next
    /// stream as its window, 1 KiB at least. Default 64 MiB.
    std::size_t max_stream_bytes = 64u << 20;
    /// Methods that the peer may bind; announced to it. Default 4096; 0 refuses every bind, thus every call.
    std::size_t max_binds = 4096;
    /// From accept to the first complete header. Default 5 s; 0 waits for ever.
    duration first_header_time = std::chrono::seconds{5};
    /// Without received bytes until a ping is sent. Default 15 s; 0 sends no pings.
    duration heartbeat_after = std::chrono::seconds{15};
    /// From a ping to giving the peer up, unless bytes came. Default 5 s; 0 never gives up.
    duration heartbeat_timeout = std::chrono::seconds{5};
    /// Server: without calls until goodbye and close; pings do not count. Default 90 s; 0 never closes.
    duration idle_close = std::chrono::seconds{90};
    /// Bytes per second, over 10 s, that a frame must at least grow by once begun. Default 1024; 0 waits for ever.
    std::size_t min_frame_rate = 1024;
    std::size_t max_pings_per_second = 10;  ///< Pings of the peer; past it goodbye. Default 10; 0 refuses pings.
    /// Calls that the peer cancels within 10 ms of making them; past it, if they are most of its calls, goodbye.
    /// Default 200; 0 allows none.
    std::size_t max_cancels_per_second = 200;

    // Its outgoing bytes.
    /// Unwritten bytes at which reading from the peer stops. Default
    /// 1 MiB; 0 reads only while nothing waits to be written.
    std::size_t write_pause_bytes = 1u << 20;
    /// Unwritten bytes at which the connection closes if `write_stall_time` passes without progress. Default 8 MiB; 0
    /// counts any unwritten byte.
    std::size_t max_write_bytes = 8u << 20;
    /// Answers that wait to be written, in bytes: past it a call that comes is refused with `overloaded`, and the
    /// result of one that ran does not travel, its caller gets `resource_exhausted`. A connection holds as much and one
    /// answer more. Default 64 MiB; 0 holds one answer at a time.
    std::size_t max_unsent_answer_bytes = 64u << 20;
    /// Without a written byte, at or above `max_write_bytes`, until close. Default 10 s; 0 never closes.
    duration write_stall_time = std::chrono::seconds{10};

    // One client's channel: calls that wait for a connection or for room at the peer, under their deadlines.
    /// Waiting calls. Default 16 384; past it a call fails with `overloaded`; 0 queues none.
    std::size_t max_queued_calls = 16'384;
    /// Argument bytes of the waiting calls. Default 64 MiB; past it `overloaded`; 0 queues none.
    std::size_t max_queued_bytes = 64u << 20;

    // One server, all connections together.
    /// Calls received and not yet answered. Default 65 536; past it `overloaded`; 0 refuses every call.
    std::size_t max_server_in_flight = 65'536;
    /// Argument bytes of those calls. Default 256 MiB; past it `overloaded`; 0 refuses every call.
    std::size_t max_server_in_flight_bytes = 256u << 20;
    /// Answers that wait to be written: past it a connection that has `write_pause_bytes` of them gets no more, as past
    /// `max_unsent_answer_bytes`; those whose peers read go on. Default 1 GiB; 0: that holds always.
    std::size_t max_server_unsent_bytes = 1u << 30;
    /// Open connections, also one that has ended and for up to 1 s waits for its peer to read why. Default 10 000;
    /// further ones are refused with `overloaded`; 0 refuses all.
    std::size_t max_connections = 10'000;
    /// Open connections of one remote IP address. Default 1024; further ones are refused with `overloaded`; 0 refuses
    /// all. Does not apply to unix sockets.
    std::size_t max_connections_per_address = 1024;
    /// Calls that wait for a thread of the handler pool. Default 1024; past it `overloaded`; 0 queues none.
    std::size_t max_queued_handlers = 1024;
};

namespace detail {

/// What cannot be meant by them, in words; empty: nothing.
[[nodiscard]] inline std::string limits_fault(const limits& of) {
    return negative_time({{".limits.first_header_time", of.first_header_time},
                          {".limits.heartbeat_after", of.heartbeat_after},
                          {".limits.heartbeat_timeout", of.heartbeat_timeout},
                          {".limits.idle_close", of.idle_close},
                          {".limits.write_stall_time", of.write_stall_time}});
}

}  // namespace detail

}  // namespace futon
