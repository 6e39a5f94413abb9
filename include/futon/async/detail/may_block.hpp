// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whether a thread may block for a result, or would wait for itself.

#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/result.hpp>

namespace futon::detail {

/// Why this thread may not block until `state` is ready.
[[nodiscard]] inline result<void> may_block_for(operation& state) {
    if (this_thread().may_block) return {};
    bool deadlock = blocking_holds_up_work() || state.needs_this_thread();
    for (auto at = state.upstream(); at && !deadlock; at = at->upstream()) deadlock = at->needs_this_thread();
    if (!deadlock) return {};
    auto* scope = this_thread().scope;
    if (auto* where = state.where() ? state.where().get() : scope ? &scope->where() : nullptr)
        where->reports().would_deadlock_count.fetch_add(1, std::memory_order_relaxed);
    if (state.where() && state.where()->is_left_behind())
        return error{errc::would_deadlock,
                     "this was made before fork(), and its threads run in the parent process only: make clients and "
                     "servers after fork(), in the process that uses them",
                     executed::maybe};
    // Outside of every executor only this thread can run what is held up: it stands in a test's body, as a rule.
    return error{
        errc::would_deadlock,
        scope
            ? "blocking this thread would hold up the work that the result needs: use then(), co_await or a callback, "
              "or futon::blocking_allowed where another thread does that work"
            : "this thread itself runs the work that the result needs: in a simulation nothing runs while you block: "
              "use world.get(...); elsewhere use then(), co_await or a callback, or futon::blocking_allowed where "
              "another thread does that work",
        executed::maybe};
}

}  // namespace futon::detail
