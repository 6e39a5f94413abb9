// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What each frame means to a connection, from the preface to
/// goodbye. One thing because most frames concern both of its halves.

#include <futon/session/any_session.hpp>
#include <futon/session/detail/event_list.hpp>
#include <futon/session/detail/incoming.hpp>
#include <futon/session/detail/out_queue.hpp>
#include <futon/session/detail/outgoing.hpp>
#include <futon/session/detail/rate_window.hpp>
#include <futon/session/detail/remote_error.hpp>
#include <futon/session/detail/stream_calls.hpp>
#include <futon/wire/protocol.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace futon::detail {

/// The two halves of a session and what concerns both. Knows no buffers of input and asks for no time.
///
/// What every call goes through, and is called at one or two places, is marked to be
/// inlined there, here and in the halves: compilers do not for members of templates,
/// and the steps are so small that calling them costs as much as they do.
template <protocol P>
class conversation {
public:
    conversation(const session_options& options, time_point now)
        : options_{options},
          streams_out{true, out, options_.limits, stats, options_.seed},
          streams_in{false, out, options_.limits, stats, options_.seed},
          calls_out{out, options_.limits, stats, streams_out, now},
          calls_in{out, options_.limits, stats, streams_in, calls_out.peer(), options_.seed, options_.unsent.get()} {
        // The length of a frame has 32 bits.
        options_.limits.max_body_bytes = std::min(options_.limits.max_body_bytes, std::size_t{1} << 31);
        make_room(0);
        if constexpr (P::has_preface) {
            P::write_preface(out.filling(), options_.limits);
        } else {
            calls_out.learn({});
            ready_ = true;
        }
    }

    /// At the front of the input while not `ready`.
    [[nodiscard]] parsed greet(bytes_view in, frame_fault& fault);
    /// False: the frame breaks the protocol.
    [[nodiscard, gnu::always_inline]] bool handle(const frame& from, time_point now, frame_fault& fault);

    /// Says goodbye once.
    void begin_drain(const error& why);
    /// The same of this side's own accord.
    void leave(const error& why);
    /// Says goodbye and takes nothing any more.
    void break_off(const error& why);
    /// The same without memory: keeps what has happened, so that no call is lost.
    void give_up() noexcept;
    /// The caller has made room for the event.
    void failed(cancelled_call taken, errc code, const char* text, const std::string& more = {}) noexcept;
    /// `why` is null where it was the deadline.
    void expired(cancelled_call taken, const char* why) noexcept {
        if (!why)
            why = taken.ran == executed::no ? "the request was not sent before the deadline"
                                            : "no answer before the deadline";
        failed(std::move(taken), errc::deadline_exceeded, why);
    }
    /// Before a call leaves its place there must be room for its event; always for one more, `broken`.
    void make_room(std::size_t count) { events.reserve(count + 1); }
    /// Room for the end, which must not fail.
    void make_room_to_end() { last_events_.reserve(calls_out.most_lost() + 2); }
    [[nodiscard]] std::span<event> lose_connection(const error& why);
    /// Gives back what memory only calls need. No call may be in flight, and no event unseen.
    void give_back() noexcept {
        out.give_back();
        streams_out.give_back();
        streams_in.give_back();
        calls_out.give_back();
        calls_in.give_back();
        events.give_back(1);  // For `broken`.
        last_events_.give_back(0);
    }

    void send_ping(std::uint64_t token) {
        P::write_ping(out.filling(), token);
        calls_out.ping_sent(++stats.pings_sent);
    }
    /// Its owner wants to hear of the answer to the ping with `token`.
    void await_pong(std::uint64_t token) noexcept { awaited_pong_ = token; }

    [[nodiscard]] bool is_ready() const noexcept { return ready_; }
    [[nodiscard]] bool is_draining() const noexcept { return draining_; }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    /// Broken or closed: frames mean nothing any more.
    [[nodiscard]] bool is_over() const noexcept { return broken_ || closed_; }
    [[nodiscard]] bool peer_left() const noexcept { return peer_accepted_.has_value(); }
    [[nodiscard]] const session_options& options() const noexcept { return options_; }
    [[nodiscard]] const futon::limits& bounds() const noexcept { return options_.limits; }
    [[nodiscard]] stream_calls<P>& streams_of(bool mine) noexcept { return mine ? streams_out : streams_in; }
    [[nodiscard]] const stream_calls<P>& streams_of(bool mine) const noexcept {
        return mine ? streams_out : streams_in;
    }
    /// Whether calls were begun or ended since the last question.
    [[nodiscard]] bool was_active() noexcept { return std::exchange(active_, false); }

private:
    session_options options_;

public:
    session_stats stats;
    out_queue out;
    stream_calls<P> streams_out;  // Of the calls from here.
    stream_calls<P> streams_in;
    outgoing<P> calls_out;
    incoming<P> calls_in;
    event_list events;

private:
    [[gnu::always_inline]] void answer_call(const frame& from, time_point now);
    [[gnu::cold, gnu::noinline]] void answer_oddly(intrusive_ptr<call> taken, const frame& from);
    [[nodiscard]] bool goodbye(const frame& from, frame_fault& fault);
    static void add_lost(event_list& to, std::uint64_t count, const error& why);

