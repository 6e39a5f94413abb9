// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where futon reports what no caller can be told. Never payloads, never secrets.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace futon {

enum class log_level : std::uint8_t { debug, info, warning, error };

[[nodiscard]] constexpr std::string_view name(log_level level) noexcept {
    constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(level)];
}

/// One report. Views are valid while the sink runs.
struct log_record {
    log_level level = log_level::info;
    std::string_view kind{};   ///< A fixed word for what happened, e.g. "connection_lost"; made for counting.
    std::string_view text{};   ///< Words for a person.
    std::string_view where{};  ///< The address or method that it is about; may be empty.
};

/// Receives reports. Called from any thread, several at once; must not block for long. What it throws is dropped.
using log_sink = std::function<void(const log_record&)>;
/// Receives the error of a future that failed with nobody to see it. Same rules as for a log sink.
using unhandled_error_hook = std::function<void(const error&)>;

/// What went wrong where no call could tell its caller; see `runtime::stats`.
struct runtime_stats {
    std::uint64_t unhandled_errors = 0;        ///< Failures that nobody looked at, cancellations left out.
    std::uint64_t rejected_continuations = 0;  ///< Continuations that their executor refused.
    std::uint64_t would_deadlock = 0;          ///< Times that a thread was kept from blocking on itself.
};

namespace detail {

/// What the executors of one runtime share: the sink, the hook and the counters behind them.
///
/// Thread-safety: safe.
class diagnostics final : public ref_counted {
public:
    diagnostics();
    diagnostics(log_sink sink, log_level least, unhandled_error_hook hook);
    FUTON_DETAIL_BODY ~diagnostics() override;

    void log(const log_record& record) noexcept;

    /// For what is said once: true the first time for each object or function, which is told by its address.
    [[nodiscard]] bool is_first(const void* what) noexcept;

    /// Reports a failure that nobody looked at; cancellations are expected and stay silent.
    void unhandled(const error& why) noexcept;

    [[nodiscard]] runtime_stats counted() const noexcept {
        return {unhandled_count.load(), rejected_count.load(), would_deadlock_count.load()};
    }

    std::atomic<std::uint64_t> unhandled_count{0};
    std::atomic<std::uint64_t> rejected_count{0};
    std::atomic<std::uint64_t> would_deadlock_count{0};

private:
    // At most one line per second and kind reaches stderr.
    bool may_print(std::string_view kind);

    log_sink sink_;
    log_level least_ = log_level::warning;
    unhandled_error_hook hook_;
    std::mutex mutex_;
    std::map<std::string, time_point, std::less<>> last_;
    std::set<const void*> said_;
};

/// For what belongs to no executor: warnings go to stderr.
[[nodiscard]] diagnostics& default_reports() noexcept;

}  // namespace detail
}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/log_bodies.hpp>
#endif
