// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls what a user gave to be called again and again, and makes a future of whatever it returns.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace futon::detail {

template <class T>
[[nodiscard]] intrusive_ptr<future_state<T>> ready_state(const executor_ref& where, result<T> with) {
    auto state = make_intrusive<future_state<T>>(where);
    state->complete(std::move(with));
    return state;
}

/// `f(args...)`, which stays alive until what it returned has ended. What it throws is the failure.
template <class F, class... Args>
[[nodiscard]] auto begin_work(const executor_ref& where, F& f, Args&&... args) noexcept
    -> intrusive_ptr<future_state<flattened<std::invoke_result_t<F&, Args...>>>> {
    using returned = std::invoke_result_t<F&, Args...>;
    using unwrapped = flattening<std::remove_cvref_t<returned>>;
    using T = typename unwrapped::value;
    try {
        if constexpr (std::is_void_v<returned>) {
            std::invoke(f, std::forward<Args>(args)...);
            return ready_state<void>(where, {});
        } else if constexpr (unwrapped::kind == nesting::none) {
            return ready_state<T>(where, result<T>{std::in_place, std::invoke(f, std::forward<Args>(args)...)});
        } else if constexpr (unwrapped::kind == nesting::outcome) {
            return ready_state<T>(where, std::invoke(f, std::forward<Args>(args)...));
        } else {
            future<T> made;
            if constexpr (unwrapped::kind == nesting::future) {
                made = std::invoke(f, std::forward<Args>(args)...);
            } else {
                made = unwrapped::start(where, std::invoke(f, std::forward<Args>(args)...));
            }
            if (auto state = future_access::take(made)) return state;
            return ready_state<T>(where, errc::no_state);
        }
    } catch (...) {
        return ready_state<T>(where, unexpected{error::from_exception(std::current_exception(), executed::yes)});
    }
}

/// The error after `attempts`: of the last, saying how many there were and whether any of them may have run.
[[nodiscard]] inline error after_attempts(error last, int attempts, executed ran) {
    auto where = std::to_string(attempts) + (attempts == 1 ? " attempt" : " attempts");
    if (!last.where().empty()) where.append(" of ").append(last.where());
    return last.with_where(std::move(where)).with_executed(ran);
}

}  // namespace futon::detail
