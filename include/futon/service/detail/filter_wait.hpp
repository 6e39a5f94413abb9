// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that waits for what one of its filters waits for: until that is there, or the call has no more time for it.

#include <futon/async/cancel_handle.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

namespace futon::detail {

/// Tells what is waited for to give up when the caller does, when the call's time is up, or when its client is closed. The
/// call then still waits for the filter to end, so that nothing uses the call behind its back.
///
/// Thread-safety: `cancel` and `fire` are safe, the rest is for whoever waits.
class filter_wait final : public cancellable, public timer, public recycled {
public:
    filter_wait(cancel_handle what, executor_ref where) noexcept : what_{std::move(what)}, where_{std::move(where)} {}

    /// Follow with `end`.
    void begin(time_point deadline, const std::stop_token& closing) {
        if (deadline != no_deadline) {
            add_ref();
            try {
                where_->arm(*this, deadline);
            } catch (...) {
                release();
                throw;
            }
            armed_ = true;
        }
        if (closing.stop_possible()) closing_.emplace(closing, closed{this});
    }
    /// The filter has said its word. In whatever thread it was.
    void end() noexcept {
        closing_.reset();
        if (armed_ && where_->disarm(*this)) release();
    }

    void cancel() noexcept override { give_up(reason::cancelled); }
    void fire(bool due) noexcept override {
        const auto keep = intrusive_ptr<filter_wait>::adopt(this);
        give_up(due ? reason::expired : reason::closed);
    }

    /// Why it was told to give up, if it was.
    [[nodiscard]] std::optional<error> why() const {
        switch (why_.load(std::memory_order_acquire)) {
            case reason::none: return std::nullopt;
            case reason::cancelled: return error{errc::cancelled, "the caller cancelled the call", executed::no};
            case reason::expired: return error{errc::deadline_exceeded, "the call's time ran out while a filter waited", executed::no};
            case reason::closed: return error{errc::client_closed, "the client was closed", executed::no};
        }
        return std::nullopt;
    }

private:
    enum class reason : std::uint8_t { none, cancelled, expired, closed };
    struct closed {
        filter_wait* which;
        void operator()() const noexcept { which->give_up(reason::closed); }
    };

    void give_up(reason why) noexcept {
        const intrusive_ptr<filter_wait> keep{this};  // What waits may go on in here, where its executor refuses.
        auto none = reason::none;
        if (why_.compare_exchange_strong(none, why, std::memory_order_acq_rel)) what_.cancel();
    }

    const cancel_handle what_;
    const executor_ref where_;
    std::atomic<reason> why_{reason::none};
    bool armed_ = false;
    std::optional<std::stop_callback<closed>> closing_;
};

}  // namespace futon::detail
