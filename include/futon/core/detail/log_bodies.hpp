// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of log.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/core/log.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

// What `printf` takes as a length.
[[nodiscard]] inline int as_int(std::string_view text) noexcept {
    return static_cast<int>(std::min<std::size_t>(text.size(), 4096));
}

FUTON_DETAIL_BODY diagnostics::diagnostics() = default;
FUTON_DETAIL_BODY diagnostics::diagnostics(log_sink sink, log_level least, unhandled_error_hook hook)
    : sink_{std::move(sink)}, least_{least}, hook_{std::move(hook)} {}
FUTON_DETAIL_BODY diagnostics::~diagnostics() = default;

FUTON_DETAIL_BODY void diagnostics::log(const log_record& record) noexcept {
    if (record.level < least_) return;
    try {
        if (sink_) {
            sink_(record);
        } else if (may_print(record.kind)) {
            // Where the text does not say it itself.
            const auto where = record.text.find(record.where) == record.text.npos ? record.where : std::string_view{};
            std::fprintf(stderr, "futon %.*s: %.*s%s%.*s\n", as_int(name(record.level)), name(record.level).data(),
                         as_int(record.text), record.text.data(), where.empty() ? "" : ": ", as_int(where),
                         where.data());
        }
    } catch (...) {
        // A sink that throws must not take an I/O thread with it.
    }
}

FUTON_DETAIL_BODY bool diagnostics::is_first(const void* what) noexcept {
    constexpr std::size_t most = 1024;
    try {
        const std::lock_guard lock{mutex_};
        return said_.size() < most && said_.insert(what).second;
    } catch (...) {  // No memory to remember it by.
        return false;
    }
}

FUTON_DETAIL_BODY void diagnostics::unhandled(const error& why) noexcept {
    if (why.is(cond::cancelled)) return;
    unhandled_count.fetch_add(1, std::memory_order_relaxed);
    try {
        if (hook_) return hook_(why);
        const auto text = "a failure that nobody saw: " + why.describe();
        log({.level = log_level::warning, .kind = "unhandled_error", .text = text});
    } catch (...) {
    }
}

FUTON_DETAIL_BODY bool diagnostics::may_print(std::string_view kind) {
    const auto now = clock::now();
    const std::lock_guard lock{mutex_};
    auto found = last_.find(kind);
    if (found == last_.end()) {
        if (last_.size() >= 256) return false;
        last_.emplace(std::string{kind}, now);
        return true;
    }
    if (now - found->second < std::chrono::seconds{1}) return false;
    found->second = now;
    return true;
}

FUTON_DETAIL_BODY diagnostics& default_reports() noexcept {
    static diagnostics reports;
    return reports;
}

}  // namespace futon::detail
