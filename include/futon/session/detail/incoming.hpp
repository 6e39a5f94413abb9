// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The half of a session that answers calls. One thing because taking
/// a call, refusing it and answering it turn on the same table.

#include <futon/core/error.hpp>
#include <futon/core/held_bytes.hpp>
#include <futon/session/any_session.hpp>
#include <futon/session/detail/event_list.hpp>
#include <futon/session/detail/incoming_calls.hpp>
#include <futon/session/detail/number_set.hpp>
#include <futon/session/detail/out_queue.hpp>
#include <futon/session/detail/rate_window.hpp>
#include <futon/session/detail/stream_calls.hpp>
#include <futon/session/unsent_bytes.hpp>
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
    incoming(out_queue& out, const limits& own, session_stats& stats, stream_calls<P>& its_streams,
             const peer_limits& peer, std::uint64_t seed, const unsent_bytes* of_all) noexcept
        : out_{out}, own_{own}, stats_{stats}, streams_{its_streams}, peer_{peer}, of_all_{of_all}, calls_{seed} {}

    [[nodiscard]] std::size_t count() const noexcept { return calls_.count(); }
    /// Requests that were accepted, one-way and withdrawn ones included: what goodbye tells.
    [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }

    /// Takes a request or a one-way call: an event, a refusal, or, where the frame breaks the protocol, a fault.
    [[nodiscard, gnu::always_inline]] bool request(const frame& from, time_point now, event_list& events,
                                                   frame_fault& fault);
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
    void end_reply(intrusive_ptr<held_bytes>&& rest);
    void abandon_reply() noexcept {
        out_.filling().truncate(reply_start_);
        refused_headers_.reset();
    }
    /// Whether the peer has read so much that one more answer may wait behind what it has not read.
    [[nodiscard]] bool has_room() const noexcept {
        const auto unsent = out_.unsent_answers();
        if (unsent == 0) return true;
        if (unsent >= own_.max_unsent_answer_bytes) return false;
        return unsent < own_.write_pause_bytes || !of_all_ || !of_all_->is_much();
    }
    bool reply(std::uint64_t id, byte_buffer&& body, const reply_options& options, intrusive_ptr<held_bytes> rest);
    bool reply_error(std::uint64_t id, const error& why, duration handler_time);

    /// Nobody waits for any answer any more. Handlers that are tracked are told.
    void connection_lost(event_list& events);
    void give_back() noexcept { calls_.give_back(); }

private:
    static constexpr duration quick = std::chrono::milliseconds{10};

    void refuse(const frame& from, const error& why);
    // Why a result of this size does not travel; nothing if it does.
    [[nodiscard]] std::optional<error> obstacle_to_result(std::size_t size) const {
        if (size <= peer_.max_body_bytes && has_room()) [[likely]]
            return std::nullopt;
        return result_refusal(size);
    }
    [[nodiscard, gnu::cold, gnu::noinline]] error result_refusal(std::size_t size) const;
    void remove(incoming_entry& which) noexcept {
        if (which.has_streams) [[unlikely]] {
            streams_.close(which.id);
            --with_streams_;
        }
        calls_.remove(which);
    }
    enum class obstacle : std::uint8_t { none, streams, calls, body, method, deadline };
    // What speaks against a request; the first of several.
    [[nodiscard]] obstacle obstacle_to(const frame& from) const noexcept {
        if (from.has_streams) {
            if (with_streams_ >= own_.max_streams) return obstacle::streams;
        } else if (from.what == frame::kind::request && calls_.count() - with_streams_ >= own_.max_in_flight) {
            return obstacle::calls;
        }
        if (from.body.size() > own_.max_body_bytes) return obstacle::body;
        if (P::has_binds && !bound_.contains(from.method)) return obstacle::method;
        if (from.remaining == duration::zero()) return obstacle::deadline;
        return obstacle::none;
    }
    [[nodiscard, gnu::cold, gnu::noinline]] error refusal(obstacle why, const frame& from) const;
    /// The call, if somebody waits for its answer; else it is forgotten.
    [[nodiscard, gnu::always_inline]] incoming_entry* answerable(std::uint64_t id) noexcept;
    [[gnu::always_inline]] void write_reply_head(incoming_entry& call, const reply_options& options);

    out_queue& out_;
    const limits& own_;
    session_stats& stats_;
    stream_calls<P>& streams_;  // Of these calls.
    const peer_limits& peer_;
    const unsent_bytes* const of_all_;  // Null if nobody adds it up.
    incoming_calls calls_;
    number_set bound_;
    std::size_t with_streams_ = 0;  // Of the calls, also those whose streams the caller's cancel has closed.
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
        fault = twice ? frame_fault{"method number bound twice", number}
                      : frame_fault{"bind past the limit: method number", number, most};
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
    if (const auto why = obstacle_to(from); why != obstacle::none) [[unlikely]]
        return refuse(from, refusal(why, from)), true;
    const metadata* headers = nullptr;
    if (from.has_metadata) [[unlikely]] {
        auto decoded = events.decode(from, {own_.max_metadata_bytes, own_.max_metadata_entries});
        if (!decoded) return refuse(from, decoded.error()), true;
        headers = *decoded;
    }
    if (!oneway)
        static_cast<void>(calls_.add(
            {.id = from.id, .since = now, .wants_times = from.wants_times, .has_streams = from.has_streams}));
    if (from.has_streams) [[unlikely]] {
        streams_.open_incoming(from, now);
        ++with_streams_;
    }

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
error incoming<P>::refusal(obstacle why, const frame& from) const {
    const auto past = [](errc code, const std::string& what, std::size_t limit) {
        return error{code, what + ", limit " + std::to_string(limit), executed::no};
    };
    switch (why) {
        case obstacle::streams: return past(errc::overloaded, "too many streams on the connection", own_.max_streams);
        case obstacle::calls:
            return past(errc::overloaded, "too many calls in flight on the connection", own_.max_in_flight);
        case obstacle::body:
            return past(errc::message_too_big, "bytes of arguments " + std::to_string(from.body.size()),
                        own_.max_body_bytes);
        case obstacle::method:
            return error{errc::no_such_method, "method number " + std::to_string(from.method) + " was never bound",
                         executed::no};
        case obstacle::deadline:
            return error{errc::deadline_exceeded, "the deadline had passed when the request arrived", executed::no};
        case obstacle::none: break;
    }
    return error{errc::internal, "a request that nothing speaks against was refused", executed::no};
}

