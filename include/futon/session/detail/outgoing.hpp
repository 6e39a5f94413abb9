// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The half of a session that makes calls. One thing because each call that it has taken must leave it exactly once.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/session/any_session.hpp>
#include <futon/session/detail/deadline_wheel.hpp>
#include <futon/session/detail/number_set.hpp>
#include <futon/session/detail/out_queue.hpp>
#include <futon/session/detail/pending_calls.hpp>
#include <futon/session/detail/sent_oneways.hpp>
#include <futon/session/detail/stream_calls.hpp>
#include <futon/wire/metadata_codec.hpp>
#include <futon/wire/protocol.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace futon::detail {

/// Every call that `start` took leaves exactly once: through `take`, `cancel`, `expire`, `said_goodbye` or `fail_all`.
/// One-way calls leave by the last two if the peer surely did not take them, else silently.
template <protocol P>
class outgoing {
public:
    outgoing(out_queue& out, const limits& own, session_stats& stats, stream_calls<P>& its_streams,
             time_point now) noexcept
        : out_{out}, own_{own}, stats_{stats}, streams_{its_streams}, deadlines_{now} {}

    void learn(const peer_limits& peer) noexcept {
        peer_ = peer;
        peer_.max_body_bytes = std::min(peer.max_body_bytes, own_.max_body_bytes);
        known_ = true;
    }
    [[nodiscard]] const peer_limits& peer() const noexcept { return peer_; }
    [[nodiscard]] std::size_t count() const noexcept { return calls_.count(); }
    /// At most so many leave by `said_goodbye`,
    [[nodiscard]] std::size_t most_refused() const noexcept { return calls_.count() + oneways_.size(); }
    /// and by `fail_all`.
    [[nodiscard]] std::size_t most_lost() const noexcept { return calls_.count() + oneways_.count_in(out_.batch()); }
    template <class F>
    void inspect(const F& see) const {
        for (std::uint32_t index = 0; index < calls_.end(); ++index)
            if (const auto& it = calls_.at(index); it.call) see(*it.call);
    }
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return deadlines_.next(); }

    /// Whether `start` has a final answer; what the peer's limits might still allow has to wait for them.
    [[nodiscard]] bool may_start(const invocation& request) const noexcept {
        if (known_ && peer_.max_in_flight == 0) return true;
        if (request.has_streams) return known_;
        if (!request.oneway && plain_count() >= peer_.max_in_flight) return false;
        return known_ || (request.arguments.size() <= peer_.max_body_bytes && request.method->number < peer_.max_binds);
    }
    /// Leaves `which` where it is unless the call was started.
    [[gnu::always_inline]] result<void> start(intrusive_ptr<call>& which, time_point now);

    /// The call with this id, which is answered. Null: late or unknown.
    [[nodiscard, gnu::always_inline]] intrusive_ptr<call> take(std::uint64_t id) noexcept {
        if (!calls_.find(id)) return nullptr;
        const auto index = pending_calls::index_of(id);
        if (!oneways_.empty()) [[unlikely]]
            oneways_.taken_through(calls_.at(index).ordinal);
        deadlines_.remove(index);
        return close(index);
    }
    /// A ping was written, the connection's `number`th.
    void ping_sent(std::uint64_t number) noexcept { oneways_.ping_sent(number, requests_); }
    void ping_answered(std::uint64_t number) noexcept { oneways_.ping_answered(number); }
    /// It has another time limit now. Nothing, if it is over or has no streams: the peer may say so of any call.
    void accepted(std::uint64_t id, time_point now) {
        const auto* const streams = streams_.find(id);
        if (!streams || !calls_.find(id)) return;
        const auto index = pending_calls::index_of(id);
        deadlines_.remove(index);
        deadlines_.add(index, streams_.due(*streams, no_deadline, now), now);
    }
    [[nodiscard]] cancelled_call cancel(std::uint64_t id) {
        if (!calls_.find(id)) return {};
        return take_back(pending_calls::index_of(id));
    }
    /// `before_each` may throw, and then the call has not left. `failed` also gets what ran out, null for the deadline.
    template <class B, class F>
    void expire(time_point now, B&& before_each, F&& failed) {
        deadlines_.advance(now, [&](std::uint32_t index) {
            const char* why = nullptr;
            if (calls_.at(index).call->streams && !expired_stream(index, now, why)) return;
            before_each();
            ++stats_.expired;
            failed(take_back(index), why);
        });
    }
    /// False if the peer claims to have accepted more than was sent. Fails what it did not accept; `lost` gets the
    /// number of one-way calls that it did not accept either, and that are not here any more.
    template <class F, class L>
    [[nodiscard]] bool said_goodbye(std::uint64_t accepted, F&& failed, L&& lost) {
        if (accepted > requests_) return false;
        for (std::uint32_t index = 0; index < calls_.end(); ++index) {
            if (auto& it = calls_.at(index); it.call && it.ordinal > accepted) {
                auto taken = take_back(index, false);
                failed(cancelled_call{std::move(taken.call), executed::no});
            }
        }
        lost(oneways_.refuse_past(accepted, not_run(failed)));
        return true;
    }
    template <class F, class L>
    void fail_all(F&& failed, L&& lost) {
        for (std::uint32_t index = 0; index < calls_.end(); ++index) {
            if (auto& it = calls_.at(index); it.call) {
                const auto ran = it.batch == out_.batch() ? executed::no : executed::maybe;
                deadlines_.remove(index);
                failed(cancelled_call{close(index), ran});
            }
        }
        lost(oneways_.end(out_.batch(), not_run(failed)));
    }

    void give_back() noexcept {
        calls_.give_back();
        oneways_.give_back();
        deadlines_.give_back();
    }

