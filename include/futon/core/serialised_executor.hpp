// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An executor that runs one thing at a time on another one that may run many.

#include <futon/core/executor.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

/// What waits counts against no bound of its own; the inner executor sees one piece of work at most.
class serialised_executor final : public executor, private work {
public:
    explicit serialised_executor(executor_ref inner) : executor{inner->shared_reports()}, inner_{std::move(inner)} {}

    bool post(work& item) noexcept override {
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
    bool blocked_by_this_thread() const noexcept override { return inside(*this) || inner_->blocked_by_this_thread(); }
    bool is_serial() const noexcept override { return true; }
    void* asio_context() noexcept override { return inner_->asio_context(); }
    time_point now() const noexcept override { return inner_->now(); }
    void arm(timer& t, time_point due) override { inner_->arm(t, due); }
    bool disarm(timer& t) noexcept override { return inner_->disarm(t); }

private:
    void run(bool accepted) noexcept override {
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

    executor_ref inner_;
    std::mutex mutex_;
    work_queue queue_;
    bool busy_ = false;
};

}  // namespace futon::detail
