// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What stands behind a future and runs no user code, so that it needs no executor.

#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <exception>
#include <future>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// Waits for `source` and gets its result in `deliver`, on the thread that completes it.
template <class T>
class passing_state : public future_state<T> {
public:
    using future_state<T>::future_state;

    void begin(intrusive_ptr<future_state<T>> source) noexcept {
        auto& awaited = *source;
        this->add_ref();
        this->replace_source(std::move(source));
        awaited.attach(*this, told::at_once);
    }

protected:
    virtual void pass(result<T> in) noexcept = 0;
    void deliver(bool) noexcept final {
        const auto keep = intrusive_ptr<passing_state>::adopt(this);
        const auto source = this->release_source();
        pass(static_cast<future_state<T>&>(*source).take());
    }
    // Its source is done, and its result on its way here.
    void give_up() noexcept override {}
};

template <class T>
class value_or_state final : public passing_state<T> {
public:
    template <class U>
    value_or_state(executor_ref where, U&& otherwise)
        : passing_state<T>{std::move(where)}, otherwise_(std::forward<U>(otherwise)) {}

protected:
    void pass(result<T> in) noexcept override {
        this->complete(in ? std::move(in) : result<T>{std::in_place, std::move(otherwise_)});
    }

private:
    T otherwise_;
};

/// A cancel ends here: it completes this and leaves the source alone.
template <class T>
class shield_state final : public passing_state<T> {
public:
    using passing_state<T>::passing_state;

    void cancel_step(cancel_walk&) noexcept override { this->complete(unexpected{errc::cancelled}); }

protected:
    void pass(result<T> in) noexcept override {
        if (this->claim()) return this->publish(std::move(in));
        // Given up before: as after a detached future, nobody else will hear of it.
        if (!in) report_unseen(this->where_, in.error());
    }
};

/// Cancelled by a `std::stop_token`, too.
template <class T>
class stoppable_state final : public future_state<T> {
public:
    using future_state<T>::future_state;

    /// Before it follows its source: until then a stop that comes is only noted.
    void listen_to(const std::stop_token& token) { listening_.emplace(token, canceller{this}); }

    // Waits for a callback that runs on another thread, so that it cannot come after the last reference is gone.
    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        listening_.reset();
        this->publish(std::move(with));
        return true;
    }

protected:
    void give_up() noexcept override {}

private:
    struct canceller {
        stoppable_state* target;
        void operator()() const noexcept {
            const intrusive_ptr<stoppable_state> keep{target};
            keep->cancel();
        }
    };
    std::optional<std::stop_callback<canceller>> listening_;
};

/// Waits for a result that nobody wants to see.
template <class T>
class ignored_result final : public work, public recycled {
public:
    static void wait_for(intrusive_ptr<future_state<T>> state) {
        auto& awaited = *state;
        awaited.attach(*new ignored_result{std::move(state)}, told::at_once);
    }
    void run(bool) noexcept override {
        state_->discard();
        delete this;
    }

private:
    explicit ignored_result(intrusive_ptr<future_state<T>> state) noexcept : state_{std::move(state)} {}
    intrusive_ptr<future_state<T>> state_;
};

/// Passes a result on to a `std::promise`.
template <class T>
class std_bridge final : public work, public recycled {
public:
    static std::future<T> make(intrusive_ptr<future_state<T>> state) {
        auto& awaited = *state;
        auto* bridge = new std_bridge{std::move(state)};
        auto made = bridge->promise_.get_future();
        awaited.attach(*bridge, told::at_once);
        return made;
    }
    static std::future<T> make_failed(const error& why) {
        std::promise<T> failed;
        failed.set_exception(as_exception(why));
        return failed.get_future();
    }
    void run(bool) noexcept override {
        auto got = state_->take();
        if (!got) {
            promise_.set_exception(as_exception(got.error()));
        } else if constexpr (std::is_void_v<T>) {
            promise_.set_value();
        } else {
            promise_.set_value(*std::move(got));
        }
        delete this;
    }

private:
    explicit std_bridge(intrusive_ptr<future_state<T>> state) : state_{std::move(state)} {}
    static std::exception_ptr as_exception(const error& why) noexcept {
        try {
            why.raise();
        } catch (...) {
            return std::current_exception();
        }
    }

    intrusive_ptr<future_state<T>> state_;
    std::promise<T> promise_;
};

}  // namespace futon::detail
