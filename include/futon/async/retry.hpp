// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Does something again until it succeeds, as often and as late as is right.

#include <futon/async/attempt.hpp>
#include <futon/async/detail/begin_work.hpp>
#include <futon/async/detail/dice.hpp>
#include <futon/async/detail/stage.hpp>
#include <futon/async/detail/timed.hpp>
#include <futon/async/detail/unfinished.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace futon {

/// How `retry` goes about it.
template <retry_policy Policy = exponential_backoff>
struct retry_options {
    Policy policy{};  ///< Which failures are repeated, and after what pause.
    /// The work may safely run twice. Calls of idempotent methods say so themselves.
    bool idempotent = false;
    /// The part of each pause that is up to chance: 0 none, 1 (and more) all of it.
    double jitter = 0.5;
    shared_retry_budget budget{};                    ///< Empty: no limit but the policy's.
    double (*dice)() noexcept = &detail::roll_dice;  ///< Uniform in [0, 1); for tests.
};

namespace detail {

class retry_pause final : public delay_state {
public:
    retry_pause(executor_ref where, int next, error last) noexcept
        : delay_state{std::move(where)}, next_{next}, last_{std::move(last)} {}
    [[nodiscard]] std::string unfinished(int) override {
        return "the pause before attempt " + std::to_string(next_) + ", the last one failed: " + last_.message();
    }

private:
    const int next_;
    const error last_;
};

template <class T, class Policy, class F>
class retry_state final : public future_state<T> {
public:
    retry_state(executor_ref where, retry_options<Policy> options, F f)
        : future_state<T>{std::move(where)},
          context_{current_context()},
          options_{std::move(options)},
          f_{std::move(f)} {}

    void start() noexcept {
        options_.budget.earn();
        begin_attempt();
    }
    [[nodiscard]] std::string unfinished(int levels) override {
        if (pausing_.load(std::memory_order_relaxed)) return {};  // Which knows more.
        auto text = "attempt " + std::to_string(number_.load(std::memory_order_relaxed));
        if (levels == 0) return text;
        if (const auto name = unfinished_in(this->upstream(), levels - 1); !name.empty())
            text.append(" (").append(name).append(")");
        return text;
    }

protected:
    void deliver(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<retry_state>::adopt(this);
        const auto source = this->release_source();
        if (pausing_.exchange(false, std::memory_order_relaxed)) {
            paused(accepted, static_cast<future_state<void>&>(*source).take());
        } else {
            ended(accepted, static_cast<future_state<T>&>(*source).take());
        }
    }
    // Between an attempt and a pause; `deliver` looks at the request.
    void give_up() noexcept override {}

private:
    void begin_attempt() noexcept {
        const auto number = number_.load(std::memory_order_relaxed) + 1;
        number_.store(number, std::memory_order_relaxed);
        intrusive_ptr<future_state<T>> made;
        {
            const context_scope scope{context_.get()};
            made = begin_work(this->where_, *f_, attempt{number});
        }
        may_run_twice_ = options_.idempotent || made->is_repeatable();
        // Only before anybody has seen this.
        if (!this->where_ && number == 1) this->where_ = made->where();
        wait_for(std::move(made));
    }

    // Afterwards, and perhaps before it returns, another thread goes on.
    template <class V>
    void wait_for(intrusive_ptr<future_state<V>> awaited) noexcept {
        this->add_ref();
        const auto keep = awaited;
        const bool cancelled = this->replace_source(std::move(awaited));
        keep->attach(*this, told::scheduled);
        if (cancelled) keep->cancel();
    }

    void ended(bool accepted, result<T> got) noexcept {
        if (got) return finish(std::move(got));
        last_ = std::move(got).error();
        ran_ = std::max(ran_, last_.ran());
        if (this->cancel_requested() || last_.is(cond::cancelled)) return finish(unexpected{last_.with_executed(ran_)});
        const auto number = number_.load(std::memory_order_relaxed);
        const auto now = this->where_ ? this->where_->now() : clock::now();
        const auto pause = pause_before_next(number, now);
        if (!pause) return finish(unexpected{after_attempts(last_, number, ran_)});
        if (!accepted) return finish(unexpected{refused_by(this->where_, &last_).with_executed(ran_)});
        if (*pause <= duration{}) return begin_attempt();
        auto asleep = make_intrusive<retry_pause>(this->where_, number + 1, last_);
        try {
            asleep->arm(deadline_after(now, *pause));
        } catch (...) {
            return finish(unexpected{after_attempts(last_, number, ran_)});
        }
        pausing_.store(true, std::memory_order_relaxed);
        wait_for(intrusive_ptr<future_state<void>>{std::move(asleep)});
    }

    void paused(bool accepted, result<void> slept) noexcept {
        if (this->cancel_requested()) return finish(unexpected{error{errc::cancelled, ran_}});
        if (!accepted || !slept) return finish(unexpected{refused_by(this->where_, &last_).with_executed(ran_)});
        begin_attempt();
    }

