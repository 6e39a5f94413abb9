// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Offers implementations of contracts to whoever connects.

#include <futon/async/future.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/result.hpp>
#include <futon/core/sizes_in_common.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/server/server_options.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/serving/provide.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

namespace detail {
class server_state;
}  // namespace detail

/// Listens, and runs the methods of what it provides.
///
/// Handlers of different calls run at once on several threads, unless their service says
/// `.serialised = true`, or `.run_on = futon::run_on::io` with one I/O thread.
///
/// Errors: bad options and addresses throw `rpc_error` from the constructor, `provide`, `start` and `run`;
/// nothing throws later.
/// Thread-safety: `stop`, `stats`, `addresses`, `online`, `offline` and `set_weight` are safe; the rest is for the
/// thread that sets it up.
/// Lifetime: destroying it cuts all connections and waits for handlers that run on other threads; on a
/// thread of futon's own it does not wait.
class server {
public:
    server();
    /// An address to listen on, e.g. "tcp://127.0.0.1:12200" or "unix:///run/my.socket", or `endpoints`.
    template <std::convertible_to<endpoints> Listen>
    explicit server(const Listen& listen) : server{by_address{}, endpoints{listen}} {}
    /// `server{{"tcp://127.0.0.1:12200", "tcp://[::1]:12200"}}`. A template, as is the one above: g++ does not mind the
    /// names of fields when it looks for ways to make an `endpoints`, and would find
    /// `server{{.listen = "tcp://[::]:1"}}` ambiguous.
    template <std::convertible_to<std::string_view> Text>
    explicit server(std::initializer_list<Text> listen)
        : server{by_address{}, endpoints{std::vector<std::string>(listen.begin(), listen.end())}} {}
    explicit server(server_options options);
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

    /// Offers `implementation` under the contract's name: an object (moved in), a `shared_ptr`, or `std::ref(x)`.
    ///
    /// Its methods have the contract's names and take the contract's parameters, after an optional
    /// `call_context&` and an optional `responder<R>`; they return `R`, `result<R>`, `future<R>`, `task<R>`
    /// or `asio::awaitable<R>`. Before `start`.
    /// Errors: throws `rpc_error`, `already_satisfied` for a name that is taken, `bad_arguments` for an
    /// option that names no method or cannot be had.
    template <contract Contract, detail::providable Implementation>
    void provide(Implementation&& implementation, const provide_options& options = {});
    template <contract Contract, class Implementation>
        requires(!detail::providable<Implementation>)
    __attribute__((unavailable(FUTON_DETAIL_NOT_PROVIDABLE))) void provide(Implementation&& implementation,
                                                                           const provide_options& options = {});
    template <class Contract, class Implementation>
        requires(!contract<Contract>)
    __attribute__((unavailable(FUTON_DETAIL_NO_CONTRACT))) void provide(Implementation&& implementation,
                                                                        const provide_options& options = {});

    /// Listens and serves in the background, once: to serve again after `stop`, make a new server.
    /// Errors: throws `rpc_error`, `listen_failed` naming the address; `already_satisfied` the second time, and after
    /// `stop`.
    void start();
    /// Serves until `stop()`, SIGINT or SIGTERM, and returns when it has drained. A second signal ends at once.
    /// Starts first, unless `start` was called before, e.g. to print `addresses()`. Returns at once after `stop()`.
    /// On a lent `io_context` use `start()`: this would block the thread that should run it.
    void run();
    /// Stops accepting, lets calls in flight finish for `drain_time`, tells clients to go elsewhere.
    /// Never blocks; the future is ready when all is done; `server.stop().ignore()` does not wait for it.
    future<void> stop();
    future<void> stop(duration drain_time);

    /// Ready once the registry has taken all that the server offers, so that clients can find it. Without it a server
    /// whose registration fails goes on serving, with a warning in the log.
    ///
    /// Errors: what the registry answered; where that is `cond::unavailable` the registry goes on trying.
    /// `deadline_exceeded` if it did not answer in time, or the server was not started, or is offline.
    /// `bad_arguments` without a registry, `unavailable` when the server stops.
    future<void> wait_registered(duration timeout);

    /// Takes the server out of its registry, and puts it back: clients send it no new
    /// calls meanwhile, those in flight go on, and it still answers who comes. Said
    /// before `start()` it counts from then on. Nothing happens without a registry.
    void offline();
    void online();
    /// Its share of the calls from now on, relative to the weights of the others; see `provider::weight`.
    /// Errors: throws `rpc_error`, `bad_arguments`, if it is more than 1'000'000, e.g. a negative number.
    void set_weight(std::uint32_t weight);

    /// The addresses that it listens on, with the port that the system chose where 0 was asked for.
    [[nodiscard]] std::vector<endpoint> addresses() const { return bound_; }
    /// The port of the first TCP address; 0 before `start`.
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] server_stats stats() const;

private:
    struct by_address {};
    server(by_address, endpoints listen);
    // What it offers, until it is started; where that runs unless something else is said, and what all calls pass.
    [[nodiscard]] detail::dispatcher& services() const;
    [[nodiscard]] result<void> begin();
    [[nodiscard]] executor_ref pool() const noexcept;
    [[nodiscard]] const server_filters& filters() const noexcept;

    bool own_runtime_ = false;
    detail::intrusive_ptr<detail::server_state> state_;
    std::vector<endpoint> bound_;
    bool started_ = false;
};

template <contract Contract, detail::providable Implementation>
void server::provide(Implementation&& implementation, const provide_options& options) {
    detail::add_service<Contract>(services(), pool(), std::forward<Implementation>(implementation), options, filters())
        .value();
}

}  // namespace futon

#if defined(FUTON_COMPILED)
FUTON_DETAIL_SIZES_IN_COMMON(server_sizes, sizeof(server), sizeof(server_options), sizeof(server_stats))
#else
#include <futon/server/detail/server_bodies.hpp>
#endif
