// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A filter that finds by itself how many calls may be under way at once.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/filter.hpp>
#include <futon/filter/gradient.hpp>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace futon {

/// Refuses calls, with `overloaded`, not executed, while as many are under way as can be without waiting for each
/// other; see `gradient` for how that is found.
///
/// For one method, or for methods that take about the same time: what is long for one is usual for another. A call that
/// failed says nothing of the time. Thread-safety: safe.
class adaptive_limit {
public:
    struct per_call {
        time_point begun{};
    };

    explicit adaptive_limit(const gradient_options& how = {}) noexcept : rule_{how} {}
    adaptive_limit(adaptive_limit&& other) noexcept : rule_{other.rule_} {}

    decision before(filtered_call& call, per_call& kept) {
        kept.begun = call.now();
        const std::lock_guard lock{mutex_};
        if (under_way_ < rule_.limit()) {
            ++under_way_;
            return {};
        }
        return error{errc::overloaded,
                     std::to_string(under_way_) + " calls are under way, as many as adaptive_limit lets be now",
                     executed::no}
            .with_retry_after(hold_back);
    }
    void after(filtered_call& call, call_outcome& how, per_call& kept) {
        const auto time = call.now() - kept.begun;
        const std::lock_guard lock{mutex_};
        if (how.succeeded()) rule_.took(time, under_way_);
        --under_way_;
    }

    /// How many calls may be under way now.
    [[nodiscard]] std::size_t limit() const {
        const std::lock_guard lock{mutex_};
        return rule_.limit();
    }

private:
    static constexpr duration hold_back = std::chrono::milliseconds{100};

    mutable std::mutex mutex_;
    gradient rule_;
    std::size_t under_way_ = 0;
};
static_assert(client_filter<adaptive_limit> && server_filter<adaptive_limit>);

}  // namespace futon
