// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When a silent, slow, stalled or idle peer has been waited for long enough.

#include <futon/core/time.hpp>
#include <futon/wire/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace futon::detail {

/// Pure: it is told what happens and when, and says what is due. Times of zero in the limits turn a check off.
class peer_watch {
public:
    enum class verdict : std::uint8_t { nothing, send_ping, dead, no_header, slow_frame, stalled, idle };

    /// What the session knows and the watch does not.
    struct situation {
        bool ready = false;     ///< The peer's preface came.
        bool reading = true;    ///< This side reads; what it does not read proves no silence.
        bool partial = false;   ///< A frame has begun and is not complete.
        bool stalling = false;  ///< So much is unsent that it matters whether the peer reads.
        bool may_idle = false;  ///< No calls, and this side ends idle connections.
    };

    peer_watch(const limits& bounds, time_point now) noexcept : bounds_{&bounds}, begun_{now}, received_{now} {}

    /// After `count` bytes came; at their end stands a frame that is still incomplete (`partial`), which began with
    /// them (`new_frame`) or before.
    void received(time_point now, std::size_t count, bool partial, bool new_frame) noexcept {
        if (count > 0) {
            received_ = now;
            pinged_.reset();
        }
        if (!partial) {
            frame_since_.reset();
        } else if (new_frame || !frame_since_) {
            frame_since_ = now;
            frame_bytes_ = 0;
        } else {
            frame_bytes_ += count;
        }
    }
    void pinged(time_point now) noexcept {
        pinged_ = now;
        forgiven_ = false;
    }
    /// Reading begins again after a pause: the silence was our own.
    void resumed(time_point now) noexcept {
        received_ = now;
        pinged_.reset();
        if (frame_since_) frame_since_ = now;
        frame_bytes_ = 0;
    }
    [[nodiscard]] time_point last_received() const noexcept { return received_; }
    void wrote() noexcept { stalled_since_.reset(); }
    void active() noexcept { idle_since_.reset(); }
    /// Notes since when things are as they are.
    void observe(const situation& is, time_point now) noexcept {
        if (!is.stalling) stalled_since_.reset();
        if (is.stalling && !stalled_since_) stalled_since_ = now;
        if (!is.may_idle) idle_since_.reset();
        if (is.may_idle && !idle_since_) idle_since_ = now;
    }

    /// When `check` may have something to say. A stall that nobody has observed yet is due at once.
    [[nodiscard]] time_point next(const situation& is) const noexcept { return earliest(is).due; }
    /// What is due now, one thing at a time.
    [[nodiscard]] verdict check(const situation& is, time_point now) noexcept;

private:
    static constexpr duration frame_window = std::chrono::seconds{10};
    static constexpr duration tolerated_delay = std::chrono::milliseconds{10};

    struct item {
        time_point due = no_deadline;
        verdict what = verdict::nothing;
    };
    [[nodiscard]] item earliest(const situation& is) const noexcept;

    const limits* bounds_;
    time_point begun_;
    time_point received_;
    std::optional<time_point> pinged_;
    std::optional<time_point> frame_since_;
    std::optional<time_point> stalled_since_;
    std::optional<time_point> idle_since_;
    std::size_t frame_bytes_ = 0;
    bool forgiven_ = false;
};

inline peer_watch::item peer_watch::earliest(const situation& is) const noexcept {
    item first;
    const auto consider = [&](time_point since, duration after, verdict what) {
        if (after <= duration::zero()) return;
        if (const auto due = deadline_after(since, after); due < first.due) first = {due, what};
    };
    if (is.stalling && bounds_->write_stall_time > duration::zero())
        consider(stalled_since_.value_or(time_point{}), stalled_since_ ? bounds_->write_stall_time : duration{1},
                 verdict::stalled);
    if (is.reading) {
        if (!is.ready) consider(begun_, bounds_->first_header_time, verdict::no_header);
        if (is.ready && !pinged_) consider(received_, bounds_->heartbeat_after, verdict::send_ping);
        if (pinged_) consider(*pinged_, bounds_->heartbeat_timeout, verdict::dead);
        if (is.partial && is.ready && frame_since_ && bounds_->min_frame_rate > 0)
            consider(*frame_since_, frame_window, verdict::slow_frame);
    }
    if (is.may_idle && idle_since_) consider(*idle_since_, bounds_->idle_close, verdict::idle);
    return first;
}

inline peer_watch::verdict peer_watch::check(const situation& is, time_point now) noexcept {
    observe(is, now);
    for (;;) {
        const auto [due, what] = earliest(is);
        if (due > now) return verdict::nothing;
        if (what == verdict::dead && !forgiven_ && now - due > tolerated_delay) {
            // This side slept past the time itself: what the peer sent may not have been read yet.
            pinged_ = now;
            forgiven_ = true;
            continue;
        }
        if (what == verdict::slow_frame) {
            const auto seconds =
                static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::seconds>(frame_window).count());
            if (frame_bytes_ / seconds >= bounds_->min_frame_rate) {
                frame_since_ = now;
                frame_bytes_ = 0;
                continue;
            }
        }
        return what;
    }
}

}  // namespace futon::detail
