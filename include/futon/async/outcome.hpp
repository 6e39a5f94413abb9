// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two ends of every asynchronous result: what a producer completes, and the state behind a future.

#include <futon/async/detail/blocked_thread.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/result.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace futon::detail {

template <class T>
class future_state;

/// What completes with a `result<T>`, exactly once: a future's state, or a handler that waits for it.
///
/// A producer makes one (`initiate`, `promise`), attaches its source, and calls `complete` or `fail`
/// from any thread, at any time, also inside the function that started it: no user code runs in there.
template <class T>
class outcome : public operation {
public:
    using value_type = T;

    /// Hands over the result; false if there is one already, and this one is dropped. Thread-safety: safe.
    virtual bool complete(result<T> with) noexcept = 0;
    bool fail(error why) noexcept final { return complete(unexpected{std::move(why)}); }

    /// The same by the only one who can complete it, who gives up a reference with it. Inside its executor user code
    /// may run in here, where the scope lets it: see `running_scope::let_next_run`.
    virtual void conclude(result<T>&& with) noexcept {
        complete(std::move(with));
        this->release();
    }

    /// Says what `cancel()` reaches. Before anything that could complete this is started.
    ///
    /// Without a source, a cancel completes it with `cancelled`. The source is held until this is
    /// destroyed, so it must let go of this when it has completed it.
    void attach_source(intrusive_ptr<cancellable> source) noexcept { replace_source(std::move(source)); }

    /// The same before anybody else can know this.
    void attach_source_unshared(intrusive_ptr<cancellable> source) noexcept { source_ = std::move(source); }
    /// False where nobody can ever cancel this: it needs no source then.
    [[nodiscard]] virtual bool can_be_cancelled() const noexcept { return true; }

    /// Completes as `inner` does, which becomes the source. Nobody else may complete this then.
    virtual void follow(intrusive_ptr<future_state<T>> inner) noexcept;

    void cancel() noexcept final {
        cancel_walk walk;
        walk.run(*this);
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        if (claimed()) return;
        intrusive_ptr<cancellable> next;
        {
            const std::lock_guard lock{lock_};
            cancel_requested_ = true;
            next = source_;
        }
        if (next) return walk.visit(std::move(next));
        give_up();
    }
    [[nodiscard]] bool cancel_requested() const noexcept {
        const std::lock_guard lock{lock_};
        return cancel_requested_;
    }
    [[nodiscard]] intrusive_ptr<cancellable> upstream() noexcept override {
        const std::lock_guard lock{lock_};
        return source_;
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override {
        return where_ && where_->blocked_by_this_thread();
    }

    void run(bool accepted) noexcept final;

protected:
    using operation::operation;

    /// Its turn in its executor; with `accepted` false there was none, and no user code may run. Takes over
    /// the queue's reference.
    virtual void deliver(bool accepted) noexcept = 0;
    /// A cancel came, and there is no source to pass it to.
    virtual void give_up() noexcept { complete(unexpected{errc::cancelled}); }

    /// True if a cancel came before, which then has not reached `next`.
    bool replace_source(intrusive_ptr<cancellable> next) noexcept {
        const std::lock_guard lock{lock_};
        std::swap(source_, next);
        return cancel_requested_;
    }
    [[nodiscard]] intrusive_ptr<cancellable> release_source() noexcept {
        const std::lock_guard lock{lock_};
        return std::exchange(source_, nullptr);
    }
    /// With `cancelled`: whether a cancel came before.
    [[nodiscard]] intrusive_ptr<cancellable> release_source(bool& cancelled) noexcept {
        const std::lock_guard lock{lock_};
        cancelled = cancel_requested_;
        return std::exchange(source_, nullptr);
    }

private:
    friend class future_state<T>;
    void watch(intrusive_ptr<future_state<T>> inner) noexcept;

    mutable spin_lock lock_;  // Guards the two below.
    bool cancel_requested_ = false;
    bool following_ = false;
    intrusive_ptr<cancellable> source_;
};

/// How the one consumer of a state learns that it is ready.
enum class told : std::uint8_t {
    scheduled,  ///< It is an `operation` and runs user code: on its own executor.
    at_once,    ///< It runs no user code: on the completing thread, without growing its stack.
    follower,   ///< The same; it is an `outcome` of the same type that only passes the result on.
    waiter,     ///< A thread that blocks.
};

/// A result that comes, and who waits for it: the block behind `future<T>`.
///
/// One producer side, one consumer. Whoever is attached is told exactly once.
template <class T>
class future_state : public outcome<T> {
public:
    explicit future_state(executor_ref where) noexcept : outcome<T>{std::move(where)} {}
    ~future_state() override {
        if (!stored_) return;
        // Nobody has looked at it, and nobody can any more.
        if (!value_.has_value()) report_unseen(this->where_, value_.error());
        std::destroy_at(&value_);
    }

    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        publish(std::move(with));
        return true;
    }

