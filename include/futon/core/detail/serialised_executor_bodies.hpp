// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of serialised_executor.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/serialised_executor.hpp>
#include <futon/core/time.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

FUTON_DETAIL_BODY serialised_executor::serialised_executor(executor_ref inner)
    : executor{inner->shared_reports()}, inner_{std::move(inner)} {}
FUTON_DETAIL_BODY serialised_executor::~serialised_executor() = default;

FUTON_DETAIL_BODY bool serialised_executor::post(work& item) noexcept {
    {
        const std::lock_guard lock{mutex_};
        queue_.push(item);
        if (std::exchange(busy_, true)) return true;
    }
    add_ref();
    if (inner_->post(*this)) return true;
    // Refused before anything else could be queued behind it, or together with it.
    work_queue refused;
    {
        const std::lock_guard lock{mutex_};
        busy_ = false;
        refused.splice(queue_);
    }
    bool own_refused = false;
    while (auto* each = refused.pop()) {
        if (each == &item) {
            own_refused = true;
        } else {
            refuse(*each);
        }
    }
    release();
    return !own_refused;
}

FUTON_DETAIL_BODY bool serialised_executor::blocked_by_this_thread() const noexcept {
    return inside(*this) || inner_->blocked_by_this_thread();
}
FUTON_DETAIL_BODY bool serialised_executor::is_left_behind() const noexcept { return inner_->is_left_behind(); }
FUTON_DETAIL_BODY bool serialised_executor::may_stand_still() const noexcept { return inner_->may_stand_still(); }
FUTON_DETAIL_BODY bool serialised_executor::is_serial() const noexcept { return true; }
FUTON_DETAIL_BODY void* serialised_executor::asio_context() noexcept { return inner_->asio_context(); }
FUTON_DETAIL_BODY time_point serialised_executor::now() const noexcept { return inner_->now(); }
FUTON_DETAIL_BODY bool serialised_executor::try_arm(timer& t, time_point due) { return inner_->try_arm(t, due); }
FUTON_DETAIL_BODY bool serialised_executor::disarm(timer& t) noexcept { return inner_->disarm(t); }

FUTON_DETAIL_BODY void serialised_executor::run(bool accepted) noexcept {
    const auto keep = intrusive_ptr<serialised_executor>::adopt(this);
    work* next = nullptr;
    {
        const std::lock_guard lock{mutex_};
        next = queue_.pop();
    }
    if (next) {
        if (accepted) {
            running_scope scope{*this};
            next->run(true);
        } else {
            refuse(*next);
        }
    }
    {
        const std::lock_guard lock{mutex_};
        if (queue_.empty()) {
            busy_ = false;
            return;
        }
    }
    add_ref();
    if (!inner_->post(*this)) refuse(*this);
}

}  // namespace futon::detail
