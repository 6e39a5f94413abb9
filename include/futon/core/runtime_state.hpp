// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The threads of a runtime, or what it has instead of them.

#include <futon/core/asio.hpp>
#include <futon/core/asio_serial_executor.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/io_place.hpp>
#include <futon/core/runtime_options.hpp>
#include <futon/core/thread_pool.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace futon::detail {

/// Can destroy what still waits in it before it is destroyed itself: such handlers may hold the context.
class io_thread_context : public asio::io_context {
public:
    using asio::io_context::io_context;
    void destroy_handlers() { shutdown(); }
};

/// Shared by the clients and servers that run on it. Ends its threads when the last owner closes it.
class runtime_state final : public ref_counted {
public:
    explicit runtime_state(runtime_options options)
        : reports_{make_intrusive<diagnostics>(std::move(options.log), options.least,
                                               std::move(options.on_unhandled_error))},
          network_{options.network} {
        constexpr std::size_t most = 4096;  // More are a mistake, e.g. a negative number.
        if (options.io_threads > most)
            error{errc::bad_arguments,
                  ".io_threads is " + std::to_string(options.io_threads) + ", and must be at most 4096", executed::no}
                .raise();
        const auto count = std::max<std::size_t>(1, options.io_threads);
        for (std::size_t i = 0; i < count; ++i) {
            auto& made = *threads_.emplace_back(std::make_unique<io_thread>());
            made.where = make_intrusive<thread_executor>(made.context->get_executor(), reports_, made.context);
            places_.push_back({made.where, asio::any_io_executor{made.context->get_executor()}, network_});
        }
        make_pool(options);
        for (auto& made : threads_)
            made->thread = std::thread{[&own = *made, reports = reports_] { run(own, *reports); }};
    }

    /// Makes a strand of a lent context. Strands come in by this pointer alone: see `state_on`.
    using strand_maker = io_place (*)(asio::io_context& of, const intrusive_ptr<diagnostics>& reports);

    /// On a context that the user runs; `close()` then leaves it running.
    runtime_state(asio::io_context& lent, strand_maker next_strand, runtime_options options)
        : reports_{make_intrusive<diagnostics>(std::move(options.log), options.least,
                                               std::move(options.on_unhandled_error))},
          network_{options.network},
          lent_{&lent},
          next_strand_{next_strand} {
        make_pool(options);
    }

    /// On places that `whose` runs.
    explicit runtime_state(intrusive_ptr<driver> whose)
        : reports_{whose->pool()->shared_reports()}, driver_{std::move(whose)}, pool_{driver_->pool()} {}

    /// The next I/O thread in turn; on a lent context a strand of its own, so that any number of threads may run it.
    [[nodiscard]] io_place next_place() {
        if (driver_) return driver_->next_place();
        if (lent_) return add_strand();
        return places_[next_.fetch_add(1, std::memory_order_relaxed) % places_.size()];
    }
    [[nodiscard]] executor_ref pool() const noexcept { return pool_; }
    [[nodiscard]] diagnostics& reports() const noexcept { return *reports_; }
    [[nodiscard]] const intrusive_ptr<diagnostics>& shared_reports() const noexcept { return reports_; }
    /// Whether somebody else's threads run it.
    [[nodiscard]] bool is_lent() const noexcept { return lent_ != nullptr || driver_; }
    /// Where there are no threads to wait for, runs what is ready
    /// until `done()`; inside an executor, and else, does nothing.
    void run_ready_until(const std::function<bool()>& done) noexcept {
        if (driver_ && this_thread().scope == nullptr) driver_->run_ready_until(done);
    }
    /// Whether this thread is one that sockets of this runtime need.
    [[nodiscard]] bool needs_this_thread() const noexcept {
        if (driver_) return true;
        if (lent_) return lent_->get_executor().running_in_this_thread();
        for (const auto& each : places_)
            if (each.where->blocked_by_this_thread()) return true;
        return false;
    }
    /// Whether its threads are those of the process that this one was forked from. What they run then belongs to that
    /// process alone: it is left as it is, sockets and locks included.
    [[nodiscard]] bool is_left_behind() const noexcept {
        return !places_.empty() && places_.front().where->is_left_behind();
    }
    [[nodiscard]] std::size_t io_thread_count() const noexcept { return is_lent() ? 1 : threads_.size(); }

    /// Lets the threads finish what is queued, also what that queues on others of them, and waits for them. On one of
    /// its own threads it does not wait: another thread, made for that, does.
    void close() noexcept;

private:
    using thread_executor = asio_serial_executor<asio::io_context::executor_type>;

    struct io_thread {
        std::shared_ptr<io_thread_context> context = std::make_shared<io_thread_context>(1);
        asio::executor_work_guard<asio::io_context::executor_type> busy = asio::make_work_guard(*context);
        intrusive_ptr<thread_executor> where;
        std::atomic<bool> ended{false};
        std::thread thread;
    };

