// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What completes exactly once: the base of a future's state and of every call's ending.

#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

class cancel_walk;

/// Something that can be asked to give up: a call on its way, a stage of a chain, a delay.
///
/// Thread-safety: safe, at any time, also after completion.
class cancellable : public ref_counted {
public:
    /// Asks the source of the outcome to give up; what waits on it completes soon, at the latest with
    /// `cancelled`. Does nothing after completion.
    virtual void cancel() noexcept = 0;
    /// One step of a cancellation: what stands between the caller and the source hands the walk on
    /// instead of calling `cancel()` of the next, so that a chain of any length takes no stack.
    virtual void cancel_step(cancel_walk& /*walk*/) noexcept { cancel(); }
    /// What this waits for; null where that is not known or it waits for nothing.
    [[nodiscard]] virtual intrusive_ptr<cancellable> upstream() noexcept { return {}; }
    /// What has not completed here, for people who waited for it in vain, of combinators in combinators so many levels;
    /// empty where `upstream` may know more. Throws `std::bad_alloc`.
    [[nodiscard]] virtual std::string unfinished(int /*levels*/) { return {}; }
    /// Whether it cannot complete while this thread blocks.
    [[nodiscard]] virtual bool needs_this_thread() const noexcept { return false; }
};

/// A cancellation on its way to everything that is really under way.
class cancel_walk {
public:
    void visit(intrusive_ptr<cancellable> next) noexcept {
        if (!next) return;
        if (!next_) {
            next_ = std::move(next);
            return;
        }
        try {
            more_.push_back(next);
        } catch (...) {
            next->cancel();
        }
    }
    void run(cancellable& first) noexcept {
        first.cancel_step(*this);
        run();
    }
    /// Goes to all that was visited, and on from there.
    void run() noexcept {
        for (;;) {
            auto at = std::exchange(next_, nullptr);
            if (!at && !more_.empty()) {
                at = std::move(more_.back());
                more_.pop_back();
            }
            if (!at) return;
            at->cancel_step(*this);
        }
    }

private:
    intrusive_ptr<cancellable> next_;
    std::vector<intrusive_ptr<cancellable>> more_;
};

/// One piece of asynchronous work on its way to its ending.
///
/// Reply, timeout, cancel, connection loss and shutdown race; `claim()` decides. The winner stores the
/// outcome and schedules `run()` on `where()`, which hands it to the caller; everybody else drops theirs.
/// A reference is held for it while it is queued: whoever schedules it adds one, `run()` takes it over.
class operation : public cancellable, public work, public recycled {
public:
    /// True for exactly one caller. Thread-safety: safe.
    [[nodiscard]] bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }
    /// For who alone can complete it.
    void claim_alone() noexcept { claimed_.store(true, std::memory_order_release); }
    [[nodiscard]] bool claimed() const noexcept { return claimed_.load(std::memory_order_acquire); }

    /// Completes with an error if nothing else has; false if something has.
    virtual bool fail(error why) noexcept = 0;

    /// What will receive the outcome, for people.
    [[nodiscard]] virtual std::string_view waited_by() const noexcept { return "a callback or a coroutine"; }

    /// Whether what it waits for may safely run twice: one call of an idempotent method, and no code of the user's.
    [[nodiscard]] bool is_repeatable() const noexcept { return repeatable_; }
    /// Before anybody else can know it.
    void set_repeatable(bool yes) noexcept { repeatable_ = yes; }

    /// Where the ending runs; null means that nothing was said, and any continuation fails with `no_executor`.
    [[nodiscard]] const executor_ref& where() const noexcept { return where_; }

protected:
    explicit operation(executor_ref where) noexcept : where_{std::move(where)} {}
    executor_ref where_;

private:
    std::atomic<bool> claimed_{false};
    bool repeatable_ = false;
};

/// Runs `op` on its executor; where it has none, as if that had refused.
inline void schedule(operation& op) noexcept {
    if (op.where()) {
        schedule(*op.where(), op);
    } else {
        refuse(op);
    }
}

/// Reports a failure that nobody else will see to the runtime of `where`.
inline void report_unseen(const executor_ref& where, const error& why) noexcept {
    (where ? where->reports() : default_reports()).unhandled(why);
}

}  // namespace futon::detail
