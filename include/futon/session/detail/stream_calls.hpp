// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The streams of the calls that one side of a connection made: who may send how much, and what comes.

#include <futon/core/time.hpp>
#include <futon/message/stream_port.hpp>
#include <futon/session/detail/event_list.hpp>
#include <futon/session/detail/id_table.hpp>
#include <futon/session/detail/out_queue.hpp>
#include <futon/session/session_stats.hpp>
#include <futon/wire/limits.hpp>
#include <futon/wire/protocol.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace futon::detail {

/// A session has two: for the calls from here (`mine`), and for those that came in. Each lives as long as its call.
template <protocol P>
class stream_calls {
public:
    struct entry {
        std::uint64_t id = 0;
        intrusive_ptr<stream_port> port{};  ///< Null until an incoming call is accepted.
        std::int64_t may_send = 0;          ///< What the peer still takes, as `item_cost`; an item may go below zero.
        std::int64_t may_receive = 0;       ///< What this side still takes.
        time_point heard{};                 ///< When the peer last said something, or was last allowed to.
        std::uint64_t window = 0;           ///< Of an incoming call: its part of what all may hold here.
        bool accepted = false;
        bool ended = false;  ///< The caller's items are over.
    };

    stream_calls(bool mine, out_queue& out, const limits& own, session_stats& stats, std::uint64_t seed) noexcept
        : mine_{mine}, out_{out}, own_{own}, stats_{stats}, table_{seed} {}

    [[nodiscard]] std::size_t count() const noexcept { return table_.count(); }
    [[nodiscard]] entry* find(std::uint64_t id) noexcept { return table_.find(id); }
    /// What is announced for one direction of a stream.
    [[nodiscard]] std::uint64_t window() const noexcept { return std::max<std::uint64_t>(own_.stream_window, 1); }

    void open(entry fresh) { static_cast<void>(table_.add(std::move(fresh))); }
    void open_incoming(const frame& request, time_point now) {
        open({.id = request.id,
              .may_send = static_cast<std::int64_t>(std::min(request.window, most_credit)),
              .heard = now});
    }
    /// Its call is over. Nothing happens if it had no streams.
    void close(std::uint64_t id) noexcept {
        auto* const it = table_.find(id);
        if (!it) return;
        held_ -= it->window;
        table_.remove(*it);
    }
    void close_all() noexcept {
        static_cast<void>(table_.take_all());
        held_ = 0;
    }

    void give_back() noexcept { table_.give_back(); }

    // What this side does.

    /// Takes a call that came in, and says what its caller may send at first; nothing if the call is over.
    std::optional<std::uint64_t> accept(std::uint64_t id, intrusive_ptr<stream_port> port, bool receives,
                                        time_point now) {
        auto* const it = table_.find(id);
        if (!it || it->accepted) return std::nullopt;
        const auto granted = receives ? next_window() : 0;
        P::write_accepted(out_.filling(), id, granted);
        held_ += granted;
        it->window = granted;
        it->may_receive = static_cast<std::int64_t>(granted);
        it->port = std::move(port);
        it->accepted = true;
        it->heard = now;
        return granted;
    }
    /// `body` is within the peer's limit.
    [[nodiscard]] item_fate send(std::uint64_t id, bytes_view body) {
        auto* const it = table_.find(id);
        if (!it || (mine_ && it->ended)) return item_fate::gone;
        if (it->may_send <= 0) return item_fate::no_credit;
        if (!has_room()) return item_fate::no_room;
        auto& bytes = out_.filling();
        const auto start = P::begin_item(bytes, id, mine_);
        bytes.append(body);
        P::end_frame(bytes, start, 0);
        it->may_send -= static_cast<std::int64_t>(item_cost(body.size()));
        ++stats_.items_sent;
        return item_fate::sent;
    }
    void end_items(std::uint64_t id) {
        auto* const it = table_.find(id);
        if (it && it->accepted && !std::exchange(it->ended, true)) P::write_items_end(out_.filling(), id);
    }
    void grant(std::uint64_t id, std::uint64_t more, time_point now) {
        auto* const it = table_.find(id);
        if (!it || more == 0) return;
        P::write_credit(out_.filling(), id, mine_, more);
        // While it could not send its silence was of our making.
        if (it->may_receive <= 0) it->heard = now;
        it->may_receive += static_cast<std::int64_t>(more);
    }
    /// What may be sent now, as `item_cost`.
    [[nodiscard]] std::int64_t credit(std::uint64_t id) const noexcept {
        const auto* const it = table_.find(id);
        return it && has_room() ? std::min(it->may_send, static_cast<std::int64_t>(window())) : 0;
    }
    /// Items wait for the socket, not only for their readers: a peer that gives credit and does not read costs no
    /// more memory than one that reads slowly.
    [[nodiscard]] bool has_room() const noexcept {
        const auto unsent = out_.unsent();
        return unsent == 0 || unsent < own_.write_pause_bytes;
    }

