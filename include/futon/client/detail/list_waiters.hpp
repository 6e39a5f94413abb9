// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who wants to know all providers of a service before its registry has told any.

#include <futon/async/future.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace futon::detail {

/// Guarded by its channel's lock, but for what says otherwise.
class list_waiters {
public:
    using list = std::vector<endpoint>;

    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    /// `left`: how long at most.
    [[nodiscard]] future<list> add(const executor_ref& where, const call& which, duration left) {
        // Those that gave up make room.
        std::erase_if(waiting_, [](const waiter& each) { return each.told->cancel_requested(); });
        auto told = std::make_shared<promise<list>>(where);
        auto found = told->get_future();
        waiting_.push_back({told, intrusive_ptr<const call>{&which}});
        if (left == duration::max()) return found;
        return std::move(found).timeout(left);
    }

    struct settlement {
        std::shared_ptr<promise<list>> told;
        result<list> what;
    };
    using settled = std::vector<settlement>;
    /// To be told without the lock: `known(call)` says what.
    template <class Known>
    [[nodiscard]] settled settle(Known known) {
        settled all;
        for (auto& each : std::exchange(waiting_, {})) {
            auto what = known(*each.which);
            if (!what) what = std::move(what).error().with_where(each.which->request.method->full_name());
            all.push_back({std::move(each.told), std::move(what)});
        }
        return all;
    }
    /// Thread-safety: safe.
    static void tell(settled all) {
        for (auto& each : all) each.told->try_set(std::move(each.what));
    }

private:
    struct waiter {
        std::shared_ptr<promise<list>> told;
        intrusive_ptr<const call> which;
    };
    std::vector<waiter> waiting_;
};

}  // namespace futon::detail