private:
    enum class obstacle : std::uint8_t { none, late, no_calls, streams, calls, limits, body, methods, names, headers };
    // What speaks against a request; the first of several.
    [[nodiscard]] obstacle obstacle_to(const invocation& request, time_point now) const noexcept {
        if (request.deadline <= now) return obstacle::late;
        if (known_ && peer_.max_in_flight == 0) return obstacle::no_calls;
        if (request.has_streams) {
            if (known_ && streams_.count() >= peer_.max_streams) return obstacle::streams;
        } else if (!request.oneway && plain_count() >= peer_.max_in_flight) {
            return obstacle::calls;
        }
        if (!known_ && !may_start(request)) return obstacle::limits;
        if (request.arguments.size() > peer_.max_body_bytes) return obstacle::body;
        if (P::has_binds && request.method->number >= peer_.max_binds) return obstacle::methods;
        if (must_bind(request) && !P::can_bind(*request.method)) return obstacle::names;
        if (!request.headers.empty() && !encoded_size(request.headers, headers_limit())) return obstacle::headers;
        return obstacle::none;
    }
    [[nodiscard]] bool must_bind(const invocation& request) const noexcept {
        return P::has_binds && !bound_.contains(request.method->number);
    }
    [[nodiscard, gnu::cold, gnu::noinline]] error refusal(obstacle why, const invocation& request) const;
    [[nodiscard]] metadata_limits headers_limit() const noexcept {
        return {std::min(peer_.max_metadata_bytes, own_.max_metadata_bytes), own_.max_metadata_entries};
    }
    [[gnu::always_inline]] void write(call& which, std::uint64_t id, time_point now);
    void open_streams(const call& which, std::uint64_t id, time_point now);
    cancelled_call take_back(std::uint32_t index, bool tell = true);
    template <class F>
    [[nodiscard]] static auto not_run(F& failed) noexcept {
        return [&failed](intrusive_ptr<call> which) { failed(cancelled_call{std::move(which), executed::no}); };
    }
    // Streams have a limit of their own.
    [[nodiscard]] std::size_t plain_count() const noexcept { return calls_.count() - streams_.count(); }
    [[nodiscard, gnu::always_inline]] intrusive_ptr<call> close(std::uint32_t index) noexcept {
        if (calls_.at(index).call->streams) [[unlikely]]
            streams_.close(calls_.id_of(index));
        return calls_.close(index);
    }
    // False: not yet, and it stands in the wheel again.
    bool expired_stream(std::uint32_t index, time_point now, const char*& why) {
        const auto& which = *calls_.at(index).call;
        const auto& it = *streams_.find(which.id);
        const auto due = streams_.due(it, which.request.deadline, now);
        if (due > now) return deadlines_.add(index, due, now), false;
        if (!it.accepted) {
            why = "the call was not accepted in time";
        } else if (which.streams->terms.deadline > now) {
            why = "nothing came within the idle_timeout";
        }
        return true;
    }

    out_queue& out_;
    const limits& own_;
    session_stats& stats_;
    stream_calls<P>& streams_;
    peer_limits peer_;
    bool known_ = false;
    pending_calls calls_;
    sent_oneways oneways_;
    deadline_wheel deadlines_;
    number_set bound_;
    std::uint64_t requests_ = 0;  // Written on this connection, one-way calls included.
};

