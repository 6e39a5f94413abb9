// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where every call of every stub begins, whatever ends it: its arguments are encoded, its deadline is set,
/// and its channel takes it.

#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/async/token.hpp>
#include <futon/message/call.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/call_options.hpp>
#include <futon/service/detail/caller_streams.hpp>
#include <futon/service/detail/outgoing_filters.hpp>
#include <futon/service/method.hpp>
#include <futon/service/packability.hpp>
#include <futon/service/propagation.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

[[nodiscard]] inline error unfit_reply(const error& why, const call& which) {
    return error{errc::bad_reply, "the reply does not fit the method's result: " + why.message(), executed::yes}.with_where(which.place());
}

/// Decodes a reply as the method's result and completes the ending with it.
template <class R>
void deliver_result(intrusive_ptr<operation> ending, const response& reply, const call& which) noexcept {
    auto& out = static_cast<outcome<R>&>(*ending.detach());
    auto decoded = reply.complexity ? decode<R>(reply.body, *reply.complexity) : decode<R>(reply.body);
    if (!decoded) [[unlikely]] decoded = unfit_reply(decoded.error(), which);
    if (!which.reported) [[likely]] which.router().decoded(which, reply, decoded ? nullptr : &decoded.error());
    out.conclude(std::move(decoded));
}

/// Calls that may take as long do not ask the exact clock; they may then take a tick of the system longer.
inline constexpr duration long_timeout = std::chrono::milliseconds{250};

/// Says of a call that is made now through this stub when that was, and when it must be over.
inline void set_deadline(call& which, const any_channel& channel, const call_options* options) {
    const auto& method = *which.request.method;
    auto after = method.timeout > duration{} ? method.timeout : channel.default_timeout();
    if (options && options->timeout) after = *options->timeout;
    const bool is_long = after >= long_timeout && !method.has_streams;
    const auto now = is_long ? channel.rough_now() : exactly(channel.now());
    which.started = now.earliest;
    const auto timed_out = deadline_after(now.latest, after);
    auto deadline = options && options->deadline && !options->timeout ? *options->deadline : timed_out;
    if (options && options->deadline) deadline = std::min(deadline, *options->deadline);
    if (const auto* here = this_thread().current) deadline = std::min(deadline, here->deadline());
    which.request.deadline = deadline;
    if (deadline == timed_out) which.slack = now.latest - now.earliest;
}

/// A call that lacks its arguments, and its ending until it is started.
[[nodiscard]] inline intrusive_ptr<call> make_call(const stub_core& core, std::size_t index) {
    auto* const channel = channel_of(core);
    const auto* const options = core.options.get();
    auto made = make_intrusive<call>(intrusive_ptr<call_router>{channel});
    made->stub_made_at = core.made_at;
    auto& request = made->request;
    request.method = &core.service->methods[index];
    set_deadline(*made, *channel, options);
    request.wait_for_ready = options && options->wait_for_ready ? *options->wait_for_ready : channel->waits_for_ready();
    if (options) {
        if (!options->headers.empty()) request.headers = options->headers;
        if (!options->hash_key.empty()) request.hash_key = hash_of(options->hash_key);
        if (options->retry || options->hedge) made->options = core.options;
        if (!options->route.empty()) request.towards = std::shared_ptr<const route>{core.options, &options->route};
    }
    if (const auto* here = this_thread().current; here && here->trace()) write_trace(*here->trace(), request.headers);
    if (core.filters) [[unlikely]]
        made->filters = make_intrusive<outgoing_filters>(intrusive_ptr<const client_chain>{static_cast<const client_chain*>(core.filters.get())}, *made);
    return made;
}

[[nodiscard]] inline executor_ref executor_for(const stub_core& core) {
    if (!core.channel) return nullptr;
    return core.options && core.options->on ? core.options->on : channel_of(core)->callback_executor();
}

