// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a connection takes calls on, refuses them and gives them back to their callers.

#include <futon/transport/detail/connection_class.hpp>

#include <atomic>
#include <new>
#include <utility>

namespace futon::detail {

inline void connection::start(intrusive_ptr<call> which) noexcept {
    arrived_.store(arrived_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    const bool last = !has_inbox();
    if (!starved_ || closed_ || !session_->is_open()) return begin(std::move(which));
    // Calls that were made before it wait for room, which is looked for again when all have arrived.
    if (last) need_flush();
    if (which->over()) return;
    owner_->park(*this, std::move(which));
}

inline void connection::begin(intrusive_ptr<call> which) noexcept {
    if (which->over()) return;
    if (which->cancel_requested.load())
        return which->router().failed(std::move(which),
                                      error{errc::cancelled, "the caller cancelled the call", executed::no});
    if (closed_) return refused(std::move(which), errc::unavailable);
    if (!flush_queued_) now_ = where().now();
    try {
        if (auto started = session_->start(which, now_); !started) [[unlikely]]
            return refused(std::move(which), std::move(started).error());
    } catch (const std::bad_alloc&) {
        return refused(std::move(which), error{errc::resource_exhausted, "out of memory", executed::no});
    }
    need_flush();
}

inline void connection::refused(intrusive_ptr<call> which, error why) noexcept {
    auto& router = which->router();
    if (closed_ || !session_->is_open())
        return router.failed(std::move(which), error{errc::unavailable, "the connection is closing", executed::no});
    if (session_->may_start(which->request)) return router.failed(std::move(which), std::move(why));
    starved_.store(true, std::memory_order_relaxed);
    owner_->park(*this, std::move(which));
}

inline void connection::cancel_here(call& which) noexcept {
    if (!which.router().is_at(which, *this)) return which.router().cancel(which);  // It moved on meanwhile.
    if (which.over() || closed_ || which.id == 0) return;
    auto taken = session_->cancel(which.id, where().now());
    if (!taken.call) return;
    auto& router = taken.call->router();
    router.failed(std::move(taken.call), error{errc::cancelled, "the caller cancelled the call", taken.ran});
    need_flush();
}

}  // namespace futon::detail
