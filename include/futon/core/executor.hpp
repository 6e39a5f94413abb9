// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where continuations run: the executor interface, and what each thread knows about where it is.

#include <futon/core/context.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>
#include <futon/core/rough_time.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>
#include <futon/core/work.hpp>

#include <utility>

namespace futon {

/// A place where work runs: an I/O thread, a pool, or an executor of the user's.
///
/// Users hold it by `executor_ref`, and make one from any Asio executor with `make_executor`.
/// Thread-safety: safe.
class executor : public detail::ref_counted {
public:
    /// Queues `item`; it runs later, never inside this call. False if it was refused: it is then not
    /// queued, and its owner completes it with `errc::executor_rejected`.
    [[nodiscard]] virtual bool post(detail::work& item) noexcept = 0;
    /// Whether blocking this thread would hold up this executor's only threads.
    [[nodiscard]] virtual bool blocked_by_this_thread() const noexcept = 0;
    /// Whether its threads are those of the process that this one was forked from: nothing runs here any more.
    [[nodiscard]] virtual bool is_left_behind() const noexcept { return false; }
    /// Whether it is the user who runs it, so that perhaps nobody does.
    [[nodiscard]] virtual bool may_stand_still() const noexcept { return false; }
    /// Whether it runs one thing at a time.
    [[nodiscard]] virtual bool is_serial() const noexcept { return false; }
    /// The `asio::execution_context` on which coroutines of Asio make their timers and sockets; null if
    /// there is none. Untyped, so that this header needs no Asio.
    [[nodiscard]] virtual void* asio_context() noexcept { return nullptr; }
    [[nodiscard]] virtual time_point now() const noexcept { return clock::now(); }
    /// The same to within a tick of the system, where that is cheaper.
    [[nodiscard]] virtual detail::rough_time rough_now() const noexcept { return detail::exactly(now()); }
    /// Fires `t` at `due`, inside this executor or its helper: never early, and never from in here, however late it is.
    /// Arming again moves it. False: this has ended, and `t` will not fire.
    [[nodiscard]] virtual bool try_arm(detail::timer& t, time_point due) = 0;
    /// The same, but an executor that has ended fires it here, as not due: not for who holds a lock.
    void arm(detail::timer& t, time_point due) {
        if (!try_arm(t, due)) t.fire(false);
    }
    /// True if `t` was armed and will not fire; false if it fires now or has fired.
    virtual bool disarm(detail::timer& t) noexcept = 0;
    /// Where failures that nobody sees are reported.
    [[nodiscard]] detail::diagnostics& reports() const noexcept { return *reports_; }
    [[nodiscard]] const detail::intrusive_ptr<detail::diagnostics>& shared_reports() const noexcept { return reports_; }

protected:
    explicit executor(detail::intrusive_ptr<detail::diagnostics> reports) noexcept : reports_{std::move(reports)} {}

private:
    detail::intrusive_ptr<detail::diagnostics> reports_;
};

using executor_ref = detail::intrusive_ptr<executor>;

namespace detail {

/// Arms `t` where nothing may throw, and with a lock held. False: it will not fire.
[[nodiscard]] inline bool will_fire(executor& where, timer& t, time_point due) noexcept {
    try {
        return where.try_arm(t, due);
    } catch (...) {
        return false;
    }
}

class running_scope;

struct thread_state {
    running_scope* scope = nullptr;  // The innermost executor that this thread runs inside.
    context* current = nullptr;      // Of the user code that runs now.
    work_queue* refused = nullptr;   // Set while refused work is being completed further up the stack.
    bool may_block = false;          // Inside `blocking_allowed`.
};

// Not inlined: clang 16 caches a thread-local's address across the suspension of a coroutine.
[[gnu::noinline]] inline thread_state& this_thread() noexcept {
    thread_local thread_state state;
    auto* address = &state;
    asm volatile("" : "+r"(address));
    return *address;
}

/// Marks this thread as being inside an executor, and drains what its user code completes there.
///
/// Continuations whose executor is the current one enter its queue and run when the code that
/// completed them has returned: in order, on a flat stack, a bounded number before others get a turn.
class running_scope {
public:
    static constexpr int most_in_a_row = 256;
    static constexpr int most_between = 1024;

    explicit running_scope(executor& where) noexcept
        : where_{where}, outer_{std::exchange(this_thread().scope, this)} {}
    running_scope(const running_scope&) = delete;
    running_scope& operator=(const running_scope&) = delete;
    ~running_scope() {
        drain();
        this_thread().scope = outer_;
    }