    // Also where the user goes on with a lent context: the pool's threads are the parent's, and never come to rest here.
    [[nodiscard]] bool pool_is_left_behind() const noexcept {
        return threads_of_pool_ && threads_of_pool_->is_left_behind();
    }
    void end() noexcept;
    void settle() noexcept;
    [[nodiscard]] std::optional<std::uint64_t> turns_at_rest() const noexcept;
    // A plain function, so that the compiler makes Asio's part of posting it once.
    void on_each_thread(void (*what)(io_thread&)) noexcept;
    // Inside any executor of futon's, or in a bare handler of one of these threads.
    [[nodiscard]] bool must_not_wait() const noexcept { return this_thread().scope != nullptr || needs_this_thread(); }
    // The last owner may let go on one of the threads that have to end first.
    void destroy() noexcept override {
        if (is_left_behind() || pool_is_left_behind()) return;
        if (driver_) {
            delete this;
            return;
        }
        if (!closed_ && must_not_wait()) {
            if (lent_) {
                // The user's context may be gone before another thread has come round to this.
                threads_of_pool_->close_and_leave();
                delete this;
                return;
            }
            std::thread{[this] {
                end();
                delete this;
            }}.detach();
            return;
        }
        if (!closed_) end();
        delete this;
    }

    // Until it is stopped; then sockets get a moment to finish. What is left, e.g. a coroutine of the
    // user's that sleeps for an hour, is destroyed by `end()`.
    static void run(io_thread& own, diagnostics& reports) noexcept {
        auto& context = *own.context;
        do {  // Code of the user's that stops it would leave the end of the runtime waiting for this thread.
            run_guarded(reports, [&] { context.run(); });
            context.restart();
        } while (!own.ended);
        run_guarded(reports, [&] { context.run_for(std::chrono::seconds{1}); });
    }

    // Nothing of futon's throws out of a handler; should something all the same, the others go on.
    template <class F>
    static void run_guarded(diagnostics& reports, F run) noexcept {
        for (;;) {
            try {
                run();
                return;
            } catch (const std::exception& e) {
                reports.log({.level = log_level::error, .kind = "exception_on_io_thread", .text = e.what()});
            } catch (...) {
                reports.log(
                    {.level = log_level::error, .kind = "exception_on_io_thread", .text = "not a std::exception"});
            }
        }
    }

    io_place add_strand() {
        auto place = next_strand_(*lent_, reports_);
        place.network = network_;
        return place;
    }
    void make_pool(const runtime_options& options) {
        const auto timers = lent_ ? add_strand().where : places_.front().where;
        threads_of_pool_ =
            make_intrusive<thread_pool>(std::max<std::size_t>(1, options.pool_threads), options.pool_queue, timers);
        pool_ = threads_of_pool_;
    }

    intrusive_ptr<diagnostics> reports_;
    const network_ref network_;
    const intrusive_ptr<driver> driver_;  // Null where the runtime has threads, or was lent some.
    asio::io_context* lent_ = nullptr;
    strand_maker next_strand_ = nullptr;
    std::vector<std::unique_ptr<io_thread>> threads_;
    std::vector<io_place> places_;
    std::atomic<std::size_t> next_{0};
    executor_ref pool_;
    intrusive_ptr<thread_pool> threads_of_pool_;  // The same, unless there is a driver.
    std::mutex mutex_;
    bool closed_ = false;
};

inline void runtime_state::close() noexcept {
    if (driver_ || is_left_behind() || pool_is_left_behind()) return;
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(closed_, true)) return;
    }
    if (!must_not_wait()) return end();
    // Somewhere inside an executor, perhaps one of ours: it must return before its thread can end.
    std::thread{[self = intrusive_ptr<runtime_state>{this}] { self->end(); }}.detach();
}

// Runs `what(thread)` on each of them, behind all that was posted there before, and waits for that.
inline void runtime_state::on_each_thread(void (*what)(io_thread&)) noexcept {
    std::mutex mutex;
    std::condition_variable done;
    std::size_t left = threads_.size();
    for (auto& made : threads_) {
        const auto arrive = [&, &at = *made] {
            what(at);
            const std::lock_guard lock{mutex};
            --left;
            done.notify_one();
        };
        try {
            asio::post(*made->context, arrive);
        } catch (...) {
            // No memory: this thread is passed over.
            const std::lock_guard lock{mutex};
            --left;
        }
    }
    std::unique_lock lock{mutex};
    done.wait(lock, [&] { return left == 0; });
}

// Of all executors together: twice the same number means that none of them did anything between.
inline std::optional<std::uint64_t> runtime_state::turns_at_rest() const noexcept {
    auto sum = threads_of_pool_->begun_at_rest();
    for (const auto& made : threads_) {
        const auto turns = made->where->turns_at_rest();
        sum = sum && turns ? std::optional{*sum + *turns} : std::nullopt;
    }
    return sum;
}

// What ends on one thread may have to complete on another, and what that makes on a third. Each round takes all of it
// one step further, until a round finds nothing to do. Code that repeats a failing call never comes to that.
inline void runtime_state::settle() noexcept {
    constexpr int most_rounds = 64;
    for (int round = 0; round < most_rounds; ++round) {
        const auto before = turns_at_rest();
        on_each_thread([](io_thread&) {});
        threads_of_pool_->wait_for_rest();
        if (before && before == turns_at_rest()) return;
    }
}

// In steps that all threads take together: were each to end by itself, what completes across them would find no place.
inline void runtime_state::end() noexcept {
    settle();
    on_each_thread([](io_thread& at) { at.where->end_timers(); });
    settle();
    threads_of_pool_->close();
    on_each_thread([](io_thread& at) { at.where->close(); });
    for (auto& made : threads_) {
        made->ended = true;
        made->context->stop();
        made->busy.reset();
    }
    // All threads first: one that accepts makes a socket for the context of another.
    for (auto& made : threads_) made->thread.join();
    for (auto& made : threads_) made->context->destroy_handlers();
}

}  // namespace futon::detail
