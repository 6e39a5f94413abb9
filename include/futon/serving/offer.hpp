// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one side offers to those who call it, under which rules, and how much of it is going on.

#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>
#include <futon/core/tally.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/serving/load_meter.hpp>
#include <futon/serving/provide_options.hpp>
#include <futon/wire/limits.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <utility>

namespace futon::detail {

/// How calls that come in are treated.
struct serving_rules {
    limits bounds{};
    bool hide_exception_text = false;
    duration slow_handler = default_slow_handler;
    std::function<void(const served_record&)> on_served{};
};

/// A server's, or that of a client which can be called back. Shared by its connections and the calls that they
/// answer. Thread-safety: safe.
class offer : public ref_counted, public handler_count {
public:
    offer(serving_rules how, intrusive_ptr<diagnostics> reports)
        : rules{std::move(how)}, reports_{std::move(reports)} {}

    const serving_rules rules;
    dispatcher services;

    [[nodiscard]] diagnostics& reports() const noexcept { return *reports_; }

    /// Counts a call in; false where a limit is reached.
    [[nodiscard]] bool begin_call(std::size_t bytes) noexcept {
        const auto open = in_flight_.fetch_add(1, std::memory_order_relaxed) + 1;
        const auto held = in_flight_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        if (open <= rules.bounds.max_server_in_flight && held <= rules.bounds.max_server_in_flight_bytes) return true;
        end_call(bytes);
        return false;
    }
    void end_call(std::size_t bytes) noexcept {
        in_flight_.fetch_sub(1, std::memory_order_relaxed);
        in_flight_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.load(); }

    /// One-way calls that handlers made to their callers, and of which nobody else hears that they did not run.
    void lost_oneways(std::uint64_t count, const error& why) noexcept {
        oneways_lost.fetch_add(count, std::memory_order_relaxed);
        reports_->unhandled(why);
    }

    tally calls;  ///< Each connection counts its own.
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> overloaded{0};
    std::atomic<std::uint64_t> slow{0};
    std::atomic<std::uint64_t> oneways_lost{0};
    load_meter meter;
    /// Stopped when what offers this begins to stop. Without a state where that ends its connections at once.
    std::stop_source draining{std::nostopstate};

    /// What a client that asks is told.
    [[nodiscard]] load_report load(time_point now) noexcept {
        return meter.report(
            in_flight(), [this] { return calls.sum(); }, failed.load(), now);
    }

    /// Handlers queued or running outside the I/O threads; the end of what offers them waits for them.
    void handler_queued() noexcept { handlers_.fetch_add(1, std::memory_order_relaxed); }

protected:
    std::atomic<std::size_t> handlers_{0};

private:
    const intrusive_ptr<diagnostics> reports_;
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> in_flight_bytes_{0};
};

}  // namespace futon::detail
