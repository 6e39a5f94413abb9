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

inline void connection::read() noexcept {
    if (reading_ || closed_ || !session_->reading_allowed() || session_->has_more()) return;
    try {
        const auto room = std::max(session_->wanted(), read_size_ - std::min(read_size_ - 1, input_.size()));
        auto into = input_.prepare(room);
        into = into.first(std::min(into.size(), largest_read));
        offered_ = into.size();
        reading_ = true;
        stream_->read_some(into, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        lose(error{errc::resource_exhausted, "out of memory for the receive buffer"});
    }
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
        return lose(error{errc::connection_lost,
                          code == asio::error::eof ? "the peer closed the connection" : "reading failed: " + code.message()});
    }
    input_.commit(count);
    if (count >= offered_) read_size_ = std::min(read_size_ * 4, largest_read);
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
    if (session_->has_more()) {
        add_ref();
        if (!where().post(more_)) release();
    }
    need_flush();
}

// What is completed runs before the next event is looked at: so a value is used while it is warm, and its memory is free
// again for the next. It may also end this connection.
inline void connection::handle(std::span<event> events) noexcept {
    const auto owner = owner_;
    auto* const scope = this_thread().scope;
    const bool drains = scope && scope->inside(where());
    for (auto& it : events) {
        if (closed_) {
            handle_closed(it, *owner);
        } else {
            handle(it);
        }
        if (drains && (it.what == event::kind::reply || it.what == event::kind::failed)) scope->drain_between();
    }
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
            write(true);
            lose(why, ending::linger);
            break;
        }
    }
}

// The connection was closed by what an event before this one completed. Its owner has heard of the end already.
void connection::handle_closed(event& it, connection_owner& owner) noexcept {
    it.streams = nullptr;
    if (it.what == event::kind::cancelled) return owner.cancelled(*this, it.id, session_->tag(it.id));
    if (!it.call) return;
    auto& router = it.call->router();
    if (it.what == event::kind::reply) it.why = error{errc::connection_lost, "the connection was closed before the reply was looked at", executed::yes};
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

inline void connection::ask_load() noexcept {
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