[[nodiscard]] inline error empty_stub() {
    return {errc::no_state, "this stub is empty: get one from client.stub<Contract>()", executed::no};
}
[[nodiscard]] inline error cannot_pack(const method_info& method) {
    return error{errc::bad_arguments,
                 "the arguments could not be packed: " + error::from_exception(std::current_exception()).message(), executed::no}
        .with_where(method.full_name());
}

template <class Parameters>
struct argument_encoder;
template <class... A>
struct argument_encoder<parameter_list<A...>> {
    // By reference to the parameter types, which the caller's arguments are or convert to.
    static void encode(byte_buffer& out, const A&... arguments) {
        if constexpr ((false || ... || is_stream<A>)) {
            std::apply([&](const auto&... plain) { encode_arguments(out, plain...); }, std::tuple_cat(plain_one(arguments)...));
        } else {
            encode_arguments(out, arguments...);
        }
    }

private:
    template <class One>
    static auto plain_one([[maybe_unused]] const One& argument) noexcept {
        if constexpr (is_stream<One>) {
            return std::tuple<>{};
        } else {
            return std::tuple<const One&>{argument};
        }
    }
};

/// Encodes before any token is looked at. What goes wrong there is the call's error, like all else.
template <class Method, class... Args>
[[nodiscard]] result<intrusive_ptr<call>> prepare_call(const stub_core& core, const Args&... arguments) {
    if (!core.channel) return empty_stub();
    auto made = make_call(core, Method::index);
    try {
        argument_encoder<typename method_traits<Method>::arguments>::encode(made->request.arguments, arguments...);
    } catch (...) {
        return cannot_pack(*made->request.method);
    }
    return made;
}

/// From here on the call completes in any case.
inline void submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending, deliver_reply deliver) noexcept {
    try {
        if (const auto* here = this_thread().current) which->follow(*here);
    } catch (const std::bad_alloc&) {
        ending->fail(error{errc::resource_exhausted, executed::no});
        return;
    }
    if (which->filters) [[unlikely]] {
        auto& filters = static_cast<outgoing_filters&>(*which->filters);
        return filters.submit(std::move(which), std::move(ending), deliver);
    }
    which->begin(std::move(ending), deliver);
    auto& channel = static_cast<any_channel&>(which->router());
    channel.submit(std::move(which));
}

/// Makes the port of a call with streams, and moves the one that is an argument into it.
template <class Method, class... Args>
[[nodiscard]] auto open_streams(const stub_core& core, const intrusive_ptr<call>& which, Args&&... args) {
    using streams = typename method_traits<Method>::streams;
    const auto* const options = core.options.get();
    auto& request = which->request;
    auto made = make_intrusive<caller_streams<typename streams::item, typename streams::final_result,
                                              typename method_traits<Method>::taken_item>>(which);
    auto& terms = made->terms;
    if (options && options->idle_timeout) terms.idle_timeout = *options->idle_timeout;
    if (options && options->timeout) terms.deadline = deadline_after(which->started, *options->timeout);
    if (options && options->deadline) terms.deadline = std::min(terms.deadline, *options->deadline);
    if (const auto* here = this_thread().current) terms.deadline = std::min(terms.deadline, here->deadline());
    const auto accept_within = request.method->timeout > duration{} ? request.method->timeout : channel_of(core)->default_timeout();
    request.deadline = std::min(terms.deadline, deadline_after(which->started, accept_within));
    request.has_streams = true;
    [[maybe_unused]] const auto send = [&]<class A>(A&& argument) {
        if constexpr (is_stream<A>) made->send_from(std::forward<A>(argument));
    };
    (send(std::forward<Args>(args)), ...);
    which->streams = made;
    return made;
}

/// A call that returns a stream, which is there at once.
template <class Method, class... Args>
auto start_stream(const stub_core& core, Args&&... args) {
    using streams = typename method_traits<Method>::streams;
    using item = typename streams::item;
    using final_result = typename streams::final_result;
    auto state = make_intrusive<stream_state<item, final_result>>();
    stream<item, final_result> made{state, executor_for(core)};
    auto prepared = prepare_call<Method>(core, args...);
    if (!prepared) {
        state->end(std::move(prepared).error());
        return made;
    }
    auto which = *std::move(prepared);
    const auto port = open_streams<Method>(core, which, std::forward<Args>(args)...);
    port->receive_into(state);
    state->attach_source(make_intrusive<item_source>(port));
    submit(std::move(which), make_intrusive<stream_ending<item, final_result>>(std::move(state)), &deliver_result<final_result>);
    return made;
}

