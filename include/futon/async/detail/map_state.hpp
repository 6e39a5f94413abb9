// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls a function for each item of a range, with a bounded number of answers awaited at once.

#include <futon/async/detail/begin_work.hpp>
#include <futon/async/detail/driven.hpp>
#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/live_list.hpp>
#include <futon/async/detail/range.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/async/detail/stage.hpp>
#include <futon/async/detail/steps.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace futon::detail {

/// What `F` yields for an item of `Range`.
template <class Range, class F>
using mapped = flattened<std::invoke_result_t<F&, range_reference<Range>>>;

template <class Range, class F, template <class> class Collect>
class map_state final : public driven_state<map_state<Range, F, Collect>, typename Collect<mapped<Range, F>>::type> {
    using T = mapped<Range, F>;
    using collected = typename Collect<T>::type;

public:
    map_state(executor_ref where, Range range, std::size_t limit, F f)
        : driven_state<map_state, collected>{std::move(where)},
          context_{current_context()},
          limit_{std::max<std::size_t>(1, limit)},
          work_{std::in_place, std::move(range), std::move(f)} {}

    void turn(bool accepted) noexcept {
        take_arrived();
        if (!this->claimed()) {
            if (live_.is_stopped()) {
                if (running_ == 0) finish(unexpected{errc::cancelled});
            } else {
                pull(accepted);
            }
        }
        // A coroutine that is being cancelled may still use what the callable holds.
        if (running_ == 0 && this->claimed()) let_go();
    }

    void cancel_step(cancel_walk& walk) noexcept override {
        if (this->claimed()) return;
        live_.stop(walk);
        // Where nothing is under way, nothing would tell.
        this->signal();
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override {
        return driven_state<map_state, collected>::needs_this_thread() || live_.needs_this_thread();
    }
    [[nodiscard]] std::string unfinished(int levels) override { return live_.unfinished(levels, "item", "items"); }
    void fire(bool) noexcept override {}

private:
    // What the range makes only to be looked at, a coroutine looks at later.
    using reference = range_reference<Range>;
    static constexpr bool keeps_item = !std::is_reference_v<reference> && begins_coroutine<F&, reference>();
    using kept_item = std::remove_cvref_t<reference>;
    using kept_pointer = std::conditional_t<keeps_item, std::unique_ptr<kept_item>, std::monostate>;

    class item final : public work, public live_link, public recycled {
    public:
        item(map_state& owner, std::size_t number, intrusive_ptr<future_state<T>> awaited, kept_pointer kept) noexcept
            : index{number}, state{std::move(awaited)}, owner_{owner}, kept_{std::move(kept)} {}
        void run(bool) noexcept override {
            const auto keep = intrusive_ptr<map_state>::adopt(&owner_);
            owner_.arrived(*this);
        }
        [[nodiscard]] intrusive_ptr<cancellable> target() const noexcept override { return state; }
        [[nodiscard]] std::optional<std::size_t> number() const noexcept override { return index; }

        const std::size_t index;
        const intrusive_ptr<future_state<T>> state;

    private:
        map_state& owner_;
        [[no_unique_address]] kept_pointer kept_;
    };

    struct work_to_do {
        work_to_do(Range given, F callable) : range{std::move(given)}, f{std::move(callable)} {}
        Range range;
        F f;
        std::optional<range_iterator<Range>> at;

        // False at the end. No further ahead than asked for: an item may be costly to make.
        bool advance() {
            if (at) {
                ++*at;
            } else {
                at.emplace(std::begin(range));
            }
            return *at != std::end(range);
        }
    };

    void arrived(item& one) noexcept {
        live_.remove(one);
        {
            const std::lock_guard lock{lock_};
            arrived_.push(one);
        }
        this->signal();
    }

    void take_arrived() noexcept {
        for (;;) {
            work* next = nullptr;
            {
                const std::lock_guard lock{lock_};
                next = arrived_.pop();
            }
            if (!next) return;
            auto* one = static_cast<item*>(next);
            const auto index = one->index;
            auto got = one->state->take();
            delete one;
            --running_;
            if (this->claimed()) continue;
            std::optional<error> why;
            try {
                why = kept_.keep(index, std::move(got));
            } catch (...) {
                why = error::from_exception(std::current_exception(), executed::yes);
            }
            if (why) finish(unexpected{*std::move(why)});
        }
    }

    void pull(bool accepted) noexcept {
        // A member of this, for user code may let go of it.
        const auto context = context_;
        const context_scope scope{context.get()};
        std::optional<error> thrown;
        try {
            while (running_ < limit_ && !exhausted_) {
                if (!accepted && !all_begun()) return finish(unexpected{refused_by(this->where_, nullptr)});
                if (!accepted || !work_->advance()) {
                    exhausted_ = true;
                    break;
                }
                if constexpr (keeps_item) {
                    auto kept = std::make_unique<kept_item>(**work_->at);
                    auto made = begin_work(this->where_, work_->f, std::move(*kept));
                    begin(std::move(made), std::move(kept));
                } else {
                    begin(begin_work(this->where_, work_->f, **work_->at), {});
                }
                if (this->claimed() || live_.is_stopped()) return;
            }
            if (exhausted_ && running_ == 0) finish(kept_.take());
        } catch (...) {
            thrown = error::from_exception(std::current_exception(), executed::yes);
        }
        if (thrown) finish(unexpected{*std::move(thrown)});
    }

    // Where that can be told without going on to the next.
    bool all_begun() {
        if constexpr (counted_range<Range>) {
            return next_ >= static_cast<std::size_t>(std::size(work_->range));
        } else {
            return false;
        }
    }
    void begin(intrusive_ptr<future_state<T>> made, kept_pointer kept) {
        if (!this->where_ && next_ == 0) this->where_ = made->where();
        auto* one = new item{*this, next_, made, std::move(kept)};
        ++next_;
        ++running_;
        const bool wanted = live_.add(*one);
        this->add_ref();
        made->attach(*one, told::at_once);
        if (!wanted) made->cancel();
    }

    void finish(result<collected> with) noexcept {
        if (!this->claim()) return;
        if (running_ > 0) {
            // They are over before anybody learns of the failure.
            cancel_walk walk;
            live_.stop(walk);
            walk.run();
        } else {
            let_go();
        }
        this->publish(std::move(with));
    }
    void let_go() noexcept {
        work_.reset();
        context_ = nullptr;
    }

    context_ptr context_;
    const std::size_t limit_;
    std::optional<work_to_do> work_;
    Collect<T> kept_;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
    bool exhausted_ = false;

    live_list live_;
    spin_lock lock_;  // Guards what has arrived.
    work_queue arrived_;
};

}  // namespace futon::detail
