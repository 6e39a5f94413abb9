// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The executor behind `make_executor`; see core/bodies.hpp.

#include <futon/core/asio_executor.hpp>
#include <futon/core/asio_serial_executor.hpp>
#include <futon/core/target_of.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

/// Asks the concrete executor behind `any`, where it is one that can tell, whether this thread runs it.
template <class AnyExecutor>
[[nodiscard]] bool any_runs_in_this_thread(const AnyExecutor& any) noexcept {
    if (const auto* io = target_of<asio::io_context::executor_type>(any)) return runs_in_this_thread(*io);
    if (const auto* strand = target_of<asio::strand<asio::io_context::executor_type>>(any))
        return runs_in_this_thread(*strand);
    if (const auto* strand = target_of<asio::strand<AnyExecutor>>(any))
        return strand->running_in_this_thread() || any_runs_in_this_thread(strand->get_inner_executor());
    return false;
}

/// Posts each piece of work on its own, so that a pool runs as many at once as it has threads.
///
/// Its timers wait on a strand of the same executor, where they run no user code.
template <class AnyExecutor>
class asio_executor final : public executor {
public:
    asio_executor(AnyExecutor inner, intrusive_ptr<diagnostics> reports)
        : executor{std::move(reports)}, inner_{std::move(inner)} {}

    bool post(work& item) noexcept override {
        try {
            asio::post(inner_, handler{intrusive_ptr<asio_executor>{this}, item});
        } catch (...) {
            // Where Asio threw after taking the handler, the handler has completed the work.
        }
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return inside(*this) || any_runs_in_this_thread(inner_); }
    bool may_stand_still() const noexcept override { return true; }
    void* asio_context() noexcept override { return &asio::query(inner_, asio::execution::context); }
    bool try_arm(timer& t, time_point due) override { return timers().try_arm(t, due); }
    bool disarm(timer& t) noexcept override {
        const std::lock_guard lock{mutex_};
        return timers_ && timers_->disarm(t);
    }

private:
    using strand = asio::strand<AnyExecutor>;

    // Destroyed unrun when the execution context ends first.
    class handler {
    public:
        handler(intrusive_ptr<asio_executor> owner, work& item) noexcept : owner_{std::move(owner)}, item_{&item} {}
        handler(handler&& other) noexcept
            : owner_{std::move(other.owner_)}, item_{std::exchange(other.item_, nullptr)} {}
        handler& operator=(handler&&) = delete;
        ~handler() {
            if (item_) refuse(*item_);
        }
        void operator()() {
            const auto owner = std::move(owner_);
            running_scope scope{*owner};
            std::exchange(item_, nullptr)->run(true);
        }

    private:
        intrusive_ptr<asio_executor> owner_;
        work* item_;
    };

    // Made when the first timer is: a strand must not outlive its context, which an executor alone may.
    asio_serial_executor<strand>& timers() {
        const std::lock_guard lock{mutex_};
        if (!timers_) timers_ = make_intrusive<asio_serial_executor<strand>>(strand{inner_}, shared_reports());
        return *timers_;
    }

    AnyExecutor inner_;
    std::mutex mutex_;
    intrusive_ptr<asio_serial_executor<strand>> timers_;
};

template <class AnyExecutor>
executor_ref executor_over(AnyExecutor inner) {
    return make_intrusive<asio_executor<AnyExecutor>>(std::move(inner), make_intrusive<diagnostics>());
}

}  // namespace futon::detail