template <protocol P>
error outgoing<P>::refusal(obstacle why, const invocation& request) const {
    const auto past = [](errc code, const char* what, std::size_t value, std::size_t most) {
        return error{code, std::string{what} + " " + std::to_string(value) + ", limit " + std::to_string(most),
                     executed::no};
    };
    switch (why) {
        case obstacle::late:
            return error{errc::deadline_exceeded, "the deadline passed before the request was sent", executed::no};
        case obstacle::no_calls: return error{errc::unavailable, "the peer accepts no calls", executed::no};
        case obstacle::streams:
            return past(errc::overloaded, "streams on the connection", streams_.count(), peer_.max_streams);
        case obstacle::calls:
            return past(errc::overloaded, "calls in flight on the connection", plain_count(), peer_.max_in_flight);
        case obstacle::limits: return error{errc::overloaded, "the limits of the peer are not known yet", executed::no};
        case obstacle::body:
            return past(errc::message_too_big,
                        "bytes of arguments (limits.max_body_bytes of this side and of the other):",
                        request.arguments.size(), peer_.max_body_bytes);
        case obstacle::methods:
            return past(errc::resource_exhausted, "methods of the channel", request.method->number, peer_.max_binds);
        case obstacle::names:
            return error{errc::bad_arguments,
                         "the names and the signature of '" + std::string{request.method->full_name()}.substr(0, 256) +
                             "' are too long for a frame, limit 4032 bytes: shorten the version or the unique id",
                         executed::no};
        case obstacle::headers: return encoded_size(request.headers, headers_limit()).error();
        case obstacle::none: break;
    }
    return error{errc::internal, "a request that nothing speaks against was refused", executed::no};
}

template <protocol P>
inline result<void> outgoing<P>::start(intrusive_ptr<call>& which, time_point now) {
    auto& it = *which;
    const auto& request = it.request;
    if (const auto why = obstacle_to(request, now); why != obstacle::none) [[unlikely]]
        return refusal(why, request);
    const auto size_before = out_.filling().size();
    std::uint64_t id = 0;
    try {
        if (!request.oneway) {
            id = calls_.open(which);
            deadlines_.add(pending_calls::index_of(id), request.deadline, now);
            if (request.has_streams) [[unlikely]]
                open_streams(it, id, now);
        } else {
            oneways_.make_room();
        }
        write(it, id, now);
    } catch (const std::bad_alloc&) {
        out_.filling().truncate(size_before);
        if (id != 0) {
            deadlines_.remove(pending_calls::index_of(id));
            which = close(pending_calls::index_of(id));
        }
        return error{errc::resource_exhausted, "out of memory while the request was written", executed::no};
    }
    ++requests_;
    ++stats_.requests_sent;
    it.id = id;
    it.written = now;
    it.times = {.queued = now - it.started};
    if (request.oneway) oneways_.add(std::move(which), requests_, out_.batch());
    which = nullptr;
    return {};
}

template <protocol P>
inline void outgoing<P>::write(call& which, std::uint64_t id, time_point now) {
    const auto& request = which.request;
    auto& bytes = out_.filling();
    const bool binds = must_bind(request);
    if (binds) [[unlikely]] {
        bound_.make_room(request.method->number);
        P::write_bind(bytes, *request.method);
    }
    auto deadline = request.deadline;
    std::uint64_t window = 0;
    if (request.has_streams) [[unlikely]] {
        deadline = which.streams->terms.deadline;
        window = which.streams->terms.receives ? streams_.window() : 0;
    }
    const auto start = P::begin_request(
        bytes,
        {.method = request.method,
         .id = id,
         .wants_times = which.wants_times,
         .has_streams = request.has_streams,
         .window = window,
         .remaining = deadline == no_deadline ? duration{-1} : std::max(deadline - now - which.slack, duration{1}),
         .headers = &request.headers});
    const bool large = request.arguments.size() >= out_queue::large_body;
    if (!large) bytes.append(request.arguments.view());
    P::end_frame(bytes, start, large ? request.arguments.size() : 0);
    if (id != 0) {
        auto& it = calls_.at(pending_calls::index_of(id));
        it.ordinal = requests_ + 1;
        it.batch = out_.batch();
        it.offset = start;
        it.size = bytes.size() - start;
    }
    if (large) out_.attach(request.arguments.view(), intrusive_ptr<call>{&which});
    if (binds) bound_.insert(request.method->number);
}

template <protocol P>
cancelled_call outgoing<P>::take_back(std::uint32_t index, bool tell) {
    auto& it = calls_.at(index);
    const auto id = calls_.id_of(index);
    deadlines_.remove(index);
    // Its place among the requests stays taken: the peer counts the withdrawn frame too.
    if (it.batch == out_.batch() && P::withdraw(out_.filling().data() + it.offset, it.size)) {
        out_.detach(*it.call);
        ++stats_.withdrawn;
        // Where the body stood beside the buffer the frame now ends
        // with its head; else with its body, which is skipped.
        return {close(index), executed::no};
    }
    if (tell) {
        try {
            P::write_cancel(out_.filling(), id);
            ++stats_.cancels_sent;
        } catch (const std::bad_alloc&) {  // The peer may go on for nothing; the call is over here.
        }
    }
    return {close(index), executed::maybe};
}

template <protocol P>
void outgoing<P>::open_streams(const call& which, std::uint64_t id, time_point now) {
    streams_.open({.id = id,
                   .port = which.streams,
                   .may_receive = which.streams->terms.receives ? static_cast<std::int64_t>(streams_.window()) : 0,
                   .heard = now});
}

}  // namespace futon::detail
