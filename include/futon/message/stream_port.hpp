// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The streams of one call as its connection sees them: encoded items that come and go.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace futon {

struct complexity_limits;

namespace detail {

class item_carrier;

/// Names a stream of a connection: the id of its call, and on which side that was made.
struct stream_key {
    std::uint64_t id = 0;
    bool mine = false;  ///< By this side.
};

/// What a caller asks for with a call that has streams.
struct stream_terms {
    bool sends = false;                       ///< The caller has items to send.
    bool receives = false;                    ///< The caller gets items.
    time_point deadline = no_deadline;        ///< Of the whole call; the request's own is that of its acceptance.
    duration idle_timeout = duration::max();  ///< Longest silence of the callee while it could send.
};

/// Both directions of one call. Called inside the executor of its connection, never after the call has ended, but for
/// what was received together with its end and before it.
class stream_port : public ref_counted {
public:
    stream_terms terms;           ///< Of a call from here.
    bool taken = false;           ///< It was accepted: it is never tried elsewhere.
    bool waits_for_room = false;  ///< Noted by its connection.

    /// A call from here was accepted.
    virtual void accepted(item_carrier& over, stream_key which) noexcept = 0;
    /// An item came; its bytes are valid within the function.
    virtual void item(bytes_view body) noexcept = 0;
    /// The caller's items are over.
    virtual void items_ended() noexcept = 0;
    /// More may be sent than before.
    virtual void may_send() noexcept = 0;
    /// The call is over, for `why`; that has the empty code where it was answered well. On any thread.
    virtual void close(const error& why) noexcept = 0;
};

/// What became of an item that was to be sent.
enum class item_fate : std::uint8_t {
    sent,
    no_credit,  ///< The peer takes no more now: `may_send` comes.
    no_room,    ///< The connection has much to write: `may_send` comes.
    gone,       ///< The call is over.
};

/// A connection as a stream sees it. Only inside `where`.
class item_carrier : public ref_counted {
public:
    [[nodiscard]] virtual executor& where() const noexcept = 0;
    /// Takes a call that came in, and says what its caller may send at first; nothing if it is over.
    [[nodiscard]] virtual std::optional<std::uint64_t> accept(std::uint64_t id, stream_port& streams,
                                                              bool receives) noexcept = 0;
    /// `streams` is the port of `which`; `body` is at most `most_item_bytes`.
    [[nodiscard]] virtual item_fate send_item(stream_key which, stream_port& streams, bytes_view body) noexcept = 0;
    /// What may be sent now, as `item_cost`. Where that is nothing, `may_send` comes when it is more.
    [[nodiscard]] virtual std::int64_t credit(stream_key which, stream_port& streams) noexcept = 0;
    virtual void end_items(std::uint64_t id) noexcept = 0;
    virtual void grant(stream_key which, std::uint64_t more) noexcept = 0;
    [[nodiscard]] virtual std::size_t most_item_bytes() const noexcept = 0;
    /// What the peer was told that it may send at first.
    [[nodiscard]] virtual std::uint64_t window() const noexcept = 0;
    /// How intricate an item may be.
    [[nodiscard]] virtual const complexity_limits& complexity() const noexcept = 0;
    /// Ends a call from here.
    virtual void fail(stream_key which, const error& why) noexcept = 0;
};

}  // namespace detail
}  // namespace futon
