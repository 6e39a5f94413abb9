// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What follows the code of one request: its deadline, its cancellation, its trace and its baggage. Calls made under it
/// inherit all of them.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>
#include <futon/core/trace.hpp>

#include <atomic>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

namespace futon {

/// The circumstances of the request that is being worked on. `with_context` and `detached` make others out of it.
///
/// Thread-safety: safe. `stop_token()` makes its shared state when it is first asked for.
class context : public detail::ref_counted {
public:
    context() = default;
    explicit context(time_point deadline) noexcept : deadline_{deadline} {}
    /// One within `outer`, which stops when that does; null: one of its own.
    context(detail::intrusive_ptr<const context> outer, time_point deadline, trace_ptr trace) noexcept
        // To the one that has the stop, so that no chain of them grows.
        : outer_{outer && outer->outer_ ? outer->outer_ : std::move(outer)},
          deadline_{deadline},
          trace_{std::move(trace)} {}
    ~context() override { delete source_.load(std::memory_order_acquire); }

    /// When the request's time is up; `no_deadline` if it has none.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    /// Fires when the caller gives up, its connection is lost, or the server ends.
    [[nodiscard]] std::stop_token stop_token() const { return outer_ ? outer_->stop_token() : source().get_token(); }
    [[nodiscard]] bool stop_requested() const noexcept {
        return outer_ ? outer_->stop_requested() : stopped_.load(std::memory_order_acquire);
    }
    /// The trace that the request belongs to, as a W3C `traceparent`; empty if none. Valid as long as this.
    [[nodiscard]] std::string_view trace_parent() const noexcept {
        return trace_ ? std::string_view{trace_->parent} : "";
    }
    /// A value that some service on the request's way has set for all after it. Valid as long as this.
    [[nodiscard]] std::optional<std::string_view> baggage(std::string_view key) const noexcept {
        return trace_ ? trace_->find(key) : std::nullopt;
    }
    /// Both of these, and what belongs to them; null if there is nothing.
    [[nodiscard]] const trace_ptr& trace() const noexcept { return trace_; }
    /// Runs the registered stop callbacks on this thread. Repeated requests do nothing.
    /// One that stands within another has no stop of its own.
    void request_stop() noexcept {
        stopped_.store(true, std::memory_order_seq_cst);
        if (auto* made = source_.load(std::memory_order_seq_cst)) made->request_stop();
    }

protected:
    void set_deadline(time_point deadline) noexcept { deadline_ = deadline; }
    void set_trace(trace_ptr trace) noexcept { trace_ = std::move(trace); }

private:
    std::stop_source& source() const {
        if (auto* made = source_.load(std::memory_order_acquire)) return *made;
        auto* fresh = new std::stop_source;
        std::stop_source* expected = nullptr;
        if (!source_.compare_exchange_strong(expected, fresh, std::memory_order_seq_cst)) {
            delete fresh;
            return *expected;
        }
        // A request that came before the source was visible could not reach it.
        if (stopped_.load(std::memory_order_seq_cst)) fresh->request_stop();
        return *fresh;
    }

    const detail::intrusive_ptr<const context> outer_;
    time_point deadline_ = no_deadline;
    trace_ptr trace_;
    std::atomic<bool> stopped_{false};
    mutable std::atomic<std::stop_source*> source_{nullptr};
};

using context_ptr = detail::intrusive_ptr<context>;

}  // namespace futon
