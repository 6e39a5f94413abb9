// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The bodies of `server`; see core/bodies.hpp.

#include <futon/async/promise.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/server/detail/check_options.hpp>
#include <futon/server/detail/open_connection.hpp>
#include <futon/server/detail/peer.hpp>
#include <futon/server/detail/refusal.hpp>
#include <futon/server/detail/server_state.hpp>
#include <futon/server/server.hpp>
#include <futon/session/session.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/post_function.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace futon {
namespace detail {

FUTON_DETAIL_BODY intrusive_ptr<runtime_state> runtime_for(server_options& options) {
    if (options.runtime) return options.runtime->state();
    options.threads.io_threads = options.io_threads;
    options.threads.pool_queue = std::min(options.threads.pool_queue, options.limits.max_queued_handlers);
    return make_intrusive<runtime_state>(options.threads);
}

FUTON_DETAIL_BODY void begin_serving(const intrusive_ptr<server_state>& state, io_place place,
                                     std::unique_ptr<byte_stream> stream) {
    auto admitted = state->admit(stream->peer());
    if (!admitted) return refuse(std::move(place), std::move(stream), admitted.error(), state->seat_outside());
    auto machine =
        std::make_unique<session<futon_protocol>>(session_options{.role = side::acceptor,
                                                                  .limits = state->options.limits,
                                                                  .categories = state->options.error_categories,
                                                                  .seed = session_seed(place),
                                                                  .unsent = state->unsent},
                                                  place.where->now());
    auto owner = make_intrusive<peer>(state);
    const auto made = make_intrusive<connection>(std::move(place), std::move(stream), std::move(machine), owner);
    owner->attach(made);
    made->hold(*std::move(admitted));
    open_connection(made, [state, made] { state->joined(made); });
}

// Nobody would serve, and nobody would say so.
FUTON_DETAIL_BODY void require_threads(const runtime_state& runtime) {
    if (runtime.is_left_behind())
        throw rpc_error{error{errc::would_deadlock,
                              "the server was made before fork(), and its threads run in the parent process only: make "
                              "it after fork(), in the process that serves",
                              executed::no}};
}

}  // namespace detail

FUTON_DETAIL_BODY server::server() : server{server_options{}} {}
FUTON_DETAIL_BODY server::server(by_address, endpoints listen) : server{server_options{.listen = std::move(listen)}} {}

FUTON_DETAIL_BODY server::server(server_options options) : own_runtime_{!options.runtime} {
    detail::check_options(options).value();
    auto runtime = detail::runtime_for(options);
    state_ = detail::make_intrusive<detail::server_state>(std::move(options), std::move(runtime));
}

FUTON_DETAIL_BODY detail::dispatcher& server::services() const {
    if (started_)
        throw rpc_error{error{errc::already_satisfied, "provide services before the server is started", executed::no}};
    return state_->services;
}
FUTON_DETAIL_BODY executor_ref server::pool() const noexcept { return state_->runtime().pool(); }
FUTON_DETAIL_BODY const server_filters& server::filters() const noexcept { return state_->options.filters; }
FUTON_DETAIL_BODY server_stats server::stats() const { return state_->stats(); }

FUTON_DETAIL_BODY result<void> server::begin() {
    detail::require_threads(state_->runtime());
    // Also before it listens: while it drains, its own address is not free.
    if (state_->is_stopped()) return state_->was_stopped();
    if (started_) return error{errc::already_satisfied, "the server was started before", executed::no};
    auto bound = state_->listen([state = state_](detail::io_place place, std::unique_ptr<detail::byte_stream> stream) {
        detail::begin_serving(state, std::move(place), std::move(stream));
    });
    if (!bound) return std::move(bound).error();
    started_ = true;
    bound_ = *std::move(bound);
    state_->publish(bound_);
    return {};
}

FUTON_DETAIL_BODY void server::start() { begin().value(); }

