// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The half of a session that answers calls. One thing because taking a call, refusing it and answering it turn on the same table.

#include <futon/core/error.hpp>
#include <futon/session/any_session.hpp>
#include <futon/session/detail/event_list.hpp>
#include <futon/session/detail/incoming_calls.hpp>
#include <futon/session/detail/number_set.hpp>
#include <futon/session/detail/out_queue.hpp>
#include <futon/session/detail/rate_window.hpp>
#include <futon/session/detail/stream_calls.hpp>
#include <futon/wire/protocol.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace futon::detail {

/// A call's place is free when its handler has answered, not when its caller has given up: a peer that makes and
/// cancels calls in a loop gains no more work than its limit allows.
template <protocol P>
class incoming {
public:
    incoming(out_queue& out, const limits& own, session_stats& stats, stream_calls<P>& its_streams, const peer_limits& peer) noexcept
        : out_{out}, own_{own}, stats_{stats}, streams_{its_streams}, peer_{peer} {}

    [[nodiscard]] std::size_t count() const noexcept { return calls_.count(); }
    /// Requests that were accepted, one-way and withdrawn ones included: what goodbye tells.
    [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }

    /// Takes a request or a one-way call: an event, a refusal, or, where the frame breaks the protocol, a fault.
    [[nodiscard, gnu::always_inline]] bool request(const frame& from, time_point now, event_list& events, frame_fault& fault);
    [[nodiscard]] bool bind(const frame& from, event_list& events, frame_fault& fault);
    void skip_withdrawn() noexcept { ++accepted_; }
    /// False: the peer floods.
    [[nodiscard]] bool cancel(std::uint64_t id, time_point now, event_list& events);

    bool track(std::uint64_t id, void* tag) noexcept {
        if (auto* const it = calls_.find(id)) return it->tag = tag, true;
        return false;
    }
    [[nodiscard]] void* tag(std::uint64_t id) const noexcept {
        const auto* const it = calls_.find(id);
        return it ? it->tag : nullptr;
    }
    [[nodiscard]] byte_buffer* begin_reply(std::uint64_t id, const reply_options& options);
    void end_reply();
    void abandon_reply() noexcept {
        out_.filling().truncate(reply_start_);
        refused_headers_.reset();
    }
    bool reply(std::uint64_t id, byte_buffer&& body, const reply_options& options);
    bool reply_error(std::uint64_t id, const error& why, duration handler_time);

    /// Nobody waits for any answer any more. Handlers that are tracked are told.
    void connection_lost(event_list& events);
    void give_back() noexcept { calls_.give_back(); }

private:
    static constexpr duration quick = std::chrono::milliseconds{10};

    void refuse(const frame& from, const error& why);
    void remove(incoming_entry& which) noexcept {
        if (which.has_streams) [[unlikely]] streams_.close(which.id);
        calls_.remove(which);
    }
    // Whether nothing speaks against a request. Where this is false, `refusal` knows better, and has words.
    [[nodiscard]] bool is_welcome(const frame& from) const noexcept {
        return !from.has_streams && calls_.count() < own_.max_in_flight && from.body.size() <= own_.max_body_bytes &&
               (!P::has_binds || bound_.contains(from.method)) && from.remaining != duration::zero();
    }
    [[nodiscard, gnu::cold, gnu::noinline]] std::optional<error> refusal(const frame& from) const;
    /// The call, if somebody waits for its answer; else it is forgotten.
    [[nodiscard, gnu::always_inline]] incoming_entry* answerable(std::uint64_t id) noexcept;
    [[gnu::always_inline]] void write_reply_head(incoming_entry& call, const reply_options& options);

    out_queue& out_;
    const limits& own_;
    session_stats& stats_;
    stream_calls<P>& streams_;  // Of these calls.
    const peer_limits& peer_;
    incoming_calls calls_;
    number_set bound_;
    std::uint64_t accepted_ = 0;
    rate_window requests_;
    rate_window quick_cancels_;

    // Of the reply that is being written.
    incoming_entry* replied_ = nullptr;
    std::size_t reply_start_ = 0;
    std::size_t reply_body_ = 0;
    duration reply_time_{-1};
    std::optional<error> refused_headers_;
};

