// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs code under a context of its own: with a trace or baggage, with less time, or apart from the request.

#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace futon {

/// What `with_context` changes; all else stays as it is in the current context.
struct context_options {
    /// A W3C `traceparent`, e.g. of `make_trace_parent()`; empty: the current one.
    std::string trace_parent{};
    /// Its `tracestate`; with `trace_parent`.
    std::string trace_state{};
    /// Added to what there is; a key that is there is replaced.
    std::vector<std::pair<std::string, std::string>> baggage{};
    /// Calls must be over by then, or by the current deadline if that is earlier; by the clock of the current executor,
    /// else the real one.
    duration timeout = duration::max();
    /// Neither the current deadline nor its cancellation: for what must outlive the request.
    bool detached = false;
};

/// A context made of the current one, for who runs code under it.
[[nodiscard]] inline context_ptr make_context(const context_options& options) {
    const auto outer = current_context();
    trace_ptr trace = outer ? outer->trace() : nullptr;
    if (!options.trace_parent.empty() || !options.baggage.empty()) {
        const auto made = detail::make_intrusive<request_trace>();
        if (trace) {
            made->parent = trace->parent;
            made->state = trace->state;
            made->baggage = trace->baggage;
        }
        if (!options.trace_parent.empty()) {
            made->parent = options.trace_parent;
            made->state = options.trace_state;
        }
        for (const auto& [key, value] : options.baggage) made->set(key, value);
        trace = made;
    }
    auto deadline = outer && !options.detached ? outer->deadline() : no_deadline;
    if (options.timeout != duration::max()) {
        const auto here = current_executor();
        deadline = std::min(deadline, deadline_after(here ? here->now() : clock::now(), options.timeout));
    }
    return detail::make_intrusive<context>(options.detached ? nullptr : outer, deadline, std::move(trace));
}

/// Runs `f()` at once, under a context made of the current one, and returns what it returns.
///
/// Calls made inside, and all stages and coroutines that begin there, carry on with it. A coroutine that is only made
/// inside, and begins later, does not: have `f` spawn it, or return what it awaits.
template <class F>
decltype(auto) with_context(const context_options& options, F&& f) {
    const auto within = make_context(options);
    const detail::context_scope scope{within.get()};
    return std::invoke(std::forward<F>(f));
}

/// Runs `f()` apart from the current request: what it begins keeps the trace and the baggage, but neither ends with the
/// request nor has its deadline.
template <class F>
decltype(auto) detached(F&& f) {
    return with_context({.detached = true}, std::forward<F>(f));
}

}  // namespace futon
