// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What combinators share: the futures that they wait for, each with its own link in the combinator's block.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/range.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/work.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace futon::detail {

// What is being released in turn on this thread.
[[gnu::noinline]] inline work_queue*& releasing() noexcept {
    thread_local work_queue* queue = nullptr;
    return queue;
}
/// Inputs that hold inputs that hold inputs go one after another, without growing the stack.
inline void release_in_turn(intrusive_ptr<operation> held) noexcept {
    // Whoever holds the only reference knows that it stands in no queue.
    if (!held->unique()) return;
    auto*& queue = releasing();
    if (queue) return queue->push(*held.detach());
    work_queue own;
    queue = &own;
    held = nullptr;
    while (auto* next = own.pop()) static_cast<operation*>(next)->release();
    queue = nullptr;
}

/// One input of a combinator. `Owner` has `arrived(index)` and holds the inputs until it is destroyed.
template <class Owner, class T>
class input final : public work {
public:
    input() = default;
    // What was not looked at, e.g. a loser's failure, counts as seen.
    ~input() override {
        if (!state_) return;
        if (state_->is_ready()) state_->discard();
        release_in_turn(std::move(state_));
    }
    void hold(Owner& owner, std::size_t index, future<T>& from) {
        owner_ = &owner;
        index_ = index;
        state_ = future_access::take(from);
        if (!state_) {
            state_ = make_intrusive<future_state<T>>(executor_ref{});
            state_->complete(unexpected{errc::no_state});
        }
    }
    /// With a reference to the owner for each input.
    void begin() noexcept {
        owner_->add_ref();
        state_->attach(*this, told::at_once);
    }
    void run(bool) noexcept override {
        const auto keep = intrusive_ptr<Owner>::adopt(owner_);
        owner_->arrived(index_);
    }
    [[nodiscard]] future_state<T>& state() const noexcept { return *state_; }
    [[nodiscard]] intrusive_ptr<cancellable> target() const noexcept { return state_; }

private:
    Owner* owner_ = nullptr;
    std::size_t index_ = 0;
    intrusive_ptr<future_state<T>> state_;
};

/// The inputs of a combinator that was given each as an argument.
template <class Owner, class... T>
class tuple_inputs {
public:
    static constexpr std::size_t count() noexcept { return sizeof...(T); }
    template <class F>
    void each(F f) {
        std::apply([&](auto&... one) { (f(one), ...); }, inputs_);
    }
    /// Calls `f` with the input at `index` and the index as a constant.
    template <class F>
    void at(std::size_t index, F f) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>(
                ((I == index && (f(std::get<I>(inputs_), std::integral_constant<std::size_t, I>{}), true)) || ...));
        }(std::index_sequence_for<T...>{});
    }

protected:
    tuple_inputs(Owner& owner, future<T>&... from) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (std::get<I>(inputs_).hold(owner, I, from), ...);
        }(std::index_sequence_for<T...>{});
    }
    std::tuple<input<Owner, T>...> inputs_;
};

/// The inputs of a combinator that was given a range.
template <class Owner, class T>
class range_inputs {
public:
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    template <class F>
    void each(F f) {
        for (std::size_t i = 0; i < count_; ++i) f(inputs_[i]);
    }
    template <class F>
    void at(std::size_t index, F f) {
        f(inputs_[index], index);
    }

protected:
    range_inputs(Owner& owner, std::vector<future<T>> from)
        : count_{from.size()}, inputs_{std::make_unique<input<Owner, T>[]>(count_)} {
        for (std::size_t i = 0; i < count_; ++i) inputs_[i].hold(owner, i, from[i]);
    }
    std::size_t count_;
    std::unique_ptr<input<Owner, T>[]> inputs_;
};

// How many combinators the search for what a blocked thread would hold up is inside of: it recurses.
class combinator_level {
public:
    combinator_level() noexcept { ++depth(); }
    combinator_level(const combinator_level&) = delete;
    combinator_level& operator=(const combinator_level&) = delete;
    ~combinator_level() { --depth(); }
    [[nodiscard]] bool is_too_deep() const noexcept { return depth() > 64; }

private:
    [[gnu::noinline]] static int& depth() noexcept {
        thread_local int levels = 0;
        return levels;
    }
};

/// Whether an input, or anything that it waits for, is held up while this thread blocks; of combinators in combinators,
/// as many levels as code can be expected to have.
[[nodiscard]] inline bool blocks_this_thread(cancellable& input) noexcept {
    if (input.needs_this_thread()) return true;
    const combinator_level level;
    if (level.is_too_deep()) return false;
    for (auto at = input.upstream(); at; at = at->upstream())
        if (at->needs_this_thread()) return true;
    return false;
}

template <class T>
using value_in_tuple = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class R>
concept range_of_futures = readable_range<R> && requires { typename range_value<R>::value_type; } &&
                           std::is_same_v<range_value<R>, future<typename range_value<R>::value_type>>;
template <class R>
using range_future_value = typename range_value<R>::value_type;

/// The futures of a range, moved out of it.
template <class R>
[[nodiscard]] auto moved_out(R&& range) {
    using value = range_value<R>;
    if constexpr (std::is_same_v<std::decay_t<R>, std::vector<value>> && !std::is_lvalue_reference_v<R>) {
        return std::move(range);
    } else {
        std::vector<value> moved;
        for (auto&& one : range) moved.push_back(std::move(one));
        return moved;
    }
}

/// Where a combinator's continuations run: where this thread is, else where its inputs are.
template <class... Futures>
[[nodiscard]] executor_ref place_of(const Futures&... futures) noexcept {
    auto place = current_executor();
    static_cast<void>((... || (place || (place = futures.executor(), static_cast<bool>(place)))));
    return place;
}
template <class T>
[[nodiscard]] executor_ref place_of_all(const std::vector<future<T>>& futures) noexcept {
    auto place = current_executor();
    for (std::size_t i = 0; !place && i < futures.size(); ++i) place = futures[i].executor();
    return place;
}

template <class X>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<future<T>> = true;

// Futures and coroutines, not all of them futures: those have overloads of their own.
template <class X>
concept future_or_coroutine = is_future<X> || (std::movable<X> && flattening<X>::kind == nesting::coroutine);
template <class... X>
concept some_coroutines = (future_or_coroutine<X> && ...) && !(is_future<X> && ...);

/// A future as it is; a coroutine begun on `where`.
template <class X>
[[nodiscard]] auto begun(const executor_ref& where, X&& one) {
    if constexpr (is_future<std::remove_cvref_t<X>>) {
        return std::forward<X>(one);
    } else {
        return flattening<std::remove_cvref_t<X>>::start(where, std::forward<X>(one));
    }
}
// Coroutines run where the futures beside them do, if this thread is nowhere.
template <class X>
[[nodiscard]] executor_ref place_in(const X& one) noexcept {
    if constexpr (is_future<X>) {
        return one.executor();
    } else {
        return {};
    }
}
template <class... X>
[[nodiscard]] executor_ref place_among(const X&... some) noexcept {
    auto place = current_executor();
    static_cast<void>((... || (place || (place = place_in(some), static_cast<bool>(place)))));
    return place;
}

}  // namespace futon::detail
