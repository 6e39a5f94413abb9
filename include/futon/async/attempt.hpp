// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `retry` and `hedge` tell the work that they begin, and the budget that their extra attempts share.

#include <futon/core/executor.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace futon {

/// Which attempt this is.
struct attempt {
    int number = 1;  ///< 1 for the first.
};

/// One `retry_budget` for any number of retries and hedges, e.g. of all that call one service.
///
/// Copies share it. A default-made one is empty: it never refuses.
/// Thread-safety: safe.
class shared_retry_budget {
public:
    shared_retry_budget() = default;
    explicit shared_retry_budget(retry_budget budget) : state_{std::make_shared<state>(std::move(budget))} {}

    /// A first attempt begins.
    void earn() const noexcept {
        if (!state_) return;
        const std::lock_guard lock{state_->mutex};
        state_->budget.earn();
    }
    /// Takes one extra attempt out of it; false if there is none.
    [[nodiscard]] bool spend(time_point now) const noexcept {
        if (!state_) return true;
        const std::lock_guard lock{state_->mutex};
        return state_->budget.spend(now);
    }

private:
    struct state {
        explicit state(retry_budget given) : budget{std::move(given)} {}
        std::mutex mutex;
        retry_budget budget;
    };
    std::shared_ptr<state> state_;
};

namespace detail {

/// A callable that may take the attempt, or nothing.
template <class F>
struct per_attempt {
    static_assert(std::is_invocable_v<F&, attempt> || std::is_invocable_v<F&>,
                  "futon: the callable given to retry() or hedge() must take a futon::attempt, or nothing");
    F f;
    decltype(auto) operator()(attempt which) {
        if constexpr (std::is_invocable_v<F&, attempt>) {
            return f(which);
        } else {
            return f();
        }
    }
};

}  // namespace detail
}  // namespace futon
