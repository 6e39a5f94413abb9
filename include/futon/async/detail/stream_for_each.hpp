// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls a function for each item of a stream.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/detail/stage.hpp>
#include <futon/async/outcome.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/context.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace futon::detail {

/// One loop, which runs in its executor and pulls the next item when it may begin another; and what it has begun
/// and has not ended.
template <class T, class R, class F>
class for_each_state final : public future_state<R> {
    using unwrapped = flattening<std::remove_cvref_t<std::invoke_result_t<F&, T>>>;
    using value = typename unwrapped::value;

public:
    for_each_state(executor_ref where, intrusive_ptr<stream_core<T, R>> from, std::size_t limit, F f)
        : future_state<R>{std::move(where)},
          from_{std::move(from)},
          limit_{std::max<std::size_t>(limit, 1)},
          context_{current_context()},
          f_{std::in_place, std::move(f)} {}

    void begin() {
        awaited_ = state_of(from_->next(this->where_));
        suspend();
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        if (this->claimed()) return;
        walk.visit(from_);
        visit_begun(walk);
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override {
        if (future_state<R>::needs_this_thread()) return true;
        // Of very many, the latest.
        std::array<intrusive_ptr<cancellable>, 16> some;
        {
            const std::lock_guard lock{mutex_};
            std::size_t count = 0;
            for (auto* one = first_; one && count < some.size(); one = one->after) some[count++] = one->inner;
        }
        return std::ranges::any_of(some, [](const auto& each) { return each && blocks_this_thread(*each); });
    }

protected:
    void deliver(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<for_each_state>::adopt(this);
        // A member of this, for the end lets go of it.
        const auto context = context_;
        const context_scope scope{context.get()};
        try {
            if (accepted) return loop();
            break_off(refused_by(this->where_, nullptr));
        } catch (...) {
            break_off(error::from_exception(std::current_exception(), executed::yes));
        }
        one_ended();
    }

private:
    // After so many items in a row others get a turn.
    static constexpr int most_in_a_row = 64;

    static constexpr bool keeps_item = unwrapped::kind == nesting::coroutine;
    using kept_item = std::conditional_t<keeps_item, std::optional<T>, std::monostate>;
    // A call of `f` that is not over, with what a coroutine was called with.
    struct begun final : work, recycled {
        explicit begun(for_each_state& whose) noexcept : owner{&whose} {}
        void run(bool) noexcept override {
            const auto loop = std::exchange(owner, nullptr);
            loop->ended(*this);
        }
        for_each_state* owner;
        intrusive_ptr<future_state<value>> inner;
        begun* before = nullptr;
        begun* after = nullptr;
        [[no_unique_address]] kept_item item;
    };

    void loop() {
        for (int budget = most_in_a_row;;) {
            if (this->claimed()) return one_ended();
            if (!awaited_) {
                awaited_ = state_of(from_->next(this->where_));
                if (!awaited_->is_ready() || --budget == 0) return suspend();
            }
            auto got = std::exchange(awaited_, nullptr)->take();
            if (!got) {
                break_off(std::move(got).error());
                return one_ended();
            }
            if (!*got) {
                auto last = make_intrusive<future_state<R>>(executor_ref{});
                from_->finish(last, false);
                last_ = std::move(last);
                return one_ended();
            }
            call(**std::move(got));
            if (must_wait()) return;
        }
    }
    // The loop goes on elsewhere, perhaps before this returns.
    void suspend() noexcept {
        this->add_ref();
        awaited_->attach(*this, told::scheduled);
    }
    void call(T&& item) {
        if constexpr (unwrapped::kind == nesting::none) {
            static_cast<void>(std::invoke(*f_, std::move(item)));
        } else if constexpr (unwrapped::kind == nesting::outcome) {
            auto got = std::invoke(*f_, std::move(item));
            if (!got) break_off(std::move(got).error());
        } else if constexpr (unwrapped::kind == nesting::future) {
            auto inner = state_of(future<value>{std::invoke(*f_, std::move(item))});
            if (inner->is_ready()) return see(inner->take());
            auto one = std::make_unique<begun>(*this);
            one->inner = std::move(inner);
            watch(*one.release());
        } else {
            auto one = std::make_unique<begun>(*this);
            one->item.emplace(std::move(item));
            one->inner = state_of(unwrapped::start(this->where_, std::invoke(*f_, *std::move(one->item))));
            if (one->inner->is_ready()) return see(one->inner->take());
            watch(*one.release());
        }
    }
    void see(result<value> got) noexcept {
        if (!got) break_off(std::move(got).error());
    }
    void watch(begun& one) noexcept {
        bool late = false;
        {
            const std::lock_guard lock{mutex_};
            ++unfinished_;
            one.after = first_;
            if (first_) first_->before = &one;
            first_ = &one;
            late = failed_;
        }
        this->add_ref();
        const auto keep = one.inner;
        keep->attach(one, told::at_once);
        if (late) keep->cancel();
    }
    void ended(begun& one) noexcept {
        const auto keep = intrusive_ptr<for_each_state>::adopt(this);
        // While this one still counts, so that nobody else sees the last one end well.
        if (auto got = one.inner->take(); !got) break_off(std::move(got).error());
        bool wake = false;
        bool last = false;
        {
            const std::lock_guard lock{mutex_};
            (one.before ? one.before->after : first_) = one.after;
            if (one.after) one.after->before = one.before;
            wake = std::exchange(waits_, false);
            last = --unfinished_ == 0;
        }
        delete &one;
        if (last) finish();
        if (!wake) return;
        this->add_ref();
        schedule(static_cast<operation&>(*this));
    }
    // The loop counts as one.
    bool must_wait() noexcept {
        const std::lock_guard lock{mutex_};
        return waits_ = unfinished_ > limit_;
    }
    void one_ended() noexcept {
        {
            const std::lock_guard lock{mutex_};
            if (--unfinished_ > 0) return;
        }
        finish();
    }
    void finish() noexcept {
        f_.reset();
        context_ = nullptr;
        if (last_ && !this->claimed()) this->follow(std::move(last_));
    }
    // Before anybody learns of the failure, the stream and what else was begun are over.
    void break_off(error why) noexcept {
        {
            const std::lock_guard lock{mutex_};
            if (std::exchange(failed_, true)) return;
        }
        from_->abort(why);
        cancel_walk walk;
        visit_begun(walk);
        walk.run();
        this->complete(unexpected{std::move(why)});
    }
    void visit_begun(cancel_walk& walk) noexcept {
        const std::lock_guard lock{mutex_};
        for (auto* one = first_; one; one = one->after) walk.visit(one->inner);
    }

    const intrusive_ptr<stream_core<T, R>> from_;
    const std::size_t limit_;
    context_ptr context_;
    std::optional<F> f_;
    intrusive_ptr<future_state<std::optional<T>>> awaited_;  // By the loop, which alone touches it.
    intrusive_ptr<future_state<R>> last_;
    mutable std::mutex mutex_;  // Guards all that follows.
    begun* first_ = nullptr;
    std::size_t unfinished_ = 1;
    bool waits_ = false;  // The loop does, until one has ended.
    bool failed_ = false;
};

}  // namespace futon::detail