    [[nodiscard]] bool inside(const executor& other) const noexcept { return &where_ == &other; }
    void push(work& item) noexcept { queue_.push(item); }
    /// Runs `item` when this scope has nothing else to do, e.g. to write what all of it produced.
    void push_last(work& item) noexcept { last_.push(item); }
    void drain() noexcept;
    /// Runs what is queued in the midst of a batch, while all of it is at hand, unless that was much already. Only
    /// where whatever runs may end what the caller works on.
    void drain_between() noexcept {
        next_may_run_ = false;
        while (between_ > 0) {
            auto* const next = queue_.pop();
            if (!next) return;
            --between_;
            next->run(true);
        }
    }
    /// The next thing that is completed may run at once, as it would in the `drain_between` that follows: who completes
    /// it has nothing left to do.
    void let_next_run() noexcept { next_may_run_ = true; }
    /// Whether that is the one, and nothing was queued before it.
    [[nodiscard]] bool may_run_now() noexcept {
        if (!next_may_run_ || between_ == 0 || !queue_.empty()) return false;
        next_may_run_ = false;
        --between_;
        return true;
    }
    [[nodiscard]] executor& where() const noexcept { return where_; }
    [[nodiscard]] const running_scope* outer() const noexcept { return outer_; }

private:
    [[nodiscard]] work* pop() noexcept {
        auto* const next = queue_.pop();
        return next ? next : last_.pop();
    }

    executor& where_;
    running_scope* outer_;
    work_queue queue_;
    work_queue last_;
    int between_ = most_between;
    bool next_may_run_ = false;
};

[[nodiscard]] inline bool inside(const executor& where) noexcept {
    const auto* scope = this_thread().scope;
    return scope && scope->inside(where);
}

/// Whether this thread stands, at any depth, inside an executor that is held up while it blocks.
[[nodiscard]] inline bool blocking_holds_up_work() noexcept {
    for (const auto* scope = this_thread().scope; scope; scope = scope->outer())
        if (scope->where().blocked_by_this_thread()) return true;
    return false;
}

/// Completes work that no executor takes, without growing the stack. Also the way of all work that runs
/// no user code and so needs no executor.
inline void refuse(work& item) noexcept {
    auto& here = this_thread();
    if (here.refused) return here.refused->push(item);
    work_queue queue;
    queue.push(item);
    here.refused = &queue;
    while (auto* next = queue.pop()) next->run(false);
    here.refused = nullptr;
}

/// Runs `item` in `where`: after the current code has returned if that is where we are, else posted.
inline void schedule(executor& where, work& item) noexcept {
    auto* scope = this_thread().scope;
    if (scope && scope->inside(where)) return scope->push(item);
    // What runs elsewhere meanwhile may have held the last reference to its executor.
    const executor_ref keep{&where};
    if (!where.post(item)) {
        where.reports().rejected_count.fetch_add(1, std::memory_order_relaxed);
        refuse(item);
    }
}

inline void running_scope::drain() noexcept {
    for (int budget = most_in_a_row; budget > 0; --budget) {
        auto* const next = pop();
        if (!next) return;
        next->run(true);
    }
    // Give the sockets a turn: the rest goes through the executor's own queue.
    work_queue left;
    while (auto* const next = pop())
        if (!where_.post(*next)) left.push(*next);
    // Refused, for it ends: what is ready all the same still runs, here. Not for ever, since code that repeats a
    // failing call would then keep the thread from ending.
    for (int generation = 0; !left.empty(); ++generation) {
        while (auto* const next = left.pop()) generation < most_in_a_row ? next->run(true) : refuse(*next);
        while (auto* const next = pop()) left.push(*next);
    }
}

/// Sets the current context while user code runs, and restores what was there before.
class context_scope {
public:
    explicit context_scope(context* entered) noexcept : outer_{std::exchange(this_thread().current, entered)} {}
    context_scope(const context_scope&) = delete;
    context_scope& operator=(const context_scope&) = delete;
    ~context_scope() { this_thread().current = outer_; }

private:
    context* outer_;
};

}  // namespace detail

/// The context of the request that this thread works on; null outside of handlers and continuations.
[[nodiscard]] inline context_ptr current_context() noexcept { return context_ptr{detail::this_thread().current}; }

/// The executor that this thread is inside of; null on a thread of the user's.
[[nodiscard]] inline executor_ref current_executor() noexcept {
    const auto* scope = detail::this_thread().scope;
    return scope ? executor_ref{&scope->where()} : executor_ref{};
}

/// While it lives, `get()` and `wait()` on this thread block even where that could deadlock.
class blocking_allowed {
public:
    blocking_allowed() noexcept : before_{std::exchange(detail::this_thread().may_block, true)} {}
    blocking_allowed(const blocking_allowed&) = delete;
    blocking_allowed& operator=(const blocking_allowed&) = delete;
    ~blocking_allowed() { detail::this_thread().may_block = before_; }

private:
    bool before_;
};

}  // namespace futon
