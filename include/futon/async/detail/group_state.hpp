// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the futures of a `call_group` have in common.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/live_list.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace futon {

/// What becomes of the other futures of a group when one fails.
enum class on_failure : std::uint8_t {
    cancel_rest,  ///< They are cancelled, and so is what is added later.
    run_on,       ///< They go on.
};

namespace detail {

class group_state final : public cancellable, public recycled {
public:
    group_state(executor_ref where, on_failure policy) noexcept : where_{std::move(where)}, policy_{policy} {}
    ~group_state() override {
        if (failure_ && !told_) report_unseen(where_, *failure_);
    }

    template <class T>
    void add(future<T> one) {
        auto state = future_access::take(one);
        if (!state) {
            state = make_intrusive<future_state<T>>(where_);
            state->complete(unexpected{errc::no_state});
        }
        auto* made = new member<T>{intrusive_ptr<group_state>{this}, state};
        {
            const std::lock_guard lock{lock_};
            ++count_;
        }
        const bool wanted = live_.add(*made);
        state->attach(*made, told::at_once);
        if (!wanted) state->cancel();
    }

    [[nodiscard]] intrusive_ptr<future_state<void>> join() {
        auto made = make_intrusive<future_state<void>>(where_ ? where_ : current_executor());
        made->attach_source(intrusive_ptr<cancellable>{this});
        result<void> now;
        {
            const std::lock_guard lock{lock_};
            if (joining_) {
                now = errc::already_satisfied;
            } else if (count_ > 0) {
                joining_ = made;
                return made;
            } else {
                now = outcome();
            }
        }
        made->complete(std::move(now));
        return made;
    }

    void cancel() noexcept override {
        cancel_walk walk;
        walk.run(*this);
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        {
            const std::lock_guard lock{lock_};
            if (!failure_) failure_.emplace(errc::cancelled);
        }
        live_.stop(walk);
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override { return live_.needs_this_thread(); }
    [[nodiscard]] std::string unfinished(int levels) override { return live_.unfinished(levels, "future", "futures"); }

    [[nodiscard]] const executor_ref& where() const noexcept { return where_; }
    [[nodiscard]] std::size_t count() const noexcept {
        const std::lock_guard lock{lock_};
        return count_;
    }

private:
    template <class T>
    class member final : public work, public live_link, public recycled {
    public:
        member(intrusive_ptr<group_state> group, intrusive_ptr<future_state<T>> state) noexcept
            : group_{std::move(group)}, state_{std::move(state)} {}
        void run(bool) noexcept override {
            auto got = state_->take();
            const auto group = std::move(group_);
            group->live_.remove(*this);
            delete this;
            group->ended(got ? std::nullopt : std::optional{std::move(got).error()});
        }
        [[nodiscard]] intrusive_ptr<cancellable> target() const noexcept override { return state_; }

    private:
        intrusive_ptr<group_state> group_;
        const intrusive_ptr<future_state<T>> state_;
    };

    void ended(std::optional<error> why) noexcept {
        bool first = false;
        {
            const std::lock_guard lock{lock_};
            if (why && !failure_) {
                std::swap(failure_, why);
                first = true;
            }
        }
        if (first && policy_ == on_failure::cancel_rest) {
            cancel_walk walk;
            live_.stop(walk);
            walk.run();
        }
        // Only now: the others are cancelled before anybody learns of the failure.
        intrusive_ptr<future_state<void>> joined;
        result<void> with;
        {
            const std::lock_guard lock{lock_};
            if (--count_ > 0 || !joining_) return;
            std::swap(joined, joining_);
            with = outcome();
        }
        joined->complete(std::move(with));
    }
    // Under the lock.
    result<void> outcome() noexcept {
        if (!failure_) return {};
        told_ = true;
        return unexpected{*failure_};
    }

    const executor_ref where_;
    const on_failure policy_;
    live_list live_;
    mutable spin_lock lock_;  // Guards what follows.
    std::size_t count_ = 0;
    std::optional<error> failure_;
    bool told_ = false;
    intrusive_ptr<future_state<void>> joining_;
};

}  // namespace detail
}  // namespace futon
