// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Servers and clients in one thread, on a clock that the test moves, joined in memory.

#include <futon/async/future.hpp>
#include <futon/async/task.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/detail/world.hpp>
#include <futon/testing/network.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::testing {

struct simulation_options {
    std::uint64_t seed = 1;  ///< Of all that is left to chance. Two runs with one seed do the same.
    /// What is ready runs in an order drawn by the seed, as on many threads; of each place still in order.
    bool shuffle = false;
    bool keep_trace = false;  ///< Whether `trace()` has lines.
    /// As in `runtime_options`, but 0: each connection has a thread of its own, so that the most can happen at once.
    std::size_t io_threads = 0;
    /// Handlers in a row count against these two as in `runtime_options`: more are refused.
    std::size_t pool_threads = 16;
    std::size_t pool_queue = 1024;
    /// How far `get` and `run_until` move the clock before they give up.
    duration longest_wait = std::chrono::hours{1};
    log_sink log{};                             ///< Receives reports; empty: they are lines of the trace.
    log_level least = log_level::warning;       ///< Reports below this level are not made.
    unhandled_error_hook on_unhandled_error{};  ///< Receives failures that nobody looked at; empty: they are reported.
};

/// A small world: one thread, virtual time, no sockets, and nothing moves unless `run`, `advance` or `get` is called.
///
/// Give `world.runtime()` to its servers and clients, with addresses "memory://name". Handlers of the pool run here as
/// well; one that blocks for a nested call gets `would_deadlock`: it has to return a future or to be a coroutine.
/// Asio's own timers know nothing of the virtual clock: use `futon::delay`.
/// Thread-safety: one thread at a time. Lifetime: it, its servers, clients, stubs and futures may end in any order;
/// what is still queued when it ends is refused, and calls under way fail with `connection_lost` or `client_closed`.
class simulation {
public:
    simulation() : simulation{simulation_options{}} {}
    explicit simulation(simulation_options options);
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;
    ~simulation() {
        world_->close();
        network_.state()->clear();
    }

    /// For `.runtime` of servers and clients.
    [[nodiscard]] const futon::runtime& runtime() const noexcept { return runtime_; }
    /// A place of the test's own, e.g. for `futon::delay(world.executor(), 10ms)`.
    [[nodiscard]] const executor_ref& executor() const noexcept { return home_; }
    [[nodiscard]] const testing::network& network() const noexcept { return network_; }

    /// Runs until nothing is left to do without time passing. Returns the number of steps.
    std::size_t run() {
        require_outside();
        return world_->run_ready();
    }
    /// Moves the clock by `by`; on the way timers fire in order, each followed by what it made ready.
    void advance(duration by);
    /// Runs, and moves the clock where that is needed, until `done()`. False if `within` was not enough, or nothing is
    /// left to wait for.
    template <std::predicate Done>
    bool run_until(Done done, duration within);
    template <std::predicate Done>
    bool run_until(Done done) {
        return run_until(std::move(done), longest_wait_);
    }

    /// Runs until it is ready, as `run_until` does, and returns its value; throws as `future::get` does.
    ///
    /// Errors: `would_deadlock` if it cannot become ready, or not within `longest_wait`.
    template <class T>
    T get(future<T> pending) {
        return get_result(std::move(pending)).value();
    }
    /// The same, with errors as values.
    template <class T>
    result<T> get_result(future<T> pending);
    /// Begins a `task` or an `asio::awaitable` on `executor()`, and does the same.
    template <class Work>
        requires requires(Work work) { spawn(executor_ref{}, std::move(work)); }
    auto get(Work work) {
        return get(spawn(home_, std::move(work)));
    }
    template <class Work>
        requires requires(Work work) { spawn(executor_ref{}, std::move(work)); }
    auto get_result(Work work) {
        return get_result(spawn(home_, std::move(work)));
    }

    [[nodiscard]] time_point now() const noexcept { return world_->now(); }
    /// Virtual time since the world began.
    [[nodiscard]] duration elapsed() const noexcept { return now() - detail::world::start; }
    /// Timers that are armed: deadlines, heartbeats, pauses.
    [[nodiscard]] std::size_t timers() const noexcept { return world_->timers(); }

    /// See `network::faults`.
    void faults(std::string_view address, const link_faults& what, link_direction which = link_direction::both) const {
        network_.faults(address, what, which);
    }
    /// See `network::cut`.
    void cut(std::string_view address) const { network_.cut(address); }
    /// What happened on the network and was reported, a line each, with the virtual time in milliseconds.
    [[nodiscard]] std::vector<std::string> trace() const { return network_.trace(); }

private:
    static detail::intrusive_ptr<detail::world> make_world(simulation_options& options, const testing::network& net);
    static void require_outside() {
        if (detail::this_thread().scope)
            error{errc::would_deadlock, "a simulation cannot be run by what it runs", executed::no}.raise();
    }

    const duration longest_wait_;
    testing::network network_;
    detail::intrusive_ptr<detail::world> world_;
    futon::runtime runtime_;
    executor_ref home_;
};

inline detail::intrusive_ptr<detail::world> simulation::make_world(simulation_options& options,
                                                                   const testing::network& net) {
    auto elapsed = std::make_shared<std::atomic<duration::rep>>(0);
    if (!options.log && options.keep_trace) {
        options.log = [net, elapsed](const log_record& record) {
            net.state()->note(
                detail::world::start + duration{elapsed->load()},
                std::string{name(record.level)} + " " + std::string{record.kind} + ": " + std::string{record.text});
        };
    } else if (!options.log) {
        options.log = [](const log_record&) {};
    }
    auto made = detail::make_intrusive<detail::world>(
        detail::world::options{.shuffle = options.shuffle ? std::optional{options.seed} : std::nullopt,
                               .most_handlers = options.pool_threads + options.pool_queue,
                               .io_threads = options.io_threads,
                               .network = net,
                               .elapsed = std::move(elapsed)},
        detail::make_intrusive<detail::diagnostics>(std::move(options.log), options.least,
                                                    std::move(options.on_unhandled_error)));
    made->open();
    net.state()->begin(detail::world::start);
    return made;
}

inline simulation::simulation(simulation_options options)
    : longest_wait_{options.longest_wait},
      network_{network_options{.seed = options.seed, .keep_trace = options.keep_trace}},
      world_{make_world(options, network_)},
      runtime_{detail::intrusive_ptr<detail::driver>{world_}},
      home_{runtime_.executor()} {}

inline void simulation::advance(duration by) {
    run();
    const auto target = deadline_after(now(), by);
    while (world_->fire_next(target)) world_->run_ready();
    world_->move_clock(target);
}

template <std::predicate Done>
bool simulation::run_until(Done done, duration within) {
    run();
    const auto limit = deadline_after(now(), within);
    while (!done()) {
        if (!world_->fire_next(limit)) return false;
        world_->run_ready();
    }
    return true;
}

template <class T>
result<T> simulation::get_result(future<T> pending) {
    if (pending.valid() && !run_until([&] { return pending.is_ready(); }))
        return error{errc::would_deadlock,
                     "the future is not ready after " +
                         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(longest_wait_).count()) +
                         " s of virtual time, or nothing is left to wait for",
                     executed::maybe};
    return std::move(pending).get_result();
}

}  // namespace futon::testing
