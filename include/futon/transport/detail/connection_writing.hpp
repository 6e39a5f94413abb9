// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a connection writes: what one turn of its executor made leaves at its end, or at once where it is much.

#include <futon/transport/detail/connection_class.hpp>

#include <asio/error.hpp>

#include <cassert>
#include <cstddef>
#include <system_error>
#include <utility>

namespace futon::detail {

inline void connection::need_flush() noexcept {
    if (closed_) return;
    if (!std::exchange(flush_queued_, true)) {
        add_ref();
        if (auto* scope = this_thread().scope; scope && scope->inside(where())) {
            scope->push_last(flush_);
        } else {
            schedule(where(), flush_);
        }
    }
    if (!writing_ && !out_of_memory_ && session_->wants_flush()) write(false);
}

inline void connection::flush(bool accepted) noexcept {
    flush_queued_ = false;
    if (closed_) return;
    if (!accepted) return lose(error{errc::connection_lost, "the executor of the connection has ended"});
    if (out_of_memory_) return lose(errc::resource_exhausted);
    if (!writing_) write(true);
    if (closed_) return;
    if (session_->is_draining() && session_->drained() && !writing_)
        return lose(error{errc::unavailable, "the connection was drained", executed::no}, ending::linger);
    if (!session_->is_open() && session_->drained() && !writing_)
        return lose(error{errc::unavailable, "the peer said goodbye", executed::no});
    if (starved_ && session_->is_open()) {
        starved_ = false;
        if (owner_->room(*this)) starved_ = true;
    }
    if (!want_room_.empty()) offer_room();
    set_alarm();
    if (!handling_ && session_->rest(now_)) rest();
    parse_more();
    read();
    publish_stats();
}

// Not while a write is under way: it would take the same bytes once more.
inline void connection::write(bool try_first) noexcept {
    assert(!writing_);
    try {
        auto pieces = session_->to_send();
        if (pieces.empty()) return;
        if (try_first) {
            std::error_code code;
            const auto count = stream_->try_write(pieces, code);
            if (count > 0) session_->sent(count, now_);
            if (code && code != asio::error::would_block && code != asio::error::try_again)
                return lose(error{errc::connection_lost, "writing failed: " + code.message()});
            pieces = session_->to_send();
            if (pieces.empty()) return;
        }
        writing_ = true;
        stream_->write_some(pieces, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        writing_ = false;
        close(error{errc::resource_exhausted, "out of memory while writing"});
    }
}

inline void connection::on_written(std::error_code code, std::size_t count) noexcept {
    running_scope scope{where()};
    writing_ = false;
    if (lingering_) return code ? stop_lingering() : write_the_rest(count);
    if (closed_) return;
    now_ = where().now();
    if (code) return lose(error{errc::connection_lost, "writing failed: " + code.message()});
    session_->sent(count, now_);
    need_flush();
}

// Of a connection that is closed already: the answers that were given, and why it ends.
inline void connection::write_the_rest(std::size_t just_written) noexcept {
    try {
        session_->sent(just_written, where().now());
        const auto pieces = session_->to_send();
        if (pieces.empty()) return stream_->shutdown_write();
        writing_ = true;
        stream_->write_some(pieces, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {  // Out of memory.
        writing_ = false;
        stop_lingering();
    }
}

}  // namespace futon::detail
