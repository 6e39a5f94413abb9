// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits for the first of several futures.

#include <futon/async/detail/any_value.hpp>
#include <futon/async/detail/combined.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/future.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace futon {

/// The first future to finish, with a value or an error.
template <class T>
struct first_finished {
    std::size_t index = 0;  ///< Its position among the inputs.
    result<T> outcome;      ///< What it yielded.
};

namespace detail {

template <class Derived, class T>
class any_state : public combined_state<Derived, first_finished<T>> {
public:
    using combined_state<Derived, first_finished<T>>::combined_state;

protected:
    // Losers' results are dropped here, so that they count as seen.
    template <class Input, class Wrap>
    void one_arrived(Input& one, std::size_t index, Wrap wrap) noexcept {
        auto got = one.state().take();
        if (!this->claim()) return;
        this->cancel_all_but(&one);
        this->publish(first_finished<T>{index, wrap(std::move(got))});
    }
};

template <class... T>
class any_of_tuple final : public any_state<any_of_tuple<T...>, any_value<T...>>,
                           public tuple_inputs<any_of_tuple<T...>, T...> {
    using value = any_value<T...>;

public:
    explicit any_of_tuple(executor_ref where, future<T>&... from)
        : any_state<any_of_tuple, value>{std::move(where)}, tuple_inputs<any_of_tuple, T...>{*this, from...} {}
    void arrived(std::size_t index) noexcept {
        this->at(index, [&]<std::size_t I>(auto& one, std::integral_constant<std::size_t, I>) {
            this->one_arrived(one, I, [](auto&& got) { return as_any_value<value, I>(std::move(got)); });
        });
    }
};

template <class T>
class any_of_range final : public any_state<any_of_range<T>, T>, public range_inputs<any_of_range<T>, T> {
public:
    any_of_range(executor_ref where, std::vector<future<T>> from)
        : any_state<any_of_range, T>{std::move(where)}, range_inputs<any_of_range, T>{*this, std::move(from)} {}
    void arrived(std::size_t index) noexcept {
        this->one_arrived(this->inputs_[index], index, [](result<T>&& got) { return std::move(got); });
    }
};

}  // namespace detail

/// The first to finish, with a value or an error; the others are cancelled before its stages are queued.
///
/// Inputs of one type `T` give `first_finished<T>`; of several, `first_finished<std::variant<...>>` with one
/// alternative per input (`void` becomes `std::monostate`), whose index is the input's.
/// Losers' failures count as seen. Stages run as those of `when_all`.
template <class First, class... Rest>
[[nodiscard]] auto when_any(executor_ref where, future<First> first, future<Rest>... rest) {
    using value = detail::any_value<First, Rest...>;
    auto state = detail::make_intrusive<detail::any_of_tuple<First, Rest...>>(std::move(where), first, rest...);
    state->begin();
    return future<first_finished<value>>{std::move(state)};
}
template <class First, class... Rest>
[[nodiscard]] auto when_any(future<First> first, future<Rest>... rest) {
    auto where = detail::place_of(first, rest...);
    return when_any(std::move(where), std::move(first), std::move(rest)...);
}

/// The same with coroutines among the futures, which begin there.
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto when_any(executor_ref where, X... some) {
    return when_any(where, detail::begun(where, std::move(some))...);
}
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto when_any(X... some) {
    auto where = detail::place_among(some...);
    return when_any(std::move(where), std::move(some)...);
}

/// The same for a range of futures, which are moved out of it. Of none, the result is the error `no_state`.
template <detail::range_of_futures R>
[[nodiscard]] auto when_any(executor_ref where, R&& range) {
    using value = detail::range_future_value<R>;
    auto futures = detail::moved_out(std::forward<R>(range));
    const bool empty = futures.empty();
    auto state = detail::make_intrusive<detail::any_of_range<value>>(std::move(where), std::move(futures));
    if (empty) {
        state->fail(error{errc::no_state, "when_any was given no futures"});
    } else {
        state->begin();
    }
    return future<first_finished<value>>{std::move(state)};
}
template <detail::range_of_futures R>
[[nodiscard]] auto when_any(R&& range) {
    auto futures = detail::moved_out(std::forward<R>(range));
    auto where = detail::place_of_all(futures);
    return when_any(std::move(where), std::move(futures));
}

}  // namespace futon
