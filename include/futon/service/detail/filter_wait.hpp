// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that waits for what one of its filters waits for: until that is there, or the call has no more time for it.

#include <futon/async/cancel_handle.hpp>
#include <futon/core/bodies.hpp>
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

/// Tells what is waited for to give up when the caller does, when the call's time is up, or when its client is closed.
/// The call then still waits for the filter to end, so that nothing uses the call behind its back.
///
/// Thread-safety: `cancel` and `fire` are safe, the rest is for whoever waits.
class filter_wait final : public cancellable, public timer, public recycled {
public:
    filter_wait(cancel_handle what, executor_ref where) noexcept;
    FUTON_DETAIL_BODY ~filter_wait() override;

    /// Follow with `end`.
    void begin(time_point deadline, const std::stop_token& closing);
    /// The filter has said its word. In whatever thread it was.
    void end() noexcept;

    FUTON_DETAIL_BODY void cancel() noexcept override;
    FUTON_DETAIL_BODY void fire(bool due) noexcept override;

    /// Why it was told to give up, if it was.
    [[nodiscard]] std::optional<error> why() const;

private:
    enum class reason : std::uint8_t { none, cancelled, expired, closed };
    struct closed {
        filter_wait* which;
        void operator()() const noexcept { which->give_up(reason::closed); }
    };

    void give_up(reason why) noexcept;

    const cancel_handle what_;
    const executor_ref where_;
    std::atomic<reason> why_{reason::none};
    bool armed_ = false;
    std::optional<std::stop_callback<closed>> closing_;
};

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/filter_wait_bodies.hpp>
#endif