template <class R, class Token>
struct initiated {
    using type = decltype(initiate<R>(executor_ref{}, std::declval<Token>(), [](intrusive_ptr<outcome<R>>) {}));
};
template <class Method, class Token>
struct call_return : std::conditional_t<std::is_same_v<std::remove_cvref_t<Token>, oneway_t>, std::type_identity<result<void>>,
                                        initiated<typename method_traits<Method>::result, Token>> {};

/// Whether a token starts its operation before it returns: the stub is there meanwhile, and with it the channel.
/// Others may keep what starts it, e.g. until their coroutine is resumed.
template <class R, class Token>
inline constexpr bool starts_at_once =
    std::is_same_v<std::remove_cvref_t<Token>, use_future_t> ||
    (std::is_invocable_v<std::decay_t<Token>, result<R>> && std::is_void_v<typename initiated<R, Token>::type>);

/// A call with a result that comes later.
template <class Method, class Token, class... Args>
typename call_return<Method, Token>::type start_plain(const stub_core& core, Token&& token, Args&&... args) {
    using result_type = typename method_traits<Method>::result;
    auto prepared = prepare_call<Method>(core, args...);
    if constexpr (method_traits<Method>::streams::takes_items) {
        static_assert(!std::is_same_v<std::remove_cvref_t<Token>, oneway_t>, "futon: a call with a stream cannot be one-way");
        if (prepared) static_cast<void>(open_streams<Method>(core, *prepared, std::forward<Args>(args)...));
    }
    if constexpr (std::is_same_v<std::remove_cvref_t<Token>, oneway_t>) {
        if (!prepared) return std::move(prepared).error();
        auto which = *std::move(prepared);
        if (which->filters) [[unlikely]] {
            auto& filters = static_cast<outgoing_filters&>(*which->filters);
            return filters.send_oneway(std::move(which));
        }
        return channel_of(core)->send_oneway(std::move(which));
    } else {
        using channel_holder = std::conditional_t<starts_at_once<result_type, Token>, call_router*, intrusive_ptr<call_router>>;
        return initiate<result_type>(executor_for(core), std::forward<Token>(token),
                                     [prepared = std::move(prepared)](intrusive_ptr<outcome<result_type>> ending) mutable noexcept {
                                         if (!prepared) {
                                             ending->fail(std::move(prepared).error());
                                             return;
                                         }
                                         auto which = *std::move(prepared);
                                         [[maybe_unused]] const channel_holder keep{&which->router()};
                                         ending->set_repeatable(which->request.method->idempotent);
                                         if (ending->can_be_cancelled()) ending->attach_source_unshared(which.share_unshared());
                                         submit(std::move(which), std::move(ending), &deliver_result<result_type>);
                                     });
    }
}

template <class Method, class Token, class... Args>
typename call_return<Method, Token>::type start_call(const stub_core& core, Token&& token, Args&&... args) {
    if constexpr (method_traits<Method>::streams::gives_items) {
        return start_stream<Method>(core, std::forward<Args>(args)...);
    } else {
        return start_plain<Method>(core, std::forward<Token>(token), std::forward<Args>(args)...);
    }
}

template <class Contract>
stub_core with_options(const stub_core& core, const call_options& options, const std::source_location& where) {
    auto made = core;
    made.options = std::make_shared<const call_options>(core.options ? combine(*core.options, options) : options);
    if (!options.filters.empty() && core.channel) made.filters = client_chain::make({&channel_of(core)->filters(), &made.options->filters});
    made.made_at = where;
    return made;
}

}  // namespace detail
}  // namespace futon
