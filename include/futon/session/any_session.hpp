// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One connection's calls, in both directions, as a machine: bytes and time points in, events and bytes out.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/held_bytes.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>
#include <futon/session/event.hpp>
#include <futon/session/session_stats.hpp>
#include <futon/session/unsent_bytes.hpp>
#include <futon/wire/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

namespace futon {

/// What a new session is told.
struct session_options {
    side role = side::opener;
    /// This side's; those that concern the peer are announced to it.
    futon::limits limits{};
    /// Error categories of the application: an error that a remote handler returns in one of these keeps its code;
    /// in any other it arrives as `remote_error` with the code in its text. Must outlive the session.
    std::span<const std::error_category* const> categories{};
    /// Decides where the ids that the peer chooses stand in tables. Its peer must not be able to guess it, or it can
    /// make every search long; a fixed one makes a simulation repeatable.
    std::uint64_t seed = 0;
    /// What the sessions of a server hold together; null: nobody adds it up.
    detail::intrusive_ptr<detail::unsent_bytes> unsent{};
};

/// What a reply carries beside its value.
struct reply_options {
    const metadata* headers = nullptr;  ///< Null or empty: none.
    duration handler_time{-1};  ///< How long the handler ran; sent if the request `wants_times`; negative: not known.
};

/// What `cancel` took back.
struct cancelled_call {
    detail::intrusive_ptr<detail::call> call;  ///< Null if the call was over.
    executed ran = executed::maybe;            ///< `no` if its request had not left.
};

/// A session of any protocol; `session<futon_protocol>{options, now}` makes one. The driver
/// (`transport/connection.hpp`) owns the socket and the clock: it reads into a buffer -> `receive`, writes <-
/// `to_send`, keeps one timer <- `next_wakeup` -> `advance`.
///
/// Every call handed to `start` comes back exactly once: by a `reply` or `failed` event, or from `cancel`. Events own
/// what they hold; the session holds a call no longer, except that a request whose arguments are sent in place (16 KiB
/// and more) keeps a reference until they are written.
/// Thread-safety: one thread at a time.
class any_session {
public:
    any_session() = default;
    any_session(const any_session&) = delete;
    any_session& operator=(const any_session&) = delete;
    virtual ~any_session() = default;

    // Bytes in.

    /// Takes every complete frame out of `input`, up to a batch; a partial frame stays. See `has_more`.
    virtual std::span<event> receive(byte_buffer& input, time_point now) = 0;
    /// Whether the last `receive` stopped at its batch limit with a complete frame possibly left in the input: call it
    /// again before reading, after others had their turn.
    [[nodiscard]] virtual bool has_more() const noexcept = 0;
    /// How many bytes the frame at the front of the input still lacks; zero if it has not begun. At most 64 KiB, or
    /// three times what is there of it, or the size of the largest that came whole since the calls rested last: use it
    /// to size the next read, and memory grows with what was received, not with what was claimed.
    [[nodiscard]] virtual std::size_t wanted() const noexcept = 0;
    /// Back-pressure: false while the peer does not read what it caused to be written.
    [[nodiscard]] virtual bool reading_allowed() const noexcept = 0;

    // Calls that start here.

    /// Whether `start` would take this call now. False: keep it and ask again after each `receive`; where the peer has
    /// said goodbye or the session is broken, never again (see `is_open`).
    [[nodiscard]] virtual bool may_start(const invocation& request) const noexcept = 0;
    /// False once the peer said goodbye or the session broke: new calls belong on another connection.
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    /// Takes the call, writes the request, after a bind if it is the method's first, and sets `id`. A one-way call
    /// takes no slot, its id stays 0, and no event follows unless it turns out that it surely did not run.
    /// Errors: message_too_big (arguments, metadata), deadline_exceeded (already over), overloaded (limit of calls, or
    /// not `may_start`), resource_exhausted (limit of methods, memory), unavailable (goodbye, takes no calls),
    /// connection_lost (broken); each with `executed::no`, the call untouched.
    virtual result<void> start(detail::intrusive_ptr<detail::call>& call, time_point now) = 0;
    /// Gives a call back. A request that had not begun to leave is turned into a frame that the peer skips; for any
    /// other a cancel is sent.
    virtual cancelled_call cancel(std::uint64_t id, time_point now) = 0;

    // Calls that came in. Every request event with an id must be answered once: by a reply or by `reply_error`. An
    // answer that nobody waits for any more (cancelled, connection lost) is dropped.

