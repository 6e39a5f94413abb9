// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the streams of calls ask of a connection, and who of them may send when there is room.

#include <futon/transport/detail/connection_class.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

inline std::optional<std::uint64_t> connection::accept(std::uint64_t id, stream_port& streams, bool receives) noexcept {
    if (closed_) return std::nullopt;
    need_flush();
    try {
        return session_->accept(id, intrusive_ptr<stream_port>{&streams}, receives, where().now());
    } catch (const std::bad_alloc&) {
        return std::nullopt;
    }
}

inline item_fate connection::send_item(stream_key which, stream_port& streams, bytes_view body) noexcept {
    if (closed_) return item_fate::gone;
    try {
        const auto fate = session_->send_item(which, body);
        if (fate == item_fate::sent) need_flush();
        if (fate == item_fate::no_room) wants_room(streams);
        return fate;
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while an item was written"});
        return item_fate::gone;
    }
}

inline std::int64_t connection::credit(stream_key which, stream_port& streams) noexcept {
    if (closed_) return 0;
    if (session_->has_room_for_items()) return session_->credit(which);
    wants_room(streams);
    return 0;
}

inline void connection::wants_room(stream_port& streams) noexcept {
    if (std::exchange(streams.waits_for_room, true)) return;
    try {
        want_room_.emplace_back(&streams);
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while streams wait"});
    }
}

inline void connection::end_items(std::uint64_t id) noexcept {
    if (closed_) return;
    try {
        session_->end_items(id);
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while the end of a stream was written"});
    }
    need_flush();
}

inline void connection::grant(stream_key which, std::uint64_t more) noexcept {
    if (closed_) return;
    try {
        session_->grant(which, more, where().now());
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while credit was written"});
    }
    need_flush();
}

inline void connection::fail(stream_key which, const error& why) noexcept {
    if (closed_) return;
    auto taken = session_->cancel(which.id, where().now());
    if (!taken.call) return;
    auto& router = taken.call->router();
    router.failed(std::move(taken.call), why.with_executed(taken.ran));
    need_flush();
}

// First come, first served, as long as there is room: who takes it all stands behind the others afterwards.
inline void connection::offer_room() noexcept {
    auto waiting = std::exchange(want_room_, {});
    std::size_t served = 0;
    while (served < waiting.size() && !closed_ && session_->has_room_for_items()) {
        auto& each = *waiting[served++];
        each.waits_for_room = false;
        each.may_send();
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(served));
    for (auto& each : want_room_) waiting.push_back(std::move(each));
    want_room_ = closed_ ? std::vector<intrusive_ptr<stream_port>>{} : std::move(waiting);
}

}  // namespace futon::detail
