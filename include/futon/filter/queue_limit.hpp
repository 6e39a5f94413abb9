// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A server's filter that drops calls which have waited for their handler too long, while the queue does not empty.

#include <futon/core/error.hpp>
#include <futon/filter/filter.hpp>
#include <futon/filter/queue_delay.hpp>

#include <mutex>

namespace futon {

/// Answers calls in a standing queue with `overloaded`, not
/// executed, when their turn comes; see `queue_delay` for which.
///
/// For handlers on the pool or on another executor, whose queue is bounded anyway (`limits.max_queued_handlers`): a
/// queue of a thousand calls of 10 ms is ten seconds long, and its callers gave up long before. Calls whose own time is
/// over are dropped with or without it. One queue per instance: list it once for all methods that share a pool.
/// Thread-safety: safe.
class queue_limit {
public:
    explicit queue_limit(const queue_delay_options& how = {}) noexcept : how_{how}, rule_{how} {}
    queue_limit(queue_limit&& other) noexcept : how_{other.how_}, rule_{other.rule_} {}

    decision starting(server_call& call) {
        const auto now = call.now();
        const auto waited = now - call.started();
        {
            const std::lock_guard lock{mutex_};
            if (!rule_.drops(waited, now)) return {};
        }
        return error{errc::overloaded, "waited too long for its handler, in a queue that does not empty (queue_limit)",
                     executed::no}
            .with_retry_after(how_.interval);
    }

private:
    const queue_delay_options how_;
    std::mutex mutex_;
    queue_delay rule_;
};
static_assert(server_filter<queue_limit>);

}  // namespace futon
