// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits for several futures, all of which must succeed.

#include <futon/async/detail/combined.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/future.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {
namespace detail {

template <class Derived, class T>
class all_state : public combined_state<Derived, T> {
public:
    using combined_state<Derived, T>::combined_state;

protected:
    template <class Input>
    void one_arrived(Input& one) noexcept {
        // Values stay where they are until all are there.
        if (!one.state().has_value()) {
            auto why = one.state().take().error();
            if (this->claim()) {
                this->cancel_all_but(&one);
                this->publish(unexpected{std::move(why)});
            }
        }
        if (this->is_last() && this->claim()) this->publish(static_cast<Derived&>(*this).gather());
    }
};

template <class... T>
class all_of_tuple final : public all_state<all_of_tuple<T...>, std::tuple<value_in_tuple<T>...>>,
                           public tuple_inputs<all_of_tuple<T...>, T...> {
    using values = std::tuple<value_in_tuple<T>...>;

public:
    explicit all_of_tuple(executor_ref where, future<T>&... from)
        : all_state<all_of_tuple, values>{std::move(where)}, tuple_inputs<all_of_tuple, T...>{*this, from...} {}
    void arrived(std::size_t index) noexcept {
        this->at(index, [&](auto& one, auto) { this->one_arrived(one); });
    }
    result<values> gather() noexcept {
        return std::apply([](auto&... one) { return result<values>{std::in_place, value_of(one)...}; }, this->inputs_);
    }

private:
    template <class Owner, class V>
    static value_in_tuple<V> value_of(input<Owner, V>& one) noexcept {
        if constexpr (std::is_void_v<V>) {
            static_cast<void>(one.state().take());
            return {};
        } else {
            return *one.state().take();
        }
    }
};

template <class T>
using all_values = std::conditional_t<std::is_void_v<T>, void, std::vector<value_in_tuple<T>>>;

template <class T>
class all_of_range final : public all_state<all_of_range<T>, all_values<T>>, public range_inputs<all_of_range<T>, T> {
public:
    all_of_range(executor_ref where, std::vector<future<T>> from)
        : all_state<all_of_range, all_values<T>>{std::move(where)},
          range_inputs<all_of_range, T>{*this, std::move(from)} {}
    void arrived(std::size_t index) noexcept { this->one_arrived(this->inputs_[index]); }
    result<all_values<T>> gather() noexcept {
        if constexpr (std::is_void_v<T>) {
            this->each([](auto& one) { static_cast<void>(one.state().take()); });
            return {};
        } else {
            all_values<T> values;
            try {
                values.reserve(this->count());
                this->each([&](auto& one) { values.push_back(*one.state().take()); });
            } catch (...) {
                return unexpected{error::from_exception(std::current_exception(), executed::yes)};
            }
            return values;
        }
    }
};

}  // namespace detail

/// A tuple of all values, in order; `void` becomes `std::monostate`.
///
/// The first failure cancels the others and is the result at once. Its stages run where this thread is, else
/// where the first input that has an executor runs its own; or on `where`.
/// Failures of inputs count as seen. An empty future fails it with `no_state`.
/// Cost: one block, whatever the number of inputs.
template <class... T>
[[nodiscard]] future<std::tuple<detail::value_in_tuple<T>...>> when_all(executor_ref where, future<T>... futures) {
    auto state = detail::make_intrusive<detail::all_of_tuple<T...>>(std::move(where), futures...);
    if constexpr (sizeof...(T) == 0) {
        state->complete(std::tuple<>{});
    } else {
        state->begin();
    }
    return future<std::tuple<detail::value_in_tuple<T>...>>{std::move(state)};
}
template <class... T>
[[nodiscard]] auto when_all(future<T>... futures) {
    auto where = detail::place_of(futures...);
    return when_all(std::move(where), std::move(futures)...);
}

/// The same with coroutines among the futures, which begin there.
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto when_all(executor_ref where, X... some) {
    return when_all(where, detail::begun(where, std::move(some))...);
}
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto when_all(X... some) {
    auto where = detail::place_among(some...);
    return when_all(std::move(where), std::move(some)...);
}

/// The same for a range of futures, which are moved out of it: a vector of all values, or nothing for `void`.
template <detail::range_of_futures R>
[[nodiscard]] auto when_all(executor_ref where, R&& range) {
    using value = detail::range_future_value<R>;
    auto futures = detail::moved_out(std::forward<R>(range));
    const bool empty = futures.empty();
    auto state = detail::make_intrusive<detail::all_of_range<value>>(std::move(where), std::move(futures));
    if (empty) {
        state->complete(result<detail::all_values<value>>{});
    } else {
        state->begin();
    }
    return future<detail::all_values<value>>{std::move(state)};
}
template <detail::range_of_futures R>
[[nodiscard]] auto when_all(R&& range) {
    auto futures = detail::moved_out(std::forward<R>(range));
    auto where = detail::place_of_all(futures);
    return when_all(std::move(where), std::move(futures));
}

}  // namespace futon
