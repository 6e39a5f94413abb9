// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The executor behind `make_executor`; see core/bodies.hpp.

#include <futon/core/asio_executor.hpp>
#include <futon/core/serial_executor.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

/// Posts each piece of work on its own, so that a pool runs as many at once as it has threads.
///
/// Its timers wait on a strand of the same executor, where they run no user code.
class asio_executor final : public executor {
public:
    asio_executor(asio::any_io_executor inner, bool (*runs_here)(const asio::any_io_executor&),
                  intrusive_ptr<diagnostics> reports)
        : executor{std::move(reports)}, inner_{std::move(inner)}, runs_here_{runs_here} {}

    bool post(work& item) noexcept override {
        try {
            asio::post(inner_, handler{intrusive_ptr<asio_executor>{this}, item});
        } catch (...) {
            // Where Asio threw after taking the handler, the handler has completed the work.
        }
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return inside(*this) || (runs_here_ && runs_here_(inner_)); }
    void* asio_context() noexcept override { return &asio::query(inner_, asio::execution::context); }
    void arm(timer& t, time_point due) override { timers().arm(t, due); }
    bool disarm(timer& t) noexcept override {
        const std::lock_guard lock{mutex_};
        return timers_ && timers_->disarm(t);
    }

private:
    using strand = asio::strand<asio::any_io_executor>;

    // Destroyed unrun when the execution context ends first.
    class handler {
    public:
        handler(intrusive_ptr<asio_executor> owner, work& item) noexcept : owner_{std::move(owner)}, item_{&item} {}
        handler(handler&& other) noexcept : owner_{std::move(other.owner_)}, item_{std::exchange(other.item_, nullptr)} {}
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
    serial_executor<strand>& timers() {
        const std::lock_guard lock{mutex_};
        if (!timers_) timers_ = make_intrusive<serial_executor<strand>>(strand{inner_}, shared_reports());
        return *timers_;
    }

    asio::any_io_executor inner_;
    bool (*runs_here_)(const asio::any_io_executor&);
    std::mutex mutex_;
    intrusive_ptr<serial_executor<strand>> timers_;
};

/// Asks the concrete executor behind `any`, where it is one that can tell, whether this thread runs it.
[[nodiscard]] inline bool runs_in_this_thread(const asio::any_io_executor& any) noexcept {
    if (const auto* io = any.target<asio::io_context::executor_type>()) return runs_in_this_thread(*io);
    if (const auto* strand = any.target<asio::strand<asio::io_context::executor_type>>()) return runs_in_this_thread(*strand);
    if (const auto* strand = any.target<asio::strand<asio::any_io_executor>>())
        return strand->running_in_this_thread() || runs_in_this_thread(strand->get_inner_executor());
    return false;
}

FUTON_DETAIL_BODY executor_ref executor_over(asio::any_io_executor inner) {
    return make_intrusive<asio_executor>(std::move(inner), static_cast<bool (*)(const asio::any_io_executor&)>(&runs_in_this_thread),
                                         make_intrusive<diagnostics>());
}

}  // namespace futon::detail
