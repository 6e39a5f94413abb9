// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The block behind `shared_future<T>`, and the one of each of its consumers.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon {

template <class T>
class shared_value;

namespace detail {

template <class T>
using shared_view = std::conditional_t<std::is_void_v<T>, void, shared_value<T>>;

template <class T>
class shared_state;

template <class View>
[[nodiscard]] intrusive_ptr<future_state<View>> no_state_for() {
    auto state = make_intrusive<future_state<View>>(executor_ref{});
    state->complete(unexpected{errc::no_state});
    return state;
}

/// One consumer. The shared state holds a reference to it until it is complete.
template <class T>
class shared_consumer final : public future_state<shared_view<T>> {
public:
    explicit shared_consumer(intrusive_ptr<shared_state<T>> owner) noexcept
        : future_state<shared_view<T>>{owner->where()}, owner_{std::move(owner)} {}

    void cancel_step(cancel_walk&) noexcept override {
        if (this->claimed() || !owner_->leave(*this)) return;
        const auto listed = intrusive_ptr<shared_consumer>::adopt(this);
        this->complete(unexpected{errc::cancelled});
    }
    [[nodiscard]] intrusive_ptr<cancellable> upstream() noexcept override { return owner_->upstream(); }

private:
    friend class shared_state<T>;
    const intrusive_ptr<shared_state<T>> owner_;
    shared_consumer* before_ = nullptr;
    shared_consumer* after_ = nullptr;
    bool listed_ = false;
};

template <class T>
class shared_state final : public cancellable, public work, public recycled {
public:
    static intrusive_ptr<shared_state> make(future<T> source) {
        auto awaited = future_access::take(source);
        if (!awaited) {
            awaited = make_intrusive<future_state<T>>(executor_ref{});
            awaited->complete(unexpected{errc::no_state});
        }
        auto made = make_intrusive<shared_state>(awaited->where());
        made->source_ = awaited;
        made->add_ref();
        awaited->attach(*made, told::at_once);
        return made;
    }
    explicit shared_state(executor_ref where) noexcept : where_{std::move(where)} {}
    ~shared_state() override {
        if (outcome_ && !*outcome_ && !consumed_.load(std::memory_order_relaxed))
            report_unseen(where_, outcome_->error());
    }

    void run(bool) noexcept override {
        const auto keep = intrusive_ptr<shared_state>::adopt(this);
        outcome_.emplace(source_->take());
        shared_consumer<T>* next = nullptr;
        intrusive_ptr<future_state<T>> done;
        {
            const std::lock_guard lock{lock_};
            std::swap(done, source_);
            ready_.store(true, std::memory_order_release);
            next = std::exchange(first_, nullptr);
            last_ = nullptr;
            // From now on they cannot leave.
            for (auto* each = next; each; each = each->after_) each->listed_ = false;
        }
        while (next) {
            const auto one = intrusive_ptr<shared_consumer<T>>::adopt(std::exchange(next, next->after_));
            one->complete(seen_by_consumer());
        }
    }

    /// `looks`: at the result, so that a failure counts as seen.
    [[nodiscard]] intrusive_ptr<future_state<shared_view<T>>> subscribe(bool looks = true) {
        if (looks) consumed_.store(true, std::memory_order_relaxed);
        auto one = make_intrusive<shared_consumer<T>>(intrusive_ptr<shared_state>{this});
        {
            const std::lock_guard lock{lock_};
            if (!ready_.load(std::memory_order_relaxed)) {
                one->add_ref();
                one->listed_ = true;
                one->before_ = last_;
                (last_ ? last_->after_ : first_) = one.get();
                last_ = one.get();
                return one;
            }
        }
        one->complete(seen_by_consumer());
        return one;
    }
    /// True if `one` was among the consumers, with the reference to it.
    [[nodiscard]] bool leave(shared_consumer<T>& one) noexcept {
        const std::lock_guard lock{lock_};
        if (!std::exchange(one.listed_, false)) return false;
        (one.before_ ? one.before_->after_ : first_) = one.after_;
        (one.after_ ? one.after_->before_ : last_) = one.before_;
        return true;
    }

    void cancel() noexcept override {
        cancel_walk walk;
        walk.run(*this);
    }
    void cancel_step(cancel_walk& walk) noexcept override { walk.visit(upstream()); }
    [[nodiscard]] intrusive_ptr<cancellable> upstream() noexcept override {
        const std::lock_guard lock{lock_};
        return source_;
    }

    [[nodiscard]] bool is_ready() const noexcept { return ready_.load(std::memory_order_acquire); }
    /// When ready.
    [[nodiscard]] const result<T>& outcome() const noexcept { return *outcome_; }
    [[nodiscard]] const executor_ref& where() const noexcept { return where_; }

private:
    result<shared_view<T>> seen_by_consumer() noexcept {
        if (!*outcome_) return unexpected{outcome_->error()};
        if constexpr (std::is_void_v<T>) {
            return {};
        } else {
            return result<shared_view<T>>{std::in_place, intrusive_ptr<shared_state>{this}};
        }
    }

    const executor_ref where_;
    std::optional<result<T>> outcome_;
    std::atomic<bool> ready_{false};
    std::atomic<bool> consumed_{false};
    spin_lock lock_;  // Guards the source, and who waits.
    intrusive_ptr<future_state<T>> source_;
    shared_consumer<T>* first_ = nullptr;
    shared_consumer<T>* last_ = nullptr;
};

}  // namespace detail
}  // namespace futon
