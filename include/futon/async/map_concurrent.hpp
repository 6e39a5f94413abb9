// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The same work for each item of a range, so many at once and no more.

#include <futon/async/detail/collect.hpp>
#include <futon/async/detail/map_state.hpp>
#include <futon/async/detail/range.hpp>
#include <futon/async/future.hpp>
#include <futon/core/executor.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

template <template <class> class Collect, class R, class F>
[[nodiscard]] auto start_map(executor_ref where, R&& range, std::size_t limit, F&& f) {
    using kept = std::decay_t<R>;
    static_assert(readable_range<kept>,
                  "futon: map_concurrent needs a range: a container, or a view that outlives the future");
    static_assert(std::is_invocable_v<std::decay_t<F>&, range_reference<kept>>,
                  "futon: the callable given to map_concurrent() must take an item of the range");
    using state_type = map_state<kept, std::decay_t<F>, Collect>;
    auto state = make_intrusive<state_type>(std::move(where), std::forward<R>(range), limit, std::forward<F>(f));
    state->first_turn();
    return future<typename Collect<mapped<kept, std::decay_t<F>>>::type>{std::move(state)};
}

}  // namespace detail

/// All `f(item)`, in the order of the items: a vector of values, or nothing where `f` yields `void`.
///
/// At most `limit` are under way at once, and as many as that while there are items; 0 counts as 1. Items are taken
/// from the range when there is room for them, one after the other. `f` may return what a stage may. The first failure
/// cancels what is under way, ends the taking of items, and is the result.
///
/// The first `limit` items are taken inside this call; the others on `where`, else on the executor that this thread is
/// inside of, else on that of the first item's future; all in the context of this call. The range and `f` are moved or
/// copied in, and live until the last `f` has ended: give a view (`std::span`, `std::views::all`) of a container that
/// is not to be copied and lives as long.
/// Cancellation: cancels what is under way; no item is taken after it.
/// Errors: what the range throws; `executor_rejected` or `no_executor` where items are left and nowhere to go on.
/// Cost: one block, one for each item under way, and the results.
template <class R, class F>
[[nodiscard]] auto map_concurrent(executor_ref where, R&& range, std::size_t limit, F&& f) {
    return detail::start_map<detail::collect_values>(std::move(where), std::forward<R>(range), limit,
                                                     std::forward<F>(f));
}
template <class R, class F>
[[nodiscard]] auto map_concurrent(R&& range, std::size_t limit, F&& f) {
    return map_concurrent(current_executor(), std::forward<R>(range), limit, std::forward<F>(f));
}

/// The same, going on after failures: a vector with the `result` of each. It fails only when it is cancelled, or when
/// no more items can be had.
template <class R, class F>
[[nodiscard]] auto map_settled(executor_ref where, R&& range, std::size_t limit, F&& f) {
    return detail::start_map<detail::collect_results>(std::move(where), std::forward<R>(range), limit,
                                                      std::forward<F>(f));
}
template <class R, class F>
[[nodiscard]] auto map_settled(R&& range, std::size_t limit, F&& f) {
    return map_settled(current_executor(), std::forward<R>(range), limit, std::forward<F>(f));
}

/// The same as `map_concurrent`, dropping what `f` yields; its memory does not grow with the number of items.
template <class R, class F>
[[nodiscard]] future<void> for_each_concurrent(executor_ref where, R&& range, std::size_t limit, F&& f) {
    return detail::start_map<detail::collect_nothing>(std::move(where), std::forward<R>(range), limit,
                                                      std::forward<F>(f));
}
template <class R, class F>
[[nodiscard]] future<void> for_each_concurrent(R&& range, std::size_t limit, F&& f) {
    return for_each_concurrent(current_executor(), std::forward<R>(range), limit, std::forward<F>(f));
}

}  // namespace futon
