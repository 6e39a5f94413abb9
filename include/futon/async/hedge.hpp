// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Asks again while the first answer is late, and takes whichever comes first.

#include <futon/async/attempt.hpp>
#include <futon/async/detail/begin_work.hpp>
#include <futon/async/detail/driven.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/detail/stage.hpp>
#include <futon/async/detail/unfinished.hpp>
#include <futon/async/future.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace futon {

/// When `hedge` makes further attempts.
struct hedge_options {
    /// How late an answer is when the next attempt begins; the 95th percentile is a good choice.
    duration delay = std::chrono::milliseconds{50};
    /// Counts the first; 1 and less: never a second one. Room for all is made at once.
    int max_attempts = 2;
    /// The work may safely run twice. Calls of idempotent methods say so themselves.
    bool idempotent = false;
    /// Empty: no limit but `max_attempts`.
    shared_retry_budget budget{};
};

namespace detail {

/// Where `hedge` was given an `F`: one place in a program, as a rule.
template <class F>
inline constexpr char hedged_work = 0;

template <class T, class F>
class hedge_state final : public driven_state<hedge_state<T, F>, T> {
public:
    hedge_state(executor_ref where, hedge_options options, F f)
        : driven_state<hedge_state, T>{std::move(where)},
          context_{current_context()},
          options_{std::move(options)},
          most_{static_cast<std::size_t>(std::max(1, options_.max_attempts))},
          attempts_{std::make_unique<input<hedge_state, T>[]>(most_)},
          f_{std::move(f)} {}

    void start() noexcept {
        options_.budget.earn();
        begin_attempt();
        this->skip_first_turn();
    }

    void arrived(std::size_t index) noexcept {
        auto got = attempts_[index].state().take();
        if (got && this->claim()) {
            this->disarm();
            cancel_all_but(index);
            this->publish(std::move(got));
        } else if (!got) {
            auto why = std::move(got).error();
            const std::lock_guard lock{lock_};
            ran_ = std::max(ran_, why.ran());
            std::swap(last_, why);
        }
        ended_.fetch_add(1, std::memory_order_acq_rel);
        this->signal();
    }

    void turn(bool accepted) noexcept {
        // One after the other, and at most as many as there are attempts.
        const auto ended = ended_.load(std::memory_order_acquire);
        if (this->claimed()) {
            if (ended == begun_) let_go();
            return;
        }
        const bool late = late_.exchange(false, std::memory_order_acq_rel);
        const bool failed = ended != std::exchange(seen_, ended);
        if (is_cancelled()) {
            this->disarm();
            if (ended == begun_) finish(error{errc::cancelled, ran()});
            return;
        }
        bool refused = false;
        if ((late || failed) && may_begin(ended)) {
            if (accepted) return begin_attempt();
            refused = true;
        }
        if (ended == begun_) {
            this->disarm();
            const auto why = last();
            return finish(refused ? refused_by(this->where_, &why).with_executed(ran())
                                  : after_attempts(why, static_cast<int>(begun_), ran()));
        }
        if (late) arm_next();
    }

