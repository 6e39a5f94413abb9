// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Collects the calls of a client from its queue and from its connections, each on its own thread.

#include <futon/async/promise.hpp>
#include <futon/client/pending_call.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Complete when every reference to it is gone. Thread-safety: safe.
class pending_list final : public ref_counted {
public:
    pending_list(executor_ref where, time_point now) : done_{std::move(where)}, now_{now} {}
    ~pending_list() override {
        std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
        done_.try_set(std::move(found_));
    }

    [[nodiscard]] future<std::vector<pending_call>> get_future() { return done_.get_future(); }

    void add(const call& which, pending_call::state where, const std::string& peer) {
        const auto deadline = which.request.deadline;
        pending_call one{.method = which.request.method->full_name(),
                         .peer = peer,
                         .where = where,
                         .attempts = which.attempts,
                         .age = now_ - which.started,
                         .time_left = deadline == no_deadline ? duration::max() : deadline - which.slack - now_,
                         .waited_by = which.waited_by(),
                         .stub_made_at = which.stub_made_at};
        const std::lock_guard lock{mutex_};
        found_.push_back(std::move(one));
    }

private:
    promise<std::vector<pending_call>> done_;
    const time_point now_;
    std::mutex mutex_;
    std::vector<pending_call> found_;
};

}  // namespace futon::detail