    // What the peer does. False: it may not. What concerns a call that is over is late.

    [[nodiscard]] bool item(const frame& from, time_point now, event_list& events, frame_fault& fault) {
        auto* const it = table_.find(from.id);
        if (!it) return ++stats_.late_items, true;
        if (!it->accepted || (!mine_ && it->ended))
            return refuse(fault, "item of a stream that is not accepted or over", from.id);
        if (it->may_receive <= 0) return refuse(fault, "item without credit, stream", from.id);
        if (from.body.size() > own_.max_body_bytes)
            return refuse(fault, "bytes of an item", from.body.size(), own_.max_body_bytes);
        it->may_receive -= static_cast<std::int64_t>(item_cost(from.body.size()));
        it->heard = now;
        ++stats_.items_received;
        tell(*it, event::kind::item, events).body = from.body;
        return true;
    }
    [[nodiscard]] bool items_end(const frame& from, time_point now, event_list& events, frame_fault& fault) {
        auto* const it = table_.find(from.id);
        if (!it) return true;
        if (!it->accepted || std::exchange(it->ended, true))
            return refuse(fault, "end of items of a stream that is not accepted or over", from.id);
        it->heard = now;
        tell(*it, event::kind::items_end, events);
        return true;
    }
    [[nodiscard]] bool credited(const frame& from, time_point now, event_list& events, frame_fault& fault) {
        auto* const it = table_.find(from.id);
        if (!it) return true;
        if (!it->accepted) return refuse(fault, "credit for a stream that is not accepted", from.id);
        if (from.window > most_credit || it->may_send > static_cast<std::int64_t>(most_credit - from.window))
            return refuse(fault, "credit beyond reason", from.window, most_credit);
        it->may_send += static_cast<std::int64_t>(from.window);
        it->heard = now;
        tell(*it, event::kind::credit, events);
        return true;
    }
    [[nodiscard]] bool accepted(const frame& from, time_point now, event_list& events, frame_fault& fault) {
        auto* const it = table_.find(from.id);
        if (!it) return true;
        if (std::exchange(it->accepted, true)) return refuse(fault, "call accepted twice", from.id);
        if (from.window > most_credit) return refuse(fault, "credit beyond reason", from.window, most_credit);
        it->may_send = static_cast<std::int64_t>(from.window);
        it->heard = now;
        tell(*it, event::kind::accepted, events);
        return true;
    }

    /// Of a call from here: when it fails unless something happens.
    [[nodiscard]] time_point due(const entry& it, time_point accept_by, time_point now) const noexcept {
        if (!it.accepted) return accept_by;
        const auto& terms = it.port->terms;
        if (terms.idle_timeout == duration::max()) return terms.deadline;
        const bool our_turn = terms.receives && it.may_receive <= 0;
        return std::min(terms.deadline, deadline_after(our_turn ? now : it.heard, terms.idle_timeout));
    }

private:
    static constexpr std::uint64_t most_credit = std::uint64_t{1} << 62;
    static constexpr std::uint64_t least_window = 1024;

    // Smaller where many are open: a caller may keep all of them full.
    [[nodiscard]] std::uint64_t next_window() const noexcept {
        const auto most = std::uint64_t{own_.max_stream_bytes};
        return std::min(window(), std::max(most - std::min(held_, most), least_window));
    }

    event& tell(const entry& which, event::kind what, event_list& events) {
        auto& it = events.add(what);
        it.id = which.id;
        it.streams = which.port;
        return it;
    }
    static bool refuse(frame_fault& fault, const char* what, std::uint64_t value, std::uint64_t limit = 0) noexcept {
        fault = {what, value, limit};
        return false;
    }

    const bool mine_;
    out_queue& out_;
    const limits& own_;
    session_stats& stats_;
    id_table<entry> table_;
    std::uint64_t held_ = 0;  // Sum of the windows of incoming calls.
};

}  // namespace futon::detail
