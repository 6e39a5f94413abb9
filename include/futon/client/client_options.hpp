// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything that a client can be told.

#include <futon/cluster/any_load_balancer.hpp>
#include <futon/cluster/any_router.hpp>
#include <futon/cluster/attempt_budget.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/cluster/provider_protection.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/retry.hpp>
#include <futon/core/runtime.hpp>
#include <futon/filter/any_filter.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/message/metadata.hpp>
#include <futon/session/session_stats.hpp>
#include <futon/wire/limits.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace futon {

/// How one call ended, for the completion hook.
struct call_record {
    const method_info& method;
    std::string_view peer;    ///< The address of the last attempt; empty if it never left.
    const error* failure;     ///< Null if the call succeeded.
    int attempts;             ///< 0 if it never left.
    duration total;           ///< From the call to its completion.
    call_times times;         ///< Of the last attempt.
    const metadata* headers;  ///< What the handler sent back beside its value; null if nothing.
};

/// Tells the client its endpoints: called once, it calls `update` with the whole list, at once or later, and
/// again whenever the list changes; from any thread, also after the client is gone.
using endpoint_source = std::function<void(std::function<void(endpoints)> update)>;

/// For `futon::client{{.endpoints = ..., .timeout = 1s}}`. Fields are given by name.
struct client_options {
    /// Makes `client{{"a", "b"}}` mean two addresses, never two fields.
    struct fields_are_named {};
    fields_are_named by_name{};

    /// Where the service is. Each gets its own connections; `balancer` chooses.
    futon::endpoints endpoints{};
    endpoint_source source{};  ///< Instead of a fixed list. An empty update keeps the list as it was.
    /// Instead of either: where servers say that they are there. Each service is looked up by its full name.
    any_registry registry{};
    /// Chooses the provider of each call. Empty: calls with a hash key go where that prefers, others by `peak_ewma`.
    any_load_balancer balancer{};
    /// Makes the balancer that a registry's configuration names; `&futon::make_load_balancer` knows all of futon's
    /// (<futon/cluster/balancer_names.hpp>). Null: such settings are ignored, with a warning.
    result<any_load_balancer> (*balancer_by_name)(std::string_view name) = nullptr;
    /// Which providers come into question for calls with a `route`, in order. Empty: by version, group and tags.
    std::vector<any_router> routers{};
    health_options health{};           ///< How providers whose calls fail are taken out, and let back in.
    provider_protection protection{};  ///< When a list that has become much shorter is not believed at once.
    /// Deadline of calls that say nothing else; more than zero; `duration::max()`: none.
    duration timeout = std::chrono::seconds{3};
    /// For one attempt to connect, resolving included; more than zero. Of several addresses of a name, one that is
    /// silent for 250 ms does not keep the next from being tried.
    duration connect_timeout = std::chrono::seconds{1};
    std::size_t connections_per_endpoint = 1;  ///< From 1 to 1024. More spread the work over more I/O threads.
    bool wait_for_ready = false;               ///< Calls wait out reconnection instead of failing while it backs off.
    /// For calls that surely were not executed, and for idempotent methods. `failfast`: one attempt each.
    exponential_backoff retry{};
    /// How many of these attempts there may be, and of hedges, of
    /// each service. A huge `reserve` is as good as no limit.
    attempt_budget_options retry_budget{};
    /// Off. `{.max_attempts = 2}`: idempotent methods are called once more beside a slow attempt.
    hedging hedge{};
    reconnect_backoff reconnect{};            ///< The pauses between attempts to connect.
    futon::limits limits{};                   ///< The same kinds of bounds as a server has.
    client_filters filters{};                 ///< What every call passes, outside in; see docs/filters.md.
    executor_ref callbacks{};                 ///< Where continuations run; null: the client's I/O thread.
    std::optional<futon::runtime> runtime{};  ///< Shared threads; empty: one I/O thread of its own.
    runtime_options threads{};                ///< For the client's own runtime: thread counts, log sink, hooks.
    /// Of the application: remote errors in them keep their code.
    std::vector<const std::error_category*> error_categories{};
    /// Called for each completed call on an I/O thread; must not block or throw.
    std::function<void(const call_record&)> on_call{};
};

/// Counters of a client since it was made; a consistent picture only when it is at rest.
struct client_stats {
    std::uint64_t calls = 0;      ///< Made, one-way calls included.
    std::uint64_t succeeded = 0;  ///< Answered well. One-way calls have no answer.
    /// With any error, cancelled ones included; one-way calls that could not be sent, too.
    std::uint64_t failed = 0;
    std::uint64_t retries = 0;            ///< Attempts after one that failed.
    std::uint64_t retries_refused = 0;    ///< Calls that `retry` would have made again, and `retry_budget` did not.
    std::uint64_t hedges = 0;             ///< Attempts beside one that was slow.
    std::uint64_t hedges_won = 0;         ///< Of these, those that were the first to answer.
    std::uint64_t queued = 0;             ///< Calls that wait for a connection now.
    std::uint64_t providers = 0;          ///< Known now, over all services.
    std::uint64_t usable_providers = 0;   ///< Of these: connected, and neither ejected nor leaving.
    std::uint64_t ejected_providers = 0;  ///< Taken out because their calls failed.
    std::uint64_t suspect_providers = 0;  ///< Not listed any more, and kept because so many vanished at once.
    /// What is set for services in registries now, and has another name or value than there is: see the log.
    std::uint64_t ignored_settings = 0;
    std::uint64_t connections = 0;  ///< Open now.
    std::uint64_t connects = 0;     ///< Connections made so far.
    /// One-way calls back to servers (`call_context::caller`) that this client's handlers had queued, and that surely
    /// did not run. Those of which only their number is known are in `failed`, with the client's own.
    std::uint64_t lost_oneways = 0;
    runtime_stats threads;  ///< Of the runtime, with all that shares it.
    session_stats wire;     ///< Sums over all connections, also those that are gone.

    /// What another channel counted; `threads` and `lost_oneways` stay.
    client_stats& operator+=(const client_stats& more) noexcept {
        calls += more.calls;
        succeeded += more.succeeded;
        failed += more.failed;
        retries += more.retries;
        retries_refused += more.retries_refused;
        hedges += more.hedges;
        hedges_won += more.hedges_won;
        queued += more.queued;
        providers += more.providers;
        usable_providers += more.usable_providers;
        ejected_providers += more.ejected_providers;
        suspect_providers += more.suspect_providers;
        ignored_settings += more.ignored_settings;
        connections += more.connections;
        connects += more.connects;
        wire += more.wire;
        return *this;
    }
};

}  // namespace futon
