// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One call at every provider of a service, with what became of it at each.

#include <futon/async/all_settled.hpp>
#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/message/route.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/detail/outgoing_filters.hpp>
#include <futon/service/method_pointer.hpp>
#include <futon/service/start_call.hpp>
#include <futon/service/stub.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {

/// What became of a broadcast at one provider.
template <class R>
struct broadcast_reply {
    endpoint from;      ///< The provider.
    result<R> outcome;  ///< What it answered, or why it did not.
};

namespace detail {

/// `asked` once more, for the provider at `where` and no other.
[[nodiscard]] inline intrusive_ptr<call> call_at(const stub_core& core, const call& asked, const endpoint& where) {
    auto made = make_intrusive<call>(intrusive_ptr<call_router>{channel_of(core)});
    made->request = asked.request.copy();
    auto only = asked.request.towards ? *asked.request.towards : route{};
    only.address = where.text();
    made->request.towards = std::make_shared<const route>(std::move(only));
    made->started = asked.started;
    made->slack = asked.slack;
    made->stub_made_at = asked.stub_made_at;
    made->options = asked.options;
    if (core.filters)
        made->filters = make_intrusive<outgoing_filters>(
            intrusive_ptr<const client_chain>{static_cast<const client_chain*>(core.filters.get())}, *made);
    return made;
}

template <class R>
[[nodiscard]] future<R> start_at(const executor_ref& where, intrusive_ptr<call> which) {
    return initiate<R>(where, use_future_t{},
                       [which = std::move(which)](intrusive_ptr<outcome<R>> ending) mutable noexcept {
                           ending->set_repeatable(which->request.method->idempotent);
                           ending->attach_source_unshared(which.share_unshared());
                           submit(std::move(which), std::move(ending), &deliver_result<R>);
                       });
}

/// At all of them at once.
template <class R>
[[nodiscard]] future<std::vector<broadcast_reply<R>>> start_at_all(const stub_core& core, const executor_ref& where,
                                                                   const call& asked, std::vector<endpoint> all) {
    std::vector<future<R>> calls;
    calls.reserve(all.size());
    for (const auto& each : all) calls.push_back(start_at<R>(where, call_at(core, asked, each)));
    return all_settled(where, std::move(calls)).then([all = std::move(all)](std::vector<result<R>> outcomes) mutable {
        std::vector<broadcast_reply<R>> replies;
        replies.reserve(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) replies.push_back({std::move(all[i]), std::move(outcomes[i])});
        return replies;
    });
}

enum class broadcast_problem { none, no_method, streams, arguments };

template <class Arguments, class... Args>
inline constexpr bool are_arguments = false;
template <class... A, class... Args>
    requires(sizeof...(A) == sizeof...(Args))
inline constexpr bool are_arguments<parameter_list<A...>, Args...> =
    (true && ... && std::is_convertible_v<const Args&, const A&>);

template <class Contract, auto Method, class... Args>
consteval broadcast_problem problem_of_broadcast() {
    constexpr auto index = index_of_pointer<Contract, Method>();
    if constexpr (index >= method_count<Contract>) {
        return broadcast_problem::no_method;
    } else {
        using traits = method_traits<method_at<Contract, index>>;
        if constexpr (traits::streams::any) return broadcast_problem::streams;
        return are_arguments<typename traits::arguments, Args...> ? broadcast_problem::none
                                                                  : broadcast_problem::arguments;
    }
}
template <class Contract, auto Method, class... Args>
inline constexpr broadcast_problem problem_of_broadcast_v = problem_of_broadcast<Contract, Method, Args...>();

}  // namespace detail

/// Calls a method at every provider of a stub's service: `broadcast<&Cache::forget>(cache, "user-7")`.
///
/// For what each provider has to do for itself: drop what it keeps, load its configuration again, say how it is. Goes
/// to all that are listed and that the stub's route lets through, ejected ones and those that are not connected
/// included, but for those that are about to stop and those of weight 0; in no particular order, and all at once. They
/// share one deadline, which is that of a call of the method. Each is a call for itself, which passes the filters and
/// may be retried at its provider.
///
/// The future has an entry for each provider, ordered by address: look at every `outcome`, some may be errors. It fails
/// as a whole only if there are none to ask: `no_provider`, `deadline_exceeded` while the registry has not answered,
/// `bad_arguments` if the arguments cannot be packed or the stub calls back over a connection, `client_closed`.
/// Cancellation: cancels all, and has entries then, too.
/// Lifetime: the stub and the arguments may go at once.
template <auto Method, contract Contract, class... Args>
    requires(detail::problem_of_broadcast_v<Contract, Method, Args...> == detail::broadcast_problem::none)
[[nodiscard]] auto broadcast(const stub<Contract>& to, const Args&... args) {
    using method = method_at<Contract, detail::index_of_pointer<Contract, Method>()>;
    using value = typename method_traits<method>::result;
    const auto& core = detail::stub_access::core<method>(&to);
    auto where = detail::executor_for(core);
    auto asked = detail::prepare_call<method>(core, args...);
    if (!asked) return make_failed<std::vector<broadcast_reply<value>>>(std::move(where), std::move(asked).error());
    auto known = detail::channel_of(core)->providers(**asked);
    return std::move(known).then(where, [core, where, asked = *std::move(asked)](std::vector<endpoint> all) {
        return detail::start_at_all<value>(core, where, *asked, std::move(all));
    });
}
template <auto Method, contract Contract, class... Args>
    requires(detail::problem_of_broadcast_v<Contract, Method, Args...> == detail::broadcast_problem::no_method)
__attribute__((
    unavailable("futon: this is no method of the stub's contract: name one of its FUTON_SERVICE, e.g. "
                "broadcast<&Cache::forget>(cache)"))) void
broadcast(const stub<Contract>& to, const Args&... args);
template <auto Method, contract Contract, class... Args>
    requires(detail::problem_of_broadcast_v<Contract, Method, Args...> == detail::broadcast_problem::streams)
__attribute__((unavailable(
    "futon: a method with streams cannot be broadcast: call it at each provider, with .route = {.address = ...}"))) void
broadcast(const stub<Contract>& to, const Args&... args);
template <auto Method, contract Contract, class... Args>
    requires(detail::problem_of_broadcast_v<Contract, Method, Args...> == detail::broadcast_problem::arguments)
__attribute__((unavailable("futon: these are not the arguments of the method that is to be broadcast"))) void broadcast(
    const stub<Contract>& to, const Args&... args);

}  // namespace futon
