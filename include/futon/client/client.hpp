// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls services: one address or many, one connection or many, from any thread.

#include <futon/async/future.hpp>
#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/client/pending_call.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/sizes_in_common.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/service/make_stub.hpp>
#include <futon/service/service_key.hpp>
#include <futon/serving/provide.hpp>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

namespace detail {
class channels;
class runtime_state;
}  // namespace detail

/// Hands out stubs, and carries their calls.
///
/// Connects when the first call is made, or on `wait_ready`; connects again by itself when a connection
/// breaks. Servers may start later than their clients.
/// Errors: bad options throw `rpc_error` from the constructor; everything else is the error of a call.
/// Thread-safety: safe. Lifetime: destroying it completes every call with `client_closed`, and so later
/// calls through its stubs; it waits for its own I/O threads and for handlers of what it provides, unless it is
/// destroyed on a thread of futon's, whichever: there what it provides by reference must live until they are done.
class client {
public:
    /// An address, e.g. "tcp://127.0.0.1:12200", `endpoints`, or what `server::addresses` returns.
    template <std::convertible_to<endpoints> To>
    explicit client(const To& to) : client{by_address{}, endpoints{to}} {}
    /// `client{{"tcp://a:1", "tcp://b:1"}}`. A template, as is the one above: g++ does not mind the names of fields
    /// when it looks for ways to make an `endpoints`, and would find `client{{.endpoints = "tcp://a:1"}}` ambiguous.
    template <std::convertible_to<std::string_view> Text>
    explicit client(std::initializer_list<Text> to)
        : client{by_address{}, endpoints{std::vector<std::string>(to.begin(), to.end())}} {}
    explicit client(client_options options);
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client();

    /// A stub of the service that `Contract` names. Making one sends nothing.
    /// Errors: throws `rpc_error` with `bad_arguments` where the version or the unique id has a ':'.
    template <contract Contract>
    [[nodiscard]] futon::stub<Contract> stub(const stub_options& options = {},
                                             const std::source_location& where = std::source_location::current());
    template <class Contract>
        requires(!contract<Contract>)
    __attribute__((unavailable(FUTON_DETAIL_NO_CONTRACT))) void stub(const stub_options& options = {});

    /// Offers `implementation` to the servers that this client calls: their handlers call it back over the same
    /// connection, see `call_context::caller`. As `server::provide` otherwise.
    ///
    /// Before the first call and `wait_ready`, which connect. Lifetime: destroying the client waits for handlers that
    /// run on other threads, but not for those on the I/O threads of a lent `io_context`. What was moved in lives until
    /// they are done.
    /// Errors: throws `rpc_error` as `server::provide` does; with `already_satisfied`, too, once the client has begun
    /// to connect.
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

    /// Connects, trying again until `timeout`. With a registry, to a provider of each service that a stub was made of.
    /// Errors: `deadline_exceeded` with the last failure, `client_closed`; `bad_arguments` with a registry and no stub.
    future<void> wait_ready(duration timeout);
    /// Completes every call with `client_closed`, now and later. May be repeated.
    void close() noexcept;
    [[nodiscard]] client_stats stats() const noexcept;
    /// Every call that is under way, the oldest first. Looks at each connection on its own thread, so it is ready soon.
    [[nodiscard]] future<std::vector<pending_call>> pending_calls() const;
    /// The same as text, a line for each: for a person who looks for a call that hangs.
    [[nodiscard]] future<std::string> dump_pending() const;

    /// Changes what holds for calls that are made from now on; what is not given is as in the client's options.
    /// Errors: throws `rpc_error` with `bad_arguments`, naming the field, and changes nothing.
    void update(const call_rules& rules);

private:
    struct by_address {};
    client(by_address, endpoints to);
    // What carries the calls of a service.
    [[nodiscard]] detail::intrusive_ptr<detail::any_channel> over(const std::string& service) const;
    // What servers may call back, and where that runs unless something else is said.
    [[nodiscard]] detail::dispatcher& services() const noexcept;
    [[nodiscard]] executor_ref pool() const noexcept;

    bool own_runtime_ = false;
    detail::intrusive_ptr<detail::runtime_state> runtime_;
    std::unique_ptr<detail::channels> channels_;
    executor_ref home_;  // Of what belongs to no channel.
};

template <contract Contract>
futon::stub<Contract> client::stub(const stub_options& options, const std::source_location& where) {
    return detail::make_stub<Contract>(over(detail::key_of_stub(service_name<Contract>, options)), options, where);
}

template <contract Contract, detail::providable Implementation>
void client::provide(Implementation&& implementation, const provide_options& options) {
    detail::add_service<Contract>(services(), pool(), std::forward<Implementation>(implementation), options).value();
}

}  // namespace futon

#if defined(FUTON_COMPILED)
FUTON_DETAIL_SIZES_IN_COMMON(client_sizes, sizeof(client), sizeof(client_options), sizeof(client_stats),
                             sizeof(call_rules), sizeof(pending_call))
#else
#include <futon/client/detail/client_bodies.hpp>
#endif