FUTON_DETAIL_BODY void server::run() {
    detail::require_threads(state_->runtime());
    if (state_->runtime().is_lent())
        throw rpc_error{error{errc::would_deadlock,
                              "run() on a lent io_context would block the thread that should run it: use start()",
                              executed::no}};
    // Before anybody can know that the server is there.
    asio::signal_set signals{state_->home().asio};
    if (state_->options.stop_on_signals) {
        signals.add(SIGINT);
        signals.add(SIGTERM);
    }
    // Who stops it before it runs, e.g. on another thread, wants no more than that.
    if (!started_)
        if (auto begun = begin(); !begun && !state_->is_stopped()) begun.value();
    if (state_->options.stop_on_signals) {
        signals.async_wait([&signals, state = state_](const std::error_code& code, int) {
            if (code) return;
            state->stop(state->options.drain_time, nullptr);
            signals.async_wait([state](const std::error_code& again, int) {
                if (!again) state->stop(duration{}, nullptr);
            });
        });
    }
    state_->wait_until_stopped();
    // The signal set belongs to the I/O thread's context; it must be idle before it goes.
    std::promise<void> idle;
    detail::post_function(state_->home().asio, [&] {
        std::error_code ignored;
        signals.cancel(ignored);
        detail::post_function(state_->home().asio, [&] { idle.set_value(); });
    });
    idle.get_future().wait();
}

FUTON_DETAIL_BODY future<void> server::stop() { return stop(state_->options.drain_time); }

FUTON_DETAIL_BODY future<void> server::stop(duration drain_time) {
    auto done = std::make_shared<promise<void>>(state_->home().where);
    auto ready = done->get_future();
    state_->stop(drain_time, [done] { done->try_set({}); });
    return ready;
}

FUTON_DETAIL_BODY future<void> server::wait_registered(duration timeout) {
    const auto home = state_->home().where;
    if (!state_->published())
        return make_failed<void>(
            home, error{errc::bad_arguments, "nothing to wait for: the server has no registry, see server_options",
                        executed::no});
    auto done = std::make_shared<promise<void>>(home);
    auto ready = done->get_future();
    state_->published()->when_registered([done](result<void> how) { done->try_set(std::move(how)); });
    return std::move(ready).timeout(timeout).map_error([registry = state_->options.registry](const error& why) {
        if (why != errc::deadline_exceeded) return why;
        return error{errc::deadline_exceeded, registry.text() + " has not taken all services in time", executed::no};
    });
}

FUTON_DETAIL_BODY void server::offline() {
    if (auto* const published = state_->published()) published->set_online(false);
}

FUTON_DETAIL_BODY void server::online() {
    if (auto* const published = state_->published()) published->set_online(true);
}

FUTON_DETAIL_BODY void server::set_weight(std::uint32_t weight) {
    if (weight > most_weight)
        throw rpc_error{{errc::bad_arguments,
                         "set_weight: " + std::to_string(weight) + " is more than " + std::to_string(most_weight),
                         executed::no}};
    if (auto* const published = state_->published()) published->set_weight(weight);
}

FUTON_DETAIL_BODY std::uint16_t server::port() const noexcept {
    for (const auto& each : bound_)
        if (each.scheme == "tcp") return each.port;
    return 0;
}

FUTON_DETAIL_BODY server::~server() {
    if (state_->runtime().is_left_behind()) {  // Its connections are the parent's, and nobody here could end them.
        static_cast<void>(state_.detach());
        return;
    }
    state_->stop(duration{}, nullptr);
    const bool on_own_thread = detail::this_thread().scope != nullptr || state_->runtime().needs_this_thread();
    if (!on_own_thread) {
        if (state_->runtime().is_lent()) {
            state_->wait_for_handlers();
        } else {
            state_->wait_until_stopped();
        }
    }
    state_->run_until_stopped();
    state_->let_go();
    if (own_runtime_) state_->runtime().close();
}

}  // namespace futon
