// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a connection reads, and what it does about each thing that its session tells.

#include <futon/transport/detail/connection_class.hpp>

#include <asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace futon::detail {

inline constexpr std::size_t largest_read = 256u << 10;
inline constexpr std::size_t large_frame = 128u << 10;
inline constexpr std::size_t largest_rest = 1u << 20;  // Of a large frame, that is read at once.
inline constexpr std::size_t read_after_large = 16u << 10;

inline void connection::read() noexcept {
    if (reading_ || closed_ || !session_->reading_allowed() || session_->has_more()) return;
    try {
        auto into = room_to_read();
        offered_ = into.size();
        reading_ = true;
        stream_->read_some(into, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        lose(error{errc::resource_exhausted, "out of memory for the receive buffer"});
    }
}

// Of the frame at the front of the input so much is there or wanted that it is one.
inline bool connection::in_large_frame() const noexcept {
    const auto wanted = session_->wanted();
    return wanted > 0 && input_.size() + wanted >= large_frame;
}

// The rest of a large frame is read alone: what came of the next one with it would only have to be moved, to where that
// finds room. For the same reason the next one is begun with a short read.
inline std::span<std::byte> connection::room_to_read() {
    const auto wanted = session_->wanted();
    if (in_large_frame()) {
        read_size_ = std::min(read_size_, read_after_large);
        return input_.prepare(wanted).first(std::min(wanted, largest_rest));
    }
    const auto into = input_.prepare(std::max(wanted, read_size_ - std::min(read_size_ - 1, input_.size())));
    return into.first(std::min(into.size(), largest_read));
}

// A buffer that is being read into has to wait for the next time.
inline void connection::rest() noexcept {
    if (reading_ || !input_.empty()) return;
    input_.reset();
    read_size_ = first_read;
}

inline void connection::on_read(std::error_code code, std::size_t count) noexcept {
    running_scope scope{where()};
    reading_ = false;
    if (closed_) return lingering_ && !code ? linger() : stop_lingering();
    if (code) {
        return lose(error{errc::connection_lost, code == asio::error::eof ? "the peer closed the connection"
                                                                          : "reading failed: " + code.message()});
    }
    if (count >= offered_ && !in_large_frame()) read_size_ = std::min(read_size_ * 4, largest_read);
    input_.commit(count);
    parse();
}

inline void connection::parse() noexcept {
    now_ = where().now();
    need_flush();  // First, so that it is known that this batch has a time.
    try {
        handle(session_->receive(input_, now_));
    } catch (const std::bad_alloc&) {
        return lose(error{errc::resource_exhausted, "out of memory while reading"});
    }
    if (closed_) return;
    if (input_.empty() && input_.capacity() > largest_read) input_.reset();
    parse_more();
    need_flush();
}

// What came already is left where it is, too, while the peer does not read: its answers would only gather.
inline void connection::parse_more() noexcept {
    if (more_queued_ || closed_ || !session_->has_more() || !session_->reading_allowed()) return;
    more_queued_ = true;
    add_ref();
    if (where().post(more_)) return;
    more_queued_ = false;
    release();
}

// What is completed runs before the next event is looked at: so a value is used while it is warm, and its memory is
// free again for the next. It may also end this connection.
inline void connection::handle(std::span<event> events) noexcept {
    const auto owner = owner_;
    auto* const scope = this_thread().scope;
    const bool drains = scope && scope->inside(where());
    const bool nested = std::exchange(handling_, true);
    for (auto& it : events) {
        const bool ends_call = drains && (it.what == event::kind::reply || it.what == event::kind::failed);
        if (closed_) {
            handle_closed(it, *owner);
        } else {
            // After one that filters or attempts side by side stand behind, these have something left to do.
            if (ends_call && it.what == event::kind::reply && !it.call->filters && !it.call->hedge)
                scope->let_next_run();
            handle(it);
        }
        if (ends_call) scope->drain_between();
    }
    handling_ = nested;
}

inline void connection::handle(event& it) noexcept {
    switch (it.what) {
        case event::kind::request: owner_->requested(*this, it); break;
        case event::kind::reply:
            owner_->replied(*this, std::move(it.call), response{.body = it.body, .headers = it.headers});
            break;
        case event::kind::failed: {
            auto& router = it.call->router();
            router.failed(std::move(it.call), std::move(it.why));
            break;
        }
        case event::kind::oneways_lost: owner_->oneways_lost(*this, it.id, it.why); break;
        case event::kind::ready: owner_->ready(*this); break;
        case event::kind::bound: owner_->bound(*this, it); break;
        case event::kind::cancelled: owner_->cancelled(*this, it.id, session_->tag(it.id)); break;
        // A stream refers back to this connection: the event lets go of it.
        case event::kind::accepted: {
            const auto port = std::move(it.streams);
            port->taken = true;
            port->accepted(*this, {it.id, true});
            break;
        }
        case event::kind::item: std::exchange(it.streams, nullptr)->item(it.body); break;
        case event::kind::items_end: std::exchange(it.streams, nullptr)->items_ended(); break;
        case event::kind::credit: std::exchange(it.streams, nullptr)->may_send(); break;
        case event::kind::load_query: tell_load(it.id); break;
        case event::kind::load: owner_->load_told(*this, it.id, it.load); break;
        case event::kind::alive: owner_->alive(*this, it.id, now_); break;
        case event::kind::goodbye:
        case event::kind::draining: owner_->leaving(*this, it.why); break;
        case event::kind::broken: {
            const auto why = it.why;
            if (!writing_) write(true);
            lose(why, ending::linger);
            break;
        }
    }
}

// The connection was closed by what an event before this one completed. Its owner has heard of the end already.
inline void connection::handle_closed(event& it, connection_owner& owner) noexcept {
    it.streams = nullptr;
    if (it.what == event::kind::cancelled) return owner.cancelled(*this, it.id, session_->tag(it.id));
    if (it.what == event::kind::oneways_lost) return owner.oneways_lost(*this, it.id, it.why);
    if (!it.call) return;
    auto& router = it.call->router();
    if (it.what == event::kind::reply)
        it.why =
            error{errc::connection_lost, "the connection was closed before the reply was looked at", executed::yes};
    router.failed(std::move(it.call), std::move(it.why));
}

inline void connection::tell_load(std::uint64_t id) noexcept {
    const auto load = owner_->load();
    if (!load) return;
    try {
        session_->tell_load(id, *load);
    } catch (const std::bad_alloc&) {  // Then it is not told.
    }
}

inline void connection::ask_load_here() noexcept {
    if (closed_ || !session_->is_open()) return;
    try {
        static_cast<void>(session_->ask_load());
    } catch (const std::bad_alloc&) {
        return;
    }
    need_flush();
}

inline void connection::ask_alive_here(std::uint64_t token, time_point since) noexcept {
    if (closed_ || !session_->is_open()) return;
    if (const auto last = session_->last_received(); last > since) return owner_->alive(*this, token, last);
    try {
        session_->ask_alive(token);
    } catch (const std::bad_alloc&) {
        return;
    }
    need_flush();
}

}  // namespace futon::detail