    rate_window pings_;
    event_list last_events_;                      // Of `lose_connection`, which may be called while others are handled.
    std::optional<std::uint64_t> peer_accepted_;  // From its goodbye.
    std::uint64_t awaited_pong_ = 0;
    std::uint64_t pongs_received_ = 0;
    bool ready_ = false;
    bool active_ = false;
    bool draining_ = false;
    bool broken_ = false;
    bool closed_ = false;
};

template <protocol P>
parsed conversation<P>::greet(bytes_view in, frame_fault& fault) {
    peer_limits peer;
    const auto step = P::parse_preface(in, peer, fault);
    if (step.what == parsed::status::complete) {
        ready_ = true;
        calls_out.learn(peer);
        events.add(event::kind::ready);
    }
    return step;
}

template <protocol P>
inline bool conversation<P>::handle(const frame& from, time_point now, frame_fault& fault) {
    switch (from.what) {
        case frame::kind::request:
        case frame::kind::oneway_request:
            active_ = true;
            // After goodbye: its sender knows from the count that this one is not accepted.
            return draining_ || calls_in.request(from, now, events, fault);
        case frame::kind::withdrawn:
            if (!draining_) calls_in.skip_withdrawn();
            return true;
        case frame::kind::reply:
        case frame::kind::error: answer_call(from, now); return true;
        case frame::kind::cancel:
            if (!calls_in.cancel(from.id, now, events))
                leave({errc::overloaded, "most calls of the connection are cancelled as soon as they are made"});
            return true;
        case frame::kind::bind: return calls_in.bind(from, events, fault);
        case frame::kind::ping:
            ++stats.pings_received;
            if (pings_.hit(now) > options_.limits.max_pings_per_second) {
                leave({errc::overloaded, "too many pings"});
            } else {
                out.write_answer([&](byte_buffer& to) { P::write_pong(to, from.id); });
            }
            return true;
        case frame::kind::goodbye: return goodbye(from, fault);
        // The sender's own calls are those that came in here.
        case frame::kind::item: return streams_of(!from.mine).item(from, now, events, fault);
        case frame::kind::items_end: return streams_in.items_end(from, now, events, fault);
        case frame::kind::credit: return streams_of(!from.mine).credited(from, now, events, fault);
        case frame::kind::accepted:
            if (!streams_out.accepted(from, now, events, fault)) return false;
            calls_out.accepted(from.id, now);
            return true;
        case frame::kind::load_query: events.add(event::kind::load_query).id = from.id; return true;
        case frame::kind::load: {
            auto& it = events.add(event::kind::load);
            it.id = from.id;
            it.load = from.load;
            return true;
        }
        case frame::kind::pong:  // Any byte proves that the peer lives: of a heartbeat's there is nothing to tell.
            calls_out.ping_answered(++pongs_received_);
            if (awaited_pong_ != 0 && from.id == awaited_pong_) {
                awaited_pong_ = 0;
                events.add(event::kind::alive).id = from.id;
            }
            return true;
        case frame::kind::skipped: return true;
    }
    return true;
}

template <protocol P>
inline void conversation<P>::answer_call(const frame& from, time_point now) {
    make_room(1);
    auto taken = calls_out.take(from.id);
    if (!taken) {
        ++stats.late_replies;
        return;
    }
    auto& call = *taken;
    active_ = true;
    call.times.handler = std::max(from.handler_time, duration::zero());
    call.times.wire = std::max(now - call.written - call.times.handler, duration::zero());
    const bool plain = from.what == frame::kind::reply && !from.has_metadata;
    if (plain && from.body.size() <= options_.limits.max_body_bytes) [[likely]] {
        ++stats.replies_received;
        auto& it = events.add(event::kind::reply);
        it.call = std::move(taken);
        it.body = from.body;
        return;
    }
    answer_oddly(std::move(taken), from);
}