    [[nodiscard]] bool is_ready() const noexcept { return consumer_.load(std::memory_order_acquire) == self(); }
    /// When ready, before it is taken.
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    /// Once, by the consumer, when ready.
    [[nodiscard]] result<T> take() noexcept {
        stored_ = false;
        result<T> taken{std::move(value_)};
        std::destroy_at(&value_);
        return taken;
    }
    /// Counts the result as seen. By the consumer, when ready; also after it was taken.
    void discard() noexcept {
        if (std::exchange(stored_, false)) std::destroy_at(&value_);
    }

    /// Tells `consumer` when this is ready, perhaps within this call. It must stay valid until then.
    void attach(work& consumer, told how) noexcept {
        how_.store(how, std::memory_order_relaxed);
        work* expected = nullptr;
        if (!consumer_.compare_exchange_strong(expected, &consumer, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
            tell(consumer, how);
    }

    /// Where this is itself only followed, its follower goes over to `inner`: a recursion through
    /// futures that return futures needs no memory for the levels that it has left.
    void follow(intrusive_ptr<future_state<T>> inner) noexcept override {
        auto* consumer = consumer_.load(std::memory_order_acquire);
        if (!consumer || how_.load(std::memory_order_relaxed) != told::follower)
            return outcome<T>::follow(std::move(inner));
        consumer_.store(nullptr, std::memory_order_relaxed);
        const intrusive_ptr<outcome<T>> follower{static_cast<outcome<T>*>(consumer)};
        follower->watch(inner);
        // For a cancel handle that was taken from this level. A reference to `inner` would keep every level after it.
        const bool cancelled = this->replace_source(follower);
        if (cancelled) inner->cancel();
    }

    [[nodiscard]] std::string_view waited_by() const noexcept override {
        if (!consumer_.load(std::memory_order_acquire)) return "a future that nobody waits for";
        switch (how_.load(std::memory_order_relaxed)) {
            case told::scheduled: return "a stage or a task";
            case told::at_once: return "a combinator";
            case told::follower: return "another future";
            case told::waiter: return "a blocked thread";
        }
        return "a future";
    }

    /// Blocks until it is ready; false if `until` came first. The caller has checked that it may block.
    bool wait(time_point until) noexcept {
        if (is_ready()) return true;
        blocked_thread here;
        attach(here, told::waiter);
        if (until == no_deadline && this->where_) here.wait_watching(*this->where_, std::chrono::seconds{1});
        if (here.wait(until)) return true;
        work* expected = &here;
        if (consumer_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) return false;
        // It is being told right now.
        here.wait(no_deadline);
        return true;
    }

protected:
    /// For who has claimed it.
    void publish(result<T> with) noexcept {
        std::construct_at(&value_, std::move(with));
        stored_ = true;
        if (auto* consumer = consumer_.exchange(self(), std::memory_order_acq_rel))
            tell(*consumer, how_.load(std::memory_order_relaxed));
    }
    // Only what runs something in its executor overrides this.
    void deliver(bool) noexcept override { this->release(); }

private:
    static void tell(work& consumer, told how) noexcept {
        switch (how) {
            case told::scheduled: return schedule(static_cast<operation&>(consumer));
            case told::at_once:
            case told::follower: return refuse(consumer);
            case told::waiter: return consumer.run(true);
        }
    }
    // Stands in the consumer's place once this is ready.
    [[nodiscard]] const work* self() const noexcept { return this; }
    [[nodiscard]] work* self() noexcept { return this; }

    std::atomic<work*> consumer_{nullptr};
    std::atomic<told> how_{told::scheduled};
    bool stored_ = false;
    union {
        result<T> value_;
    };
};

template <class T>
void outcome<T>::follow(intrusive_ptr<future_state<T>> inner) noexcept {
    following_ = true;
    this->add_ref();
    watch(std::move(inner));
}

// With a reference to this that goes to the one who tells.
template <class T>
void outcome<T>::watch(intrusive_ptr<future_state<T>> inner) noexcept {
    const intrusive_ptr<outcome> keep{this};
    const bool cancelled = replace_source(inner);
    inner->attach(*this, told::follower);
    // What is over already, e.g. by a timeout, or was given up before, needs no answer from `inner`.
    if (cancelled || (this->claimed() && !inner->is_ready())) inner->cancel();
}

template <class T>
void outcome<T>::run(bool accepted) noexcept {
    if (!std::exchange(following_, false)) return deliver(accepted);
    const auto keep = intrusive_ptr<outcome>::adopt(this);
    const auto source = release_source();
    auto& inner = static_cast<future_state<T>&>(*source);
    complete(inner.take());
}

}  // namespace futon::detail
