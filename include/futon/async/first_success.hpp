// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits for the first of several futures that succeeds.

#include <futon/async/detail/any_value.hpp>
#include <futon/async/detail/combined.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/future.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace futon {
namespace detail {

template <class Derived, class T>
class success_state : public combined_state<Derived, T> {
public:
    using combined_state<Derived, T>::combined_state;

protected:
    template <class Input, class Wrap>
    void one_arrived(Input& one, std::size_t index, Wrap wrap,
                     std::span<std::optional<input_failure>> failures) noexcept {
        auto got = one.state().take();
        if (got) {
            if (!this->claim()) return;
            this->cancel_all_but(&one);
            this->publish(wrap(std::move(got)));
            return;
        }
        failures[index].emplace(index, std::move(got).error());
        if (!this->is_last() || !this->claim()) return;
        this->publish(unexpected{
            all_failed_with("none of " + std::to_string(failures.size()) + " succeeded", failures.size(), failures)});
    }
};

template <class... T>
class success_of_tuple final : public success_state<success_of_tuple<T...>, any_value<T...>>,
                               public tuple_inputs<success_of_tuple<T...>, T...> {
    using value = any_value<T...>;

public:
    explicit success_of_tuple(executor_ref where, future<T>&... from)
        : success_state<success_of_tuple, value>{std::move(where)},
          tuple_inputs<success_of_tuple, T...>{*this, from...} {}
    void arrived(std::size_t index) noexcept {
        this->at(index, [&]<std::size_t I>(auto& one, std::integral_constant<std::size_t, I>) {
            this->one_arrived(
                one, I, [](auto&& got) { return as_any_value<value, I>(std::move(got)); }, failures_);
        });
    }

private:
    std::array<std::optional<input_failure>, sizeof...(T)> failures_;
};

template <class T>
class success_of_range final : public success_state<success_of_range<T>, T>,
                               public range_inputs<success_of_range<T>, T> {
public:
    success_of_range(executor_ref where, std::vector<future<T>> from)
        : success_state<success_of_range, T>{std::move(where)},
          range_inputs<success_of_range, T>{*this, std::move(from)},
          failures_(this->count()) {}
    void arrived(std::size_t index) noexcept {
        this->one_arrived(
            this->inputs_[index], index, [](result<T>&& got) { return std::move(got); }, failures_);
    }

private:
    std::vector<std::optional<input_failure>> failures_;
};

}  // namespace detail

/// The first value; the others are cancelled before its stages are queued.
///
/// Inputs of one type `T` give `T`; of several, a `std::variant` with one alternative per input, as in `when_any`.
/// Errors: `all_failed` when each has failed, with every error in its message; `executed::no` only if that holds for
/// all of them. `cancelled` where all were cancelled.
/// Failures of inputs count as seen. Stages run as those of `when_all`. Cost: one block.
template <class First, class... Rest>
[[nodiscard]] auto first_success(executor_ref where, future<First> first, future<Rest>... rest) {
    using value = detail::any_value<First, Rest...>;
    auto state = detail::make_intrusive<detail::success_of_tuple<First, Rest...>>(std::move(where), first, rest...);
    state->begin();
    return future<value>{std::move(state)};
}
template <class First, class... Rest>
[[nodiscard]] auto first_success(future<First> first, future<Rest>... rest) {
    auto where = detail::place_of(first, rest...);
    return first_success(std::move(where), std::move(first), std::move(rest)...);
}

/// The same with coroutines among the futures, which begin there.
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto first_success(executor_ref where, X... some) {
    return first_success(where, detail::begun(where, std::move(some))...);
}
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto first_success(X... some) {
    auto where = detail::place_among(some...);
    return first_success(std::move(where), std::move(some)...);
}

/// The same for a range of futures, which are moved out of it. Of none, the result is the error `no_state`.
template <detail::range_of_futures R>
[[nodiscard]] auto first_success(executor_ref where, R&& range) {
    using value = detail::range_future_value<R>;
    auto futures = detail::moved_out(std::forward<R>(range));
    const bool empty = futures.empty();
    auto state = detail::make_intrusive<detail::success_of_range<value>>(std::move(where), std::move(futures));
    if (empty) {
        state->fail(error{errc::no_state, "first_success was given no futures"});
    } else {
        state->begin();
    }
    return future<value>{std::move(state)};
}
template <detail::range_of_futures R>
[[nodiscard]] auto first_success(R&& range) {
    auto futures = detail::moved_out(std::forward<R>(range));
    auto where = detail::place_of_all(futures);
    return first_success(std::move(where), std::move(futures));
}

}  // namespace futon