// With an error, with metadata, or with too much.
template <protocol P>
void conversation<P>::answer_oddly(intrusive_ptr<call> taken, const frame& from) {
    auto& it = events.add(event::kind::failed, error{errc::resource_exhausted, executed::yes});
    it.call = std::move(taken);  // Whatever memory is wanting from here on, the call has its event.
    if (from.what == frame::kind::error) {
        ++stats.errors_received;
        it.why = error{errc::resource_exhausted, from.ran};
        it.why = detail::remote_error(from, options_.categories);
        return;
    }
    ++stats.replies_received;
    const auto& own = options_.limits;
    if (from.body.size() > own.max_body_bytes) {
        it.why = {errc::message_too_big,
                  "bytes of the result (limits.max_body_bytes of the side that asked): " +
                      std::to_string(from.body.size()) + ", limit " + std::to_string(own.max_body_bytes),
                  executed::yes};
        return;
    }
    auto headers = events.decode(from, {own.max_metadata_bytes, own.max_metadata_entries});
    if (!headers) {
        it.why = {errc::bad_reply, headers.error().message(), executed::yes};
        return;
    }
    it.what = event::kind::reply;
    it.body = from.body;
    it.headers = *headers;
}

template <protocol P>
bool conversation<P>::goodbye(const frame& from, frame_fault& fault) {
    const error why{static_cast<errc>(from.code), std::string{from.text}, executed::no};
    const auto reason = why.message();
    make_room(calls_out.most_refused() + 2);
    // A second one may promise less, never more.
    const auto accepted = std::min(from.id, peer_accepted_.value_or(from.id));
    if (peer_accepted_ == accepted) return true;
    if (!peer_accepted_) events.add(event::kind::goodbye, why);
    peer_accepted_ = accepted;
    if (calls_out.said_goodbye(
            accepted,
            [&](cancelled_call taken) {
                failed(std::move(taken), errc::unavailable, "the peer accepts no more calls: ", reason);
            },
            [&](std::uint64_t lost) { add_lost(events, lost, why); }))
        return true;
    fault = {"goodbye that accepts more requests than were sent", from.id};
    return false;
}

template <protocol P>
void conversation<P>::add_lost(event_list& to, std::uint64_t count, const error& why) {
    if (count == 0) return;
    auto& it = to.add(event::kind::oneways_lost, error{why.code(), executed::no});
    it.id = count;
    try {
        it.why = {why.code(),
                  "one-way calls that did not run, and were too many to be kept: at most " + std::to_string(count) +
                      "; " + why.message(),
                  executed::no};
    } catch (const std::bad_alloc&) {  // The number must do.
    }
}

template <protocol P>
void conversation<P>::failed(cancelled_call taken, errc code, const char* text, const std::string& more) noexcept {
    auto& it = events.add(event::kind::failed, error{code, taken.ran});
    it.call = std::move(taken.call);
    try {
        it.why = error{code, text + more, taken.ran};
    } catch (const std::bad_alloc&) {  // The code alone must do.
    }
}

template <protocol P>
void conversation<P>::give_up() noexcept {
    broken_ = true;
    events.add(event::kind::broken, error{errc::resource_exhausted});
}

template <protocol P>
void conversation<P>::break_off(const error& why) {
    broken_ = true;
    P::write_goodbye(out.filling(), calls_in.accepted(), why);
    events.add(event::kind::broken, why);
}

template <protocol P>
void conversation<P>::begin_drain(const error& why) {
    if (draining_ || broken_ || closed_) return;
    draining_ = true;
    P::write_goodbye(out.filling(), calls_in.accepted(), why);
}

template <protocol P>
void conversation<P>::leave(const error& why) {
    if (draining_) return;
    begin_drain(why);
    events.add(event::kind::draining, why);
}

template <protocol P>
std::span<event> conversation<P>::lose_connection(const error& why) {
    last_events_.clear();
    if (std::exchange(closed_, true)) return {};
    calls_out.fail_all(
        [&](cancelled_call taken) {
            last_events_.add(event::kind::failed, why.with_executed(taken.ran)).call = std::move(taken.call);
        },
        [&](std::uint64_t lost) { add_lost(last_events_, lost, why); });
    calls_in.connection_lost(last_events_);
    // What broke it may stand in what is dropped, behind what is being written.
    const bool unsaid = broken_ && out.filling_size() > 0;
    out.drop_filling();
    if (unsaid) {
        try {
            P::write_goodbye(out.filling(), calls_in.accepted(), why);
        } catch (const std::bad_alloc&) {  // Then the peer is not told.
        }
    }
    return last_events_.all();
}

}  // namespace futon::detail