template <protocol P>
bool incoming<P>::bind(const frame& from, event_list& events, frame_fault& fault) {
    const auto most = std::max(own_.max_binds, peer_limits{}.max_binds);
    const auto number = from.method;
    const bool twice = bound_.contains(number);
    if (number >= most || twice) {
        fault = twice ? frame_fault{"method number bound twice", number} : frame_fault{"bind past the limit: method number", number, most};
        return false;
    }
    if (number >= own_.max_binds) return true;  // Sent before our limit was known: its requests find no method.
    bound_.insert(number);
    auto& it = events.add(event::kind::bound);
    it.method = number;
    it.names = events.keep(from.names);
    return true;
}

template <protocol P>
inline bool incoming<P>::request(const frame& from, time_point now, event_list& events, frame_fault& fault) {
    const bool oneway = from.what == frame::kind::oneway_request;
    if (!oneway && calls_.find(from.id)) {
        fault = {"request with the id of a call that is under way", from.id};
        return false;
    }
    ++accepted_;
    ++stats_.requests_received;
    static_cast<void>(requests_.hit(now));
    if (!is_welcome(from)) [[unlikely]] {
        if (auto why = refusal(from)) return refuse(from, *why), true;
    }
    const metadata* headers = nullptr;
    if (from.has_metadata) [[unlikely]] {
        auto decoded = events.decode(from, {own_.max_metadata_bytes, own_.max_metadata_entries});
        if (!decoded) return refuse(from, decoded.error()), true;
        headers = *decoded;
    }
    if (!oneway) static_cast<void>(calls_.add({.id = from.id, .since = now, .wants_times = from.wants_times, .has_streams = from.has_streams}));
    if (from.has_streams) [[unlikely]] streams_.open_incoming(from, now);

    auto& it = events.add(event::kind::request);
    it.oneway = oneway;
    it.wants_times = from.wants_times;
    it.has_streams = from.has_streams;
    it.method = from.method;
    it.id = from.id;
    if (from.remaining >= duration::zero()) it.deadline = deadline_after(now, from.remaining);
    it.body = from.body;
    it.headers = headers;
    if constexpr (!P::has_binds) it.names = events.keep(from.names);
    return true;
}

template <protocol P>
std::optional<error> incoming<P>::refusal(const frame& from) const {
    const auto because = [](errc code, const std::string& what, std::size_t value) { return error{code, what + std::to_string(value), executed::no}; };
    if (from.has_streams && streams_.count() >= own_.max_streams)
        return because(errc::overloaded, "too many streams on the connection, limit ", own_.max_streams);
    if (from.what == frame::kind::request && !from.has_streams && calls_.count() - streams_.count() >= own_.max_in_flight)
        return because(errc::overloaded, "too many calls in flight on the connection, limit ", own_.max_in_flight);
    if (from.body.size() > own_.max_body_bytes)
        return because(errc::message_too_big, "bytes of arguments " + std::to_string(from.body.size()) + ", limit ", own_.max_body_bytes);
    if (P::has_binds && !bound_.contains(from.method))
        return error{errc::no_such_method, "method number " + std::to_string(from.method) + " was never bound", executed::no};
    if (from.remaining == duration::zero())
        return error{errc::deadline_exceeded, "the deadline had passed when the request arrived", executed::no};
    return std::nullopt;
}

template <protocol P>
void incoming<P>::refuse(const frame& from, const error& why) {
    if (from.what == frame::kind::oneway_request) return;
    const auto before = out_.filling_size();
    P::write_error(out_.filling(), from.id, why, duration{-1});
    out_.count_answer_bytes(out_.filling_size() - before);
    ++stats_.errors_sent;
}

template <protocol P>
bool incoming<P>::cancel(std::uint64_t id, time_point now, event_list& events) {
    ++stats_.cancels_received;
    auto* const it = calls_.find(id);
    if (it && !it->cancelled) {
        it->cancelled = true;
        if (it->has_streams) streams_.close(id);
        events.add(event::kind::cancelled).id = id;
    }
    if (it && now - it->since >= quick) return true;
    const auto cancels = quick_cancels_.hit(now);
    return cancels <= own_.max_cancels_per_second || 2 * cancels <= requests_.count(now);
}