    void fire(bool due) noexcept override {
        const auto keep = intrusive_ptr<hedge_state>::adopt(this);
        if (!due) return;
        late_.store(true, std::memory_order_release);
        this->signal();
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        if (this->claimed()) return;
        std::size_t begun = 0;
        {
            const std::lock_guard lock{lock_};
            cancelled_ = true;
            begun = visible_;
        }
        for (std::size_t i = 0; i < begun; ++i) walk.visit(attempts_[i].target());
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override {
        if (driven_state<hedge_state, T>::needs_this_thread()) return true;
        const auto begun = visible();
        for (std::size_t i = 0; i < begun; ++i)
            if (blocks_this_thread(*attempts_[i].target())) return true;
        return false;
    }
    [[nodiscard]] std::string unfinished(int levels) override {
        unfinished_inputs list{levels, "attempts", 1};
        const auto begun = visible();
        for (std::size_t i = 0; i < begun; ++i) list.add(attempts_[i]);
        return list.text();
    }

private:
    // Within a turn.
    void begin_attempt() noexcept {
        const auto index = begun_;
        future<T> made;
        {
            const context_scope scope{context_.get()};
            auto begun = begin_work(this->where_, *f_, attempt{static_cast<int>(index) + 1});
            may_run_twice_ = options_.idempotent || (begun->is_repeatable() && (index == 0 || may_run_twice_));
            made = future<T>{std::move(begun)};
        }
        if (!this->where_ && index == 0) this->where_ = made.executor();
        auto& slot = attempts_[index];
        slot.hold(*this, index, made);
        bool cancelled = false;
        {
            const std::lock_guard lock{lock_};
            ++visible_;
            cancelled = cancelled_;
        }
        ++begun_;
        slot.begin();
        // Somebody has won or given up meanwhile, who could not see this one.
        if (cancelled || this->claimed()) return slot.target()->cancel();
        arm_next();
    }
    void arm_next() noexcept {
        if (begun_ == 1 && !may_run_twice_) warn();
        if (!this->where_ || begun_ == most_ || !may_run_twice_) return;
        this->disarm();
        try {
            this->arm(deadline_after(this->where_->now(), options_.delay));
        } catch (...) {
            return;  // Out of memory: one attempt less.
        }
        if (this->claimed()) this->disarm();
    }
    // Once: nothing runs beside the first attempt, which is under way, however late that is.
    [[gnu::cold]] void warn() noexcept {
        if (!this->where_ || most_ == 1 || ended_.load(std::memory_order_relaxed) != 0) return;
        auto& reports = this->where_->reports();
        if (!reports.is_first(&hedged_work<F>)) return;
        reports.log({.level = log_level::warning,
                     .kind = "hedge_without_effect",
                     .text = "hedge() makes no attempt beside one that is late: the work may not run twice. Return the "
                             "call of a futon::idempotent method as it is, or set hedge_options.idempotent"});
    }
    [[nodiscard]] bool may_begin(std::size_t ended) noexcept {
        if (begun_ == most_) return false;
        const bool all_failed = ended == begun_;
        if (!may_run_twice_ && !(all_failed && ran() == executed::no)) return false;
        // What the handler itself says, or what no server will accept, comes out the same again.
        if (all_failed) {
            const auto why = last();
            if (why.ran() == executed::yes || why.is(cond::caller_bug) || why.is(cond::cancelled)) return false;
        }
        if (context_ && context_->stop_requested()) return false;
        return options_.budget.spend(this->where_ ? this->where_->now() : clock::now());
    }
    void cancel_all_but(std::size_t winner) noexcept {
        const auto begun = visible();
        cancel_walk walk;
        for (std::size_t i = 0; i < begun; ++i)
            if (i != winner) walk.visit(attempts_[i].target());
        walk.run();
    }
    void finish(error why) noexcept {
        let_go();
        this->complete(unexpected{std::move(why)});
    }
    void let_go() noexcept {
        f_.reset();
        context_ = nullptr;
    }
    [[nodiscard]] std::size_t visible() const noexcept {
        const std::lock_guard lock{lock_};
        return visible_;
    }
    [[nodiscard]] bool is_cancelled() const noexcept {
        const std::lock_guard lock{lock_};
        return cancelled_;
    }
    [[nodiscard]] error last() const {
        const std::lock_guard lock{lock_};
        return last_;
    }
    [[nodiscard]] executed ran() const noexcept {
        const std::lock_guard lock{lock_};
        return ran_;
    }

    context_ptr context_;
    hedge_options options_;
    const std::size_t most_;
    std::unique_ptr<input<hedge_state, T>[]> attempts_;
    std::optional<F> f_;
    // Of the turns.
    std::size_t begun_ = 0;
    std::size_t seen_ = 0;
    bool may_run_twice_ = false;  // Each attempt so far.

    std::atomic<std::size_t> ended_{0};
    std::atomic<bool> late_{false};
    mutable spin_lock lock_;  // Guards what follows.
    std::size_t visible_ = 0;
    bool cancelled_ = false;
    executed ran_ = executed::no;
    error last_{errc::internal};
};

}  // namespace detail

/// Calls `f(attempt)`, or `f()`, and calls it again while the answer is late:
/// `hedge({.delay = 20ms}, [=](futon::attempt) { return stub.get(key); })`.
///
/// The first value wins; the other attempts are cancelled before its stages are queued. Each attempt that is `delay`
/// late lets the next one begin; a failure begins the next at once. `f` may return what a stage may; where it runs,
/// and for how long it lives, is as for `retry`.
///
/// An attempt may run beside others if `f` returned the call of an idempotent method as it is (or with `timeout`,
/// `via`, `cancel_with`), or if `.idempotent = true` says so, e.g. for a chain or a task. Nothing else runs twice: an
/// attempt that is late is waited for, which is a warning, once, and another begins only when all before it have failed
/// with `executed::no`. A failure that the handler itself made (`executed::yes`), or that is `cond::caller_bug`, begins
/// none. The budget, which `retry` can share, caps what hedging adds to the load.
///
/// Errors: the last failure once all attempts that may be made have failed, saying how many there were; what it says of
/// `executed` holds for all of them together. `executor_rejected` or `no_executor` where another could not be made.
/// Cancellation: cancels every attempt that is under way.
template <class F>
[[nodiscard]] auto hedge(executor_ref where, hedge_options options, F&& f) {
    using callable = detail::per_attempt<std::decay_t<F>>;
    using value = detail::flattened<std::invoke_result_t<callable&, attempt>>;
    auto state = detail::make_intrusive<detail::hedge_state<value, callable>>(std::move(where), std::move(options),
                                                                              callable{std::forward<F>(f)});
    state->start();
    return future<value>{std::move(state)};
}
template <class F>
[[nodiscard]] auto hedge(hedge_options options, F&& f) {
    return hedge(current_executor(), std::move(options), std::forward<F>(f));
}

}  // namespace futon
