// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Decides whether work that has waited in a queue is still worth doing. Pure: time is an argument.

#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>

namespace futon {

/// When a queue counts as standing; see `queue_delay`.
struct queue_delay_options {
    /// A wait that is well.
    duration target = std::chrono::milliseconds{5};
    /// A queue in which nothing waited less for that long is a standing one.
    duration interval = std::chrono::milliseconds{100};
};

/// Controlled delay: a queue that empties now and then only evens out bursts, whatever some wait in it; in one that
/// stands, what has waited more than twice the target is dropped, so that the rest is done in time.
///
/// Unlike the original for routers it does not space its drops: each dropped call frees the whole time of its handler.
/// Source: Nichols and Jacobson, "Controlling Queue Delay"; folly's Codel. Thread-safety: one thread at a time.
class queue_delay {
public:
    explicit queue_delay(const queue_delay_options& how = {}) noexcept : how_{how} {}

    /// Of what is taken out of the queue at `now` after it has waited so long.
    [[nodiscard]] bool drops(duration waited, time_point now) noexcept {
        if (now >= interval_ends_) {
            // Nothing at all was seen for long: what stood then says nothing about now.
            standing_ = now < interval_ends_ + how_.interval && least_ > how_.target;
            interval_ends_ = now + how_.interval;
            least_ = waited;
        } else {
            least_ = std::min(least_, waited);
        }
        return standing_ && waited > 2 * how_.target;
    }
    [[nodiscard]] bool is_standing() const noexcept { return standing_; }

private:
    queue_delay_options how_;
    time_point interval_ends_{};
    duration least_{};  // Of this interval.
    bool standing_ = false;
};

}  // namespace futon
