// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// States that a timer may complete. A timer runs no user code: what waits goes to its own executor.

#include <futon/async/detail/unfinished.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/core/timer_queue.hpp>

#include <chrono>
#include <cstdio>
#include <new>
#include <ratio>
#include <utility>

namespace futon::detail {

/// Disarms its timer when something else completes it.
template <class T>
class timed_state : public future_state<T>, public timer {
public:
    using future_state<T>::future_state;

    /// Needs an executor. The timer holds a reference while it is armed.
    void arm(time_point due) {
        this->add_ref();
        try {
            this->where_->arm(*this, due);
        } catch (...) {
            this->release();
            throw;
        }
    }
    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        disarm();
        this->publish(std::move(with));
        return true;
    }

protected:
    void disarm() noexcept {
        if (this->where_ && this->where_->disarm(*this)) this->release();
    }
};

/// `source` is what was waited for; null if that is not known.
[[nodiscard]] inline error not_ready_within(duration limit, intrusive_ptr<cancellable> source) noexcept {
    char text[64];
    std::snprintf(text, sizeof text, "not ready within .timeout(%.10g ms)",
                  std::chrono::duration<double, std::milli>(limit).count());
    try {
        const auto unfinished = unfinished_in(std::move(source), 3);
        return {errc::deadline_exceeded, unfinished.empty() ? text : text + (", waiting for " + unfinished)};
    } catch (const std::bad_alloc&) {  // The code alone must do.
        return errc::deadline_exceeded;
    }
}

/// `future::timeout`: completes as its source does, or with `deadline_exceeded` and cancels the source.
template <class T>
class timeout_state final : public timed_state<T> {
public:
    timeout_state(executor_ref where, duration limit) noexcept : timed_state<T>{std::move(where)}, limit_{limit} {}

    void fire(bool due) noexcept override {
        const auto keep = intrusive_ptr<timeout_state>::adopt(this);
        if (!this->claim()) return;
        const auto source = this->upstream();
        auto why = due ? not_ready_within(limit_, source) : error{errc::executor_rejected};
        // First the source, so that its call is over before anybody learns of the timeout.
        if (source) source->cancel();
        this->publish(unexpected{std::move(why)});
    }

private:
    const duration limit_;
};

/// `future::timeout` with a value: completes as its source does, or with that value and cancels the source.
template <class T>
class timeout_value_state final : public timed_state<T> {
public:
    template <class U>
    timeout_value_state(executor_ref where, U&& otherwise)
        : timed_state<T>{std::move(where)}, otherwise_(std::forward<U>(otherwise)) {}

    void fire(bool due) noexcept override {
        const auto keep = intrusive_ptr<timeout_value_state>::adopt(this);
        if (!this->claim()) return;
        if (const auto source = this->upstream()) source->cancel();
        this->publish(due ? result<T>{std::in_place, std::move(otherwise_)}
                          : result<T>{unexpected{errc::executor_rejected}});
    }

private:
    T otherwise_;
};

/// `delay`: completes when its time has come.
class delay_state : public timed_state<void> {
public:
    using timed_state<void>::timed_state;

    void fire(bool due) noexcept override {
        const auto keep = intrusive_ptr<delay_state>::adopt(this);
        if (!claim()) return;
        publish(due ? result<void>{} : result<void>{errc::executor_rejected});
    }
};

}  // namespace futon::detail