template <protocol P>
error incoming<P>::result_refusal(std::size_t size) const {
    if (size > peer_.max_body_bytes)
        return error{errc::message_too_big,
                     "bytes of the result (limits.max_body_bytes of the side that asked): " + std::to_string(size) +
                         ", limit " + std::to_string(peer_.max_body_bytes),
                     executed::yes};
    return error{errc::resource_exhausted,
                 "the result found no room: " + std::to_string(out_.unsent_answers()) +
                     " bytes of answers before it were not read yet (limits.max_unsent_answer_bytes, "
                     "limits.max_server_unsent_bytes)",
                 executed::yes};
}

template <protocol P>
void incoming<P>::refuse(const frame& from, const error& why) {
    if (from.what == frame::kind::oneway_request) return;
    out_.write_answer([&](byte_buffer& to) { P::write_error(to, from.id, why, duration{-1}); });
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
        const metadata_limits most{std::min(peer_.max_metadata_bytes, own_.max_metadata_bytes),
                                   own_.max_metadata_entries};
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
void incoming<P>::end_reply(intrusive_ptr<held_bytes>&& rest) {
    auto& bytes = out_.filling();
    const auto beside = rest ? rest->view().size() : 0;
    if (auto why = obstacle_to_result(bytes.size() - reply_body_ + beside)) refused_headers_ = std::move(why);
    if (refused_headers_) {
        bytes.truncate(reply_start_);
        reply_error(replied_->id, *std::exchange(refused_headers_, std::nullopt), reply_time_);
        return;
    }
    if (rest) [[unlikely]]
        out_.attach(std::move(rest));
    P::end_frame(bytes, reply_start_, beside);
    // The start is an offset into the buffer, beside which large bodies stand: count what was added.
    out_.count_answer_bytes(bytes.size() - reply_start_ + beside);
    ++stats_.replies_sent;
    remove(*replied_);
}

template <protocol P>
bool incoming<P>::reply(std::uint64_t id, byte_buffer&& body, const reply_options& options,
                        intrusive_ptr<held_bytes> rest) {
    auto refused = obstacle_to_result(body.size() + (rest ? rest->view().size() : 0));
    auto* const into = begin_reply(id, options);
    if (!into) return false;
    if (refused) {
        refused_headers_ = std::move(refused);
    } else if (body.size() >= out_queue::large_body && !rest) {
        rest = make_intrusive<held_bytes_of<byte_buffer>>(std::move(body));
    } else {
        into->append(body.view());
    }
    end_reply(std::move(rest));
    return true;
}

template <protocol P>
bool incoming<P>::reply_error(std::uint64_t id, const error& why, duration handler_time) {
    auto* const it = answerable(id);
    if (!it) return false;
    const auto told = it->wants_times ? handler_time : duration{-1};
    out_.write_answer([&](byte_buffer& to) { P::write_error(to, id, why, told); });
    ++stats_.errors_sent;
    remove(*it);
    return true;
}

template <protocol P>
void incoming<P>::connection_lost(event_list& events) {
    streams_.close_all();
    calls_.for_each([&](incoming_entry& it) {
        if (it.tag && !it.cancelled) {
            try {
                events.add(event::kind::cancelled).id = it.id;
            } catch (const std::bad_alloc&) {  // That handler finishes for nothing.
            }
        }
        it.cancelled = true;
    });
}

}  // namespace futon::detail
