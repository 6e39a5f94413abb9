// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a connection's bytes say, in words that every protocol shares. Views point into the parsed bytes.

#include <futon/core/bytes.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>
#include <futon/message/load_report.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/method_info.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace futon {

/// The texts of a method, as the peer spelled them. Not checked for UTF-8: escape before showing them.
struct method_names {
    std::string_view service;  ///< "name", "name:version" or "name:version:unique_id".
    std::string_view method;
    std::string_view signature;  ///< In wire shapes; empty in protocols that have none.
};

/// What one side lets the other do. The initial values hold until the peer has told its own; every side
/// must take this much without breaking the connection, and may refuse the single call.
struct peer_limits {
    std::size_t max_body_bytes = 64u << 10;
    std::size_t max_metadata_bytes = 16u << 10;
    std::size_t max_in_flight = 64;
    std::size_t max_binds = 64;
    std::size_t max_streams = 0;  ///< Calls with streams wait for the peer's word.
};

/// Why bytes are no frame. Made without an allocation; `describe` words it.
struct frame_fault {
    const char* what = nullptr;
    std::uint64_t value = 0;
    std::uint64_t limit = 0;  ///< Zero if the fault is not about a limit.
    errc code = errc::protocol_error;
};

[[nodiscard]] inline std::string describe(const frame_fault& fault) {
    std::string text{fault.what};
    text.append(": ").append(std::to_string(fault.value));
    if (fault.limit != 0) text.append(", limit ").append(std::to_string(fault.limit));
    return text;
}

/// How far the front of some bytes was understood.
struct parsed {
    enum class status : std::uint8_t { complete, partial, broken } what;
    /// complete: the frame's bytes; partial: the same if that is known already, else zero.
    std::size_t size = 0;
};

/// One frame that was received.
struct frame {
    enum class kind : std::uint8_t {
        request,
        oneway_request,
        reply,
        error,
        cancel,
        bind,
        ping,
        pong,
        goodbye,
        withdrawn,
        item,
        items_end,
        credit,
        accepted,
        load_query,
        load,
        skipped
    };

    kind what = kind::skipped;
    bool has_metadata = false;
    bool wants_times = false;        ///< request
    bool has_streams = false;        ///< request: items will follow it, in one direction or both
    bool mine = false;               ///< item, credit: its sender made the call
    executed ran = executed::maybe;  ///< error
    std::uint32_t method = 0;        ///< request, oneway, bind: the caller's number
    std::uint64_t id = 0;            ///< of the call; ping, pong, load: the token; goodbye: accepted requests
    duration remaining{-1};          ///< request, oneway: time left; negative: no deadline
    duration handler_time{-1};       ///< reply, error; negative: not told
    bytes_view metadata{};           ///< request, oneway, reply: still encoded
    std::uint64_t window = 0;        ///< request, accepted: what its sender takes of items; credit: how much more
    bytes_view body{};               ///< request, oneway: arguments; reply, item: the value; error: its payload
    std::int32_t code = 0;           ///< error, goodbye
    duration retry_after{};          ///< error
    std::string_view category{};     ///< error: empty is futon's own
    std::string_view remote_type{};  ///< error
    std::string_view text{};         ///< error, goodbye
    load_report load{};              ///< load
    method_names names{};            ///< bind; request and oneway in protocols that name the method each time
};

/// What an item counts for in the window of its stream: its bytes, and what keeping it costs beside them.
[[nodiscard]] constexpr std::uint64_t item_cost(std::size_t body_bytes) noexcept {
    return body_bytes + std::uint64_t{32};
}

/// The front of a request to be written; the arguments follow it.
struct request_head {
    const method_info* method = nullptr;
    std::uint64_t id = 0;  ///< Zero for a one-way call.
    bool wants_times = false;
    bool has_streams = false;
    std::uint64_t window = 0;           ///< With streams: what the caller takes of items.
    duration remaining{-1};             ///< Negative: no deadline.
    const metadata* headers = nullptr;  ///< Null or empty: none. Within the peer's limits.
};

/// The front of a reply to be written; the value follows it.
struct reply_head {
    std::uint64_t id = 0;
    const metadata* headers = nullptr;  ///< As above.
    duration handler_time{-1};          ///< Negative: not told.
};

}  // namespace futon
