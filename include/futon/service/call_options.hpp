// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a single call may say for itself, on top of its client's options.

#include <futon/core/executor.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/any_filter.hpp>
#include <futon/message/hash_key.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/route.hpp>

#include <optional>
#include <string>

namespace futon {

/// For `stub.with({.timeout = 50ms})`; where that alone is said, `stub.with(50ms)` will do. What is not given keeps the
/// value of the stub that `with` is called on.
struct call_options {
    /// Time for the call, all attempts included; zero: it fails at once; `duration::max()`: no deadline. A call with
    /// streams has none unless it is given here; what the method and the client say bounds its acceptance.
    std::optional<duration> timeout{};
    std::optional<time_point> deadline{};  ///< The same as a point in time; the earlier of both counts.
    /// Added to the stub's own; travels to the handler. Keys are case-sensitive, of up to 128 bytes, values of up to
    /// 8 KiB. What comes back is had by `with_reply_headers`.
    metadata headers{};
    std::string hash_key{};  ///< Calls of one key prefer one endpoint; empty: none.
    /// Which providers come into question; empty: all. See `client_options::routers`.
    futon::route route{};
    executor_ref on{};  ///< Where continuations run; null: the client's callback executor.
    /// With streams: the longest silence of a peer that could send; not given: any.
    std::optional<duration> idle_timeout{};
    std::optional<bool> wait_for_ready{};  ///< Waits out reconnection instead of failing while it backs off.
    /// Instead of what the method, the registry and the client say; `futon::failfast`: one attempt.
    std::optional<exponential_backoff> retry{};
    std::optional<hedging> hedge{};  ///< The same for attempts beside one that is slow.
    /// What calls pass, within the filters of the client and of the stub that `with` is called on.
    client_filters filters{};
};

namespace detail {

/// `more` laid over `base`.
[[nodiscard]] inline call_options combine(call_options base, const call_options& more) {
    if (more.timeout) base.timeout = more.timeout;
    if (more.idle_timeout) base.idle_timeout = more.idle_timeout;
    if (more.deadline) base.deadline = more.deadline;
    for (const auto& [key, value] : more.headers) base.headers.set(key, value);
    if (!more.hash_key.empty()) base.hash_key = more.hash_key;
    if (!more.route.empty()) base.route = more.route;
    if (more.on) base.on = more.on;
    if (more.wait_for_ready) base.wait_for_ready = more.wait_for_ready;
    if (more.retry) base.retry = more.retry;
    if (more.hedge) base.hedge = more.hedge;
    base.filters.insert(base.filters.end(), more.filters.begin(), more.filters.end());
    return base;
}

}  // namespace detail
}  // namespace futon