    /// Remembers the handler of a call that is answered later; false if the call is over.
    virtual bool track(std::uint64_t id, void* tag) = 0;
    /// What `track` was given; null if nothing or if the call was answered.
    [[nodiscard]] virtual void* tag(std::uint64_t id) const noexcept = 0;
    /// Where to append the encoded result; null if nobody waits for it, and then the call is done. Follow with
    /// `end_reply` or `abandon_reply` before any other call of the session.
    /// Errors: metadata past the peer's limits turn the reply into an error, on `end_reply`.
    [[nodiscard]] virtual byte_buffer* begin_reply(std::uint64_t id, const reply_options& options = {}) = 0;
    /// Completes it; `rest` stands behind what was appended. A result past the peer's limit is replaced by the error
    /// `message_too_big`, one beside more unsent answers than `limits::max_unsent_answer_bytes` by `resource_exhausted`.
    virtual void end_reply(detail::intrusive_ptr<detail::held_bytes> rest = nullptr) = 0;
    /// Takes back what was encoded; the call still needs its answer.
    virtual void abandon_reply() = 0;
    /// Whether a call that comes now may hope that its answer travels; see `limits::max_unsent_answer_bytes`.
    [[nodiscard]] virtual bool has_room_for_answers() const noexcept = 0;
    /// An encoded result, `body` and then `rest`, if there is one; else the memory of `body` is sent in place from
    /// 16 KiB on. False if nobody waits for it.
    virtual bool reply(std::uint64_t id, byte_buffer&& body, const reply_options& options = {},
                       detail::intrusive_ptr<detail::held_bytes> rest = nullptr) = 0;
    /// `message` is cut to 1 KiB. False if nobody waits for it.
    virtual bool reply_error(std::uint64_t id, const error& why, duration handler_time = duration{-1}) = 0;

    // Streams, of calls in both directions: a call from here has them if it was started with `call::streams`. What
    // comes is told by events.

    /// Takes a call with streams that came in, before anything else is sent for it; `receives`: its handler reads the
    /// caller's items. What these may be at first, as `item_cost`; nothing if the call is over.
    virtual std::optional<std::uint64_t> accept(std::uint64_t id, detail::intrusive_ptr<detail::stream_port> streams,
                                                bool receives, time_point now) = 0;
    /// Sends one encoded value; `body` is at most `most_item_bytes`.
    [[nodiscard]] virtual detail::item_fate send_item(detail::stream_key which, bytes_view body) = 0;
    /// What may be sent now, as `item_cost`; not more than zero: nothing. Zero also while much is waiting to be
    /// written, and never more than this side's own window: a peer does not say how much is held for it here.
    [[nodiscard]] virtual std::int64_t credit(detail::stream_key which) const noexcept = 0;
    /// The items of a call from here, which was accepted, are over.
    virtual void end_items(std::uint64_t id) = 0;
    /// Lets the peer send as much more, as `item_cost`.
    virtual void grant(detail::stream_key which, std::uint64_t more, time_point now) = 0;
    /// What each stream may send here at first.
    [[nodiscard]] virtual std::uint64_t stream_window() const noexcept = 0;
    /// What the peer takes as one item.
    [[nodiscard]] virtual std::size_t most_item_bytes() const noexcept = 0;
    /// How intricate a message may be here.
    [[nodiscard]] virtual const complexity_limits& complexity() const noexcept = 0;
    /// Whether items that found no room would find it now.
    [[nodiscard]] virtual bool has_room_for_items() const noexcept = 0;

    // Load.

    /// Asks the peer how busy it is. A `load` event with the id that this returns follows, unless the peer does not
    /// know such questions.
    virtual std::uint64_t ask_load() = 0;
    /// Asks the peer for a sign of life, which comes as an `alive` event with `token`, not zero. A new question takes
    /// the place of the last.
    virtual void ask_alive(std::uint64_t token) = 0;
    /// When bytes of the peer came last; before any did, when the session began.
    [[nodiscard]] virtual time_point last_received() const noexcept = 0;
    /// Answers a `load_query` event.
    virtual void tell_load(std::uint64_t id, const load_report& load) = 0;

    // Time.

    /// Call it at `next_wakeup`, after having read what had arrived by then.
    virtual std::span<event> advance(time_point now) = 0;
    /// Never later than what `advance` has to do next; may be earlier.
    [[nodiscard]] virtual std::optional<time_point> next_wakeup() const noexcept = 0;

    // Bytes out.

    /// What to write now, in order: the rest of what the last call gave, else all that was written since. Stays
    /// valid until `sent` has counted all of it, whatever else is called meanwhile.
    [[nodiscard]] virtual std::span<const bytes_view> to_send() = 0;
    virtual void sent(std::size_t count, time_point now) = 0;
    /// Bytes that `sent` has not counted yet.
    [[nodiscard]] virtual std::size_t unsent() const noexcept = 0;
    /// So much has gathered that writing should not wait for the end of the batch (16 KiB).
    [[nodiscard]] virtual bool wants_flush() const noexcept = 0;

    /// Gives back what memory only calls need, if there were none lately. True: whoever drives it may do the same with
    /// his. Call it after each batch, when its events were handled.
    virtual bool rest(time_point now) noexcept = 0;

    // The end.

    /// Says goodbye once: calls of the peer that were not accepted by now are never run, and it knows. Calls that
    /// came in are answered, and calls may still be made from here.
    virtual void begin_drain(const error& why, time_point now) = 0;
    [[nodiscard]] virtual bool is_draining() const noexcept = 0;
    /// No call in flight either way, and nothing to send.
    [[nodiscard]] virtual bool drained() const noexcept = 0;
    /// The socket is gone: every call from here fails, every tracked call that came in gets a `cancelled`.
    /// What `to_send` gave stays valid until the session is destroyed.
    virtual std::span<event> lose_connection(const error& why) = 0;

    [[nodiscard]] virtual session_stats stats() const noexcept = 0;
    /// Shows every call that was started and is not over.
    virtual void inspect(const std::function<void(const detail::call&)>& see) const = 0;
};

}  // namespace futon