    std::optional<duration> pause_before_next(int number, time_point now) noexcept {
        const failed_attempt failed{.number = number,
                                    .code = errc_of(last_),
                                    .ran = last_.ran(),
                                    .idempotent = may_run_twice_,
                                    .now = now,
                                    .deadline = context_ ? context_->deadline() : no_deadline};
        // Whatever the policy: what may have run runs again only if it may.
        if (failed.ran != executed::no && !may_run_twice_) return std::nullopt;
        if (context_ && context_->stop_requested()) return std::nullopt;
        auto pause = options_.policy.next_delay(failed);
        if (!pause) return std::nullopt;
        // Shorter only: the policy has compared the longest with the deadline.
        *pause -= duration{static_cast<duration::rep>(static_cast<double>(pause->count()) * less())};
        pause = std::max(*pause, obeyed(last_.retry_after(), failed.deadline));
        if (failed.deadline != no_deadline && *pause >= failed.deadline - now) return std::nullopt;
        if (!options_.budget.spend(now)) return std::nullopt;
        return pause;
    }

    // A part of the pause, whatever the options and the dice say; less than all of it, so that the longest one can be
    // counted in ticks.
    double less() const noexcept {
        const auto part = options_.jitter * options_.dice();
        return part > 0 ? std::min(part, 1 - 0x1p-53) : 0;
    }
    void finish(result<T> with) noexcept {
        f_.reset();
        context_ = nullptr;
        this->complete(std::move(with));
    }

    context_ptr context_;
    retry_options<Policy> options_;
    std::optional<F> f_;
    // These are said to whoever gives up waiting, on any thread; only the driver of the attempts changes them.
    std::atomic<int> number_{0};
    std::atomic<bool> pausing_{false};
    bool may_run_twice_ = false;  // The attempt that was begun last.
    executed ran_ = executed::no;
    error last_{errc::internal};
};

}  // namespace detail

/// Calls `f(attempt)`, or `f()`, until what it returns succeeds:
///
///     retry({.max_attempts = 4}, [=](futon::attempt) { return stub.put(k, v); })
///
/// `f` may return what a stage may. The first attempt is made here, as if `f` had been called directly; the others on
/// `where`, else on the executor that this thread is inside of, else on that of the first attempt's future, each in the
/// context of this call. `f` lives until the last attempt has ended.
///
/// A failure is repeated where the policy says so (`exponential_backoff`: the codes of `cond::retryable`, with a pause
/// that doubles), and then only if
/// - its handler did not run (`executed::no`), or the attempt may run twice: `f` returned the call of an idempotent
///   method as it is (or with `timeout`, `via`, `cancel_with`), or `.idempotent = true` says so. Of an attempt that does
///   more than that, futon knows only its last failure;
/// - the pause, or what the peer asked for by `retry_after`, ends before the deadline of the current context; where
///   that has none, `longest_retry_after` bounds what a peer can ask for;
/// - the budget has an attempt to spare.
///
/// Else the failure is the result: the last one, saying how many attempts there were; what it says of `executed` holds
/// for all of them together.
/// Cancellation: goes to the attempt that is under way, or ends the pause at once; nothing is begun after it.
/// Errors: `executor_rejected` or `no_executor` where a further attempt should have been made and could not.
/// Cost: one block, and one for each pause.
template <retry_policy Policy, class F>
[[nodiscard]] auto retry(executor_ref where, retry_options<Policy> options, F&& f) {
    using callable = detail::per_attempt<std::decay_t<F>>;
    using value = detail::flattened<std::invoke_result_t<callable&, attempt>>;
    auto state = detail::make_intrusive<detail::retry_state<value, Policy, callable>>(
        std::move(where), std::move(options), callable{std::forward<F>(f)});
    state->start();
    return future<value>{std::move(state)};
}
template <class F>
[[nodiscard]] auto retry(executor_ref where, retry_options<> options, F&& f) {
    return retry<exponential_backoff>(std::move(where), std::move(options), std::forward<F>(f));
}
template <retry_policy Policy, class F>
[[nodiscard]] auto retry(executor_ref where, Policy policy, F&& f) {
    return retry(std::move(where), retry_options<Policy>{.policy = std::move(policy)}, std::forward<F>(f));
}
template <class F>
[[nodiscard]] auto retry(executor_ref where, exponential_backoff policy, F&& f) {
    return retry(std::move(where), retry_options<>{.policy = policy}, std::forward<F>(f));
}
template <retry_policy Policy, class F>
[[nodiscard]] auto retry(retry_options<Policy> options, F&& f) {
    return retry(current_executor(), std::move(options), std::forward<F>(f));
}
template <class F>
[[nodiscard]] auto retry(retry_options<> options, F&& f) {
    return retry(current_executor(), std::move(options), std::forward<F>(f));
}
template <retry_policy Policy, class F>
[[nodiscard]] auto retry(Policy policy, F&& f) {
    return retry(current_executor(), retry_options<Policy>{.policy = std::move(policy)}, std::forward<F>(f));
}
template <class F>
[[nodiscard]] auto retry(exponential_backoff policy, F&& f) {
    return retry(current_executor(), retry_options<>{.policy = policy}, std::forward<F>(f));
}

}  // namespace futon
