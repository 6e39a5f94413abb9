// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything that a server can be told.

#include <futon/cluster/provider.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/runtime.hpp>
#include <futon/filter/any_filter.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/serving/provide_options.hpp>
#include <futon/session/session_stats.hpp>
#include <futon/wire/limits.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace futon {

/// For `futon::server{{.listen = "tcp://0.0.0.0:12200"}}`. Fields are given by name.
struct server_options {
    /// Makes `server{{"a", "b"}}` mean two addresses, never two fields.
    struct fields_are_named {};
    fields_are_named by_name{};

    endpoints listen{"tcp://127.0.0.1:0"};  ///< One or several addresses; other machines reach only what is named here.
    /// Where clients find this server, from `start()` until `stop()`; none: nowhere.
    any_registry registry{};
    /// How the registry describes it. Its address is the first of `listen`, unless one is given here: a host that
    /// clients can reach, with port 0 for the port that it listens on. Where it listens on all addresses of the
    /// machine, clients are told the one that the machine sends from.
    provider advertise{};
    /// Without `runtime`. Zero: one.
    std::size_t io_threads = std::min<std::size_t>(4, std::max(1u, std::thread::hardware_concurrency()));
    futon::limits limits{};  ///< What peers may cause; on by default.
    /// How long `stop()` lets calls in flight finish; zero cuts them at once.
    duration drain_time = std::chrono::seconds{20};
    /// Deadline of calls back to a caller (`call_context::caller`) that say nothing else; `duration::max()`: none.
    duration timeout = std::chrono::seconds{3};
    bool stop_on_signals = true;              ///< `run()` drains on SIGINT and SIGTERM; a second one ends at once.
    server_filters filters{};                 ///< What calls of all services pass, outside in; see docs/filters.md.
    std::optional<futon::runtime> runtime{};  ///< Shared threads; empty: its own.
    /// For its own runtime: the handler pool, the log sink, hooks. `io_threads` above counts.
    runtime_options threads{};
    /// Of the application: errors in them, of calls back to a caller, keep their code.
    std::vector<const std::error_category*> error_categories{};
    /// Handlers' exceptions reach the caller as "the handler failed" without their text.
    bool hide_exception_text = false;
    /// A handler that holds an I/O thread longer is named in a warning; zero: never.
    duration slow_handler = default_slow_handler;
    /// Called for each answered call on an I/O thread; must not block or throw.
    std::function<void(const served_record&)> on_served{};
};

/// Counters of a server since it was made.
struct server_stats {
    std::uint64_t calls = 0;          ///< Accepted, one-way calls included.
    std::uint64_t failed = 0;         ///< Answered with an error.
    std::uint64_t overloaded = 0;     ///< Of these, refused because a limit was reached.
    std::uint64_t in_flight = 0;      ///< Accepted and not yet answered.
    std::uint64_t connections = 0;    ///< Open now.
    std::uint64_t accepted = 0;       ///< Connections taken so far.
    std::uint64_t refused = 0;        ///< Connections that found no place because a limit was reached.
    std::uint64_t slow_handlers = 0;  ///< Handlers that held an I/O thread for longer than `slow_handler`.
    /// One-way calls back to callers (`call_context::caller`) that were queued and surely did not run.
    std::uint64_t lost_oneways = 0;
    runtime_stats threads;  ///< Of the runtime, with all that shares it.
    session_stats wire;     ///< Sums over all connections, also those that are gone.
};

}  // namespace futon
