// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What becomes known of a channel's calls when they end: counters, and the client's hook.

#include <futon/client/client_options.hpp>
#include <futon/core/error.hpp>
#include <futon/core/log.hpp>
#include <futon/message/call.hpp>
#include <futon/message/metadata.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>

namespace futon::detail {

/// Thread-safety: safe.
class call_books {
public:
    /// Both outlive it.
    call_books(const client_options& options, diagnostics& reports) noexcept : options_{options}, reports_{reports} {}

    [[nodiscard]] bool has_hook() const noexcept { return static_cast<bool>(options_.on_call); }
    void succeeded() noexcept { succeeded_.fetch_add(1, std::memory_order_relaxed); }
    void failed(std::uint64_t count = 1) noexcept { failed_.fetch_add(count, std::memory_order_relaxed); }
    void retried() noexcept { retries_.fetch_add(1, std::memory_order_relaxed); }

    /// Tells the hook of a call that is over. Only where there is one, so that nobody else asks for the time.
    void report(const call& which, std::string_view peer, const error* failure, const metadata* headers,
                time_point now) const noexcept {
        try {
            options_.on_call({.method = *which.request.method,
                              .peer = peer,
                              .failure = failure,
                              .attempts = which.attempts,
                              .total = now - which.started,
                              .times = which.times,
                              .headers = headers});
        } catch (...) {
            reports_.log(
                {.level = log_level::error, .kind = "hook_threw", .text = "on_call threw; its exception was dropped"});
        }
    }
    void add_to(client_stats& sum) const noexcept {
        sum.succeeded += succeeded_.load();
        sum.failed += failed_.load();
        sum.retries += retries_.load();
    }

private:
    const client_options& options_;
    diagnostics& reports_;
    std::atomic<std::uint64_t> succeeded_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> retries_{0};
};

}  // namespace futon::detail