template <protocol P>
inline incoming_entry* incoming<P>::answerable(std::uint64_t id) noexcept {
    auto* const it = calls_.find(id);
    if (!it || !it->cancelled) return it;
    ++stats_.dropped_replies;
    remove(*it);
    return nullptr;
}

template <protocol P>
inline void incoming<P>::write_reply_head(incoming_entry& call, const reply_options& options) {
    replied_ = &call;
    reply_time_ = call.wants_times ? options.handler_time : duration{-1};
    refused_headers_.reset();
    const auto* headers = options.headers && !options.headers->empty() ? options.headers : nullptr;
    if (headers) {
        const metadata_limits most{std::min(peer_.max_metadata_bytes, own_.max_metadata_bytes), own_.max_metadata_entries};
        if (auto size = encoded_size(*headers, most); !size) {
            refused_headers_ = std::move(size).error().with_executed(executed::yes);
            headers = nullptr;
        }
    }
    const auto before = out_.filling().size();
    try {
        reply_start_ = P::begin_reply(out_.filling(), {.id = call.id, .headers = headers, .handler_time = reply_time_});
    } catch (const std::bad_alloc&) {
        out_.filling().truncate(before);
        throw;
    }
    reply_body_ = out_.filling().size();
}

template <protocol P>
byte_buffer* incoming<P>::begin_reply(std::uint64_t id, const reply_options& options) {
    auto* const it = answerable(id);
    if (!it) return nullptr;
    write_reply_head(*it, options);
    return &out_.filling();
}

template <protocol P>
void incoming<P>::end_reply() {
    auto& bytes = out_.filling();
    const auto size = bytes.size() - reply_body_;
    if (size > peer_.max_body_bytes)
        refused_headers_ =
            error{errc::message_too_big,
                  "bytes of the result " + std::to_string(size) + ", limit " + std::to_string(peer_.max_body_bytes),
                  executed::yes};
    if (refused_headers_) {
        bytes.truncate(reply_start_);
        reply_error(replied_->id, *std::exchange(refused_headers_, std::nullopt), reply_time_);
        return;
    }
    P::end_frame(bytes, reply_start_, 0);
    // The start is an offset into the buffer, beside which large bodies stand: count what was added.
    out_.count_answer_bytes(bytes.size() - reply_start_);
    ++stats_.replies_sent;
    remove(*replied_);
}

template <protocol P>
bool incoming<P>::reply(std::uint64_t id, byte_buffer&& body, const reply_options& options) {
    if (body.size() < out_queue::large_body || body.size() > peer_.max_body_bytes) {
        auto* const into = begin_reply(id, options);
        if (!into) return false;
        if (body.size() <= peer_.max_body_bytes) {
            into->append(body.view());
        } else {
            refused_headers_ = error{errc::message_too_big,
                                     "bytes of the result " + std::to_string(body.size()) + ", limit " +
                                         std::to_string(peer_.max_body_bytes),
                                     executed::yes};
        }
        end_reply();
        return true;
    }
    auto* const it = answerable(id);
    if (!it) return false;
    write_reply_head(*it, options);
    if (refused_headers_) return end_reply(), true;
    auto& bytes = out_.filling();
    P::end_frame(bytes, reply_start_, body.size());
    out_.count_answer_bytes(bytes.size() - reply_start_ + body.size());
    out_.attach(std::move(body));
    ++stats_.replies_sent;
    remove(*it);
    return true;
}

template <protocol P>
bool incoming<P>::reply_error(std::uint64_t id, const error& why, duration handler_time) {
    auto* const it = answerable(id);
    if (!it) return false;
    const auto before = out_.filling_size();
    P::write_error(out_.filling(), id, why, it->wants_times ? handler_time : duration{-1});
    out_.count_answer_bytes(out_.filling_size() - before);
    ++stats_.errors_sent;
    remove(*it);
    return true;
}

template <protocol P>
void incoming<P>::connection_lost(event_list& events) {
    streams_.close_all();
    calls_.for_each([&](incoming_entry& it) {
        if (it.tag && !it.cancelled) try {
                events.add(event::kind::cancelled).id = it.id;
            } catch (const std::bad_alloc&) {  // That handler finishes for nothing.
            }
        it.cancelled = true;
    });
}

}  // namespace futon::detail
