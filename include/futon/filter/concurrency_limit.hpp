// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A filter that lets so many calls be under way at once.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/filter.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace futon {

/// How many calls a `concurrency_limit` lets be under way at once.
struct concurrency_limit_options {
    /// Calls under way; zero: none.
    std::size_t most = 100;
    /// What callers that are refused are asked to wait; zero: nothing.
    duration retry_after = std::chrono::milliseconds{100};
};

/// Refuses calls while `most` are under way, with `overloaded`, not executed.
///
/// On a server a call counts until its handler has answered, also where its caller has given up; on a client until it
/// is over. One limit for all that passes it: list one in `method_filters` for each method that has its own, or wrap it
/// in `per_method`. Thread-safety: safe.
class concurrency_limit {
public:
    explicit concurrency_limit(const concurrency_limit_options& how) noexcept : how_{how} {}
    concurrency_limit(concurrency_limit&& other) noexcept : how_{other.how_} {}

    decision before(filtered_call&) {
        if (under_way_.fetch_add(1, std::memory_order_relaxed) < how_.most) return {};
        under_way_.fetch_sub(1, std::memory_order_relaxed);
        return error{errc::overloaded,
                     std::to_string(how_.most) + " calls are under way, as many as concurrency_limit lets be",
                     executed::no}
            .with_retry_after(how_.retry_after);
    }
    void after(filtered_call&, call_outcome&) noexcept { under_way_.fetch_sub(1, std::memory_order_relaxed); }

    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.load(std::memory_order_relaxed); }

private:
    const concurrency_limit_options how_;
    std::atomic<std::size_t> under_way_{0};
};
static_assert(client_filter<concurrency_limit> && server_filter<concurrency_limit>);

}  // namespace futon
