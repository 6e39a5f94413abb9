// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The alarm of a connection and its end.

#include <futon/transport/detail/connection_class.hpp>

#include <new>
#include <utility>

namespace futon::detail {

inline void connection::ring(bool due) noexcept {
    armed_for_ = no_deadline;
    if (closed_) return stop_lingering();
    if (!due) return lose(error{errc::connection_lost, "the executor of the connection has ended"});
    now_ = where().now();
    try {
        handle(session_->advance(now_));
    } catch (const std::bad_alloc&) {
        return lose(error{errc::resource_exhausted, "out of memory"});
    }
    need_flush();
}

inline void connection::set_alarm() noexcept {
    if (const auto due = session_->next_wakeup(); due && *due < armed_for_) arm(*due);
}

inline void connection::arm(time_point due) noexcept {
    if (armed_for_ == no_deadline) add_ref();
    armed_for_ = due;
    where().arm(alarm_, due);
}

inline void connection::disarm() noexcept {
    if (armed_for_ == no_deadline || !where().disarm(alarm_)) return;
    armed_for_ = no_deadline;
    release();
}

// Closing while bytes wait to be read makes the system reset the connection, and the peer may then lose what
// was written last: the goodbye, the last replies. So what still comes is read, for a while, and dropped.
inline void connection::linger() noexcept {
    if (reading_) return;
    try {
        input_.clear();
        reading_ = true;
        stream_->read_some(input_.prepare(dropped_read).first(dropped_read), *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        reading_ = false;
        stop_lingering();
    }
}

inline void connection::stop_lingering() noexcept {
    if (!std::exchange(lingering_, false)) return;
    stream_->close();
    held_ = nullptr;
    disarm();
}

inline void connection::lose(const error& why, ending how) noexcept {
    if (std::exchange(closed_, true)) return;
    disarm();
    if (how == ending::linger) {
        lingering_ = true;
        if (!writing_) stream_->shutdown_write();
        arm(where().now() + linger_time);
        linger();
    } else {
        stream_->close();
        held_ = nullptr;
    }
    const auto owner = owner_;
    // What is made again at once must not come back here: until the owner knows of the end it asks for room first.
    starved_.store(true, std::memory_order_relaxed);
    for (auto& it : session_->lose_connection(why)) {
        if (it.what == event::kind::failed) {
            auto& router = it.call->router();
            router.failed(std::move(it.call), std::move(it.why));
        } else if (it.what == event::kind::cancelled) {
            owner->cancelled(*this, it.id, session_->tag(it.id));
        } else if (it.what == event::kind::oneways_lost) {
            owner->oneways_lost(*this, it.id, it.why);
        }
    }
    want_room_.clear();
    publish_stats();
    owner->closed(*this, why);
    owner_ = nullptr;
}

}  // namespace futon::detail
