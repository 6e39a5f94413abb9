// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who wants to know when a client has a connection.

#include <futon/async/future.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace futon::detail {

/// Guarded by its channel's lock, but for what says otherwise.
class ready_waiters {
public:
    using waiter = std::shared_ptr<promise<void>>;
    using list = std::vector<waiter>;

    void add(waiter told) {
        // Those that gave up make room: somebody may ask again and again while nobody answers.
        if (waiting_.size() == waiting_.capacity()) std::erase_if(waiting_, gave_up);
        waiting_.push_back(std::move(told));
    }
    /// Whether nobody waits who has not given up.
    [[nodiscard]] bool empty() const noexcept { return std::ranges::all_of(waiting_, gave_up); }
    [[nodiscard]] std::size_t held() const noexcept { return waiting_.size(); }
    [[nodiscard]] list take_all() noexcept { return std::exchange(waiting_, {}); }

    /// Thread-safety: safe.
    static void tell(const list& all, const result<void>& how) noexcept {
        for (const auto& each : all) each->try_set(how);
    }

private:
    static bool gave_up(const waiter& each) noexcept { return each->cancel_requested(); }

    list waiting_;
};

}  // namespace futon::detail
