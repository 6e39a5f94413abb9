// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A filter that lets so many calls a second through.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/filter.hpp>
#include <futon/filter/token_bucket.hpp>

#include <mutex>
#include <utility>

namespace futon {

/// How many calls a second a `rate_limit` lets through.
struct rate_limit_options {
    double per_second = 1000;  ///< In the long run.
    double burst = 100;        ///< At once after a quiet time; at least 1.
};

/// Refuses what is more than `per_second`, with `overloaded`, not executed, and how long until there is room again.
///
/// On a server and on a client. One limit for all that passes it: list one in `method_filters` for each method that has
/// its own, or wrap it in `per_method`. Thread-safety: safe.
class rate_limit {
public:
    /// Errors: throws `rpc_error` with `bad_arguments` for a rate that is not more than zero.
    explicit rate_limit(const rate_limit_options& how) : bucket_{how.per_second, how.burst} {
        if (!(how.per_second > 0))
            error{errc::bad_arguments, "rate_limit: .per_second must be more than zero", executed::no}.raise();
    }
    rate_limit(rate_limit&& other) noexcept : bucket_{other.bucket_} {}

    decision before(filtered_call& call) {
        duration wait{};
        {
            const std::lock_guard lock{mutex_};
            wait = bucket_.take(call.now());
        }
        if (wait == duration{}) return {};
        return error{errc::overloaded, "more calls a second than rate_limit lets through", executed::no}
            .with_retry_after(wait);
    }

private:
    std::mutex mutex_;
    token_bucket bucket_;
};
static_assert(client_filter<rate_limit> && server_filter<rate_limit>);

}  // namespace futon
