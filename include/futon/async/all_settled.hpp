// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits for several futures to finish, well or badly.

#include <futon/async/detail/combined.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/future.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <exception>
#include <tuple>
#include <utility>
#include <vector>

namespace futon {
namespace detail {

template <class... T>
class settled_tuple final : public combined_state<settled_tuple<T...>, std::tuple<result<T>...>>,
                            public tuple_inputs<settled_tuple<T...>, T...> {
    using results = std::tuple<result<T>...>;

public:
    explicit settled_tuple(executor_ref where, future<T>&... from)
        : combined_state<settled_tuple, results>{std::move(where)}, tuple_inputs<settled_tuple, T...>{*this, from...} {}
    void arrived(std::size_t) noexcept {
        if (!this->is_last() || !this->claim()) return;
        this->publish(std::apply(
            [](auto&... one) {
                return result<results>{std::in_place, one.state().take()...};
            },
            this->inputs_));
    }
};

template <class T>
class settled_range final : public combined_state<settled_range<T>, std::vector<result<T>>>,
                            public range_inputs<settled_range<T>, T> {
public:
    settled_range(executor_ref where, std::vector<future<T>> from)
        : combined_state<settled_range, std::vector<result<T>>>{std::move(where)},
          range_inputs<settled_range, T>{*this, std::move(from)} {}
    void arrived(std::size_t) noexcept {
        if (this->is_last() && this->claim()) this->publish(gather());
    }

private:
    result<std::vector<result<T>>> gather() noexcept {
        std::vector<result<T>> results;
        try {
            results.reserve(this->count());
            this->each([&](auto& one) { results.push_back(one.state().take()); });
        } catch (...) {
            return unexpected{error::from_exception(std::current_exception(), executed::yes)};
        }
        return results;
    }
};

}  // namespace detail

/// A tuple of the `result` of each, in order, when the last has finished. It never fails, but for want of memory.
///
/// Cancelling it cancels every input, and it then holds what each made of that. Failures in it count as seen.
/// An empty future is a result with `no_state`. Stages run as those of `when_all`. Cost: one block.
template <class... T>
[[nodiscard]] future<std::tuple<result<T>...>> all_settled(executor_ref where, future<T>... futures) {
    auto state = detail::make_intrusive<detail::settled_tuple<T...>>(std::move(where), futures...);
    if constexpr (sizeof...(T) == 0) {
        state->complete(std::tuple<>{});
    } else {
        state->begin();
    }
    return future<std::tuple<result<T>...>>{std::move(state)};
}
template <class... T>
[[nodiscard]] auto all_settled(future<T>... futures) {
    auto where = detail::place_of(futures...);
    return all_settled(std::move(where), std::move(futures)...);
}

/// The same with coroutines among the futures, which begin there.
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto all_settled(executor_ref where, X... some) {
    return all_settled(where, detail::begun(where, std::move(some))...);
}
template <class... X>
    requires detail::some_coroutines<X...>
[[nodiscard]] auto all_settled(X... some) {
    auto where = detail::place_among(some...);
    return all_settled(std::move(where), std::move(some)...);
}

/// The same for a range of futures, which are moved out of it: a vector with the `result` of each.
template <detail::range_of_futures R>
[[nodiscard]] auto all_settled(executor_ref where, R&& range) {
    using value = detail::range_future_value<R>;
    auto futures = detail::moved_out(std::forward<R>(range));
    const bool empty = futures.empty();
    auto state = detail::make_intrusive<detail::settled_range<value>>(std::move(where), std::move(futures));
    if (empty) {
        state->complete(std::vector<result<value>>{});
    } else {
        state->begin();
    }
    return future<std::vector<result<value>>>{std::move(state)};
}
template <detail::range_of_futures R>
[[nodiscard]] auto all_settled(R&& range) {
    auto futures = detail::moved_out(std::forward<R>(range));
    auto where = detail::place_of_all(futures);
    return all_settled(std::move(where), std::move(futures));
}

}  // namespace futon
