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
#include <futon/service/method.hpp>
#include <futon/service/packability.hpp>
#include <futon/service/reply_headers.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>

#include <algorithm>
#include <cstddef>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

template <class Method, class R>
struct call_start {};

[[nodiscard]] error unfit_reply(const error& why, const call& which);

/// Decodes a reply as the method's result and completes the ending with it, or with a `replied` of it.
template <class R, class Yield = R>
void deliver_result(intrusive_ptr<operation> ending, const response& reply, const call& which) noexcept {
    auto& out = static_cast<outcome<Yield>&>(*ending.detach());
    auto decoded = reply.complexity ? decode<R>(reply.body, *reply.complexity) : decode<R>(reply.body);
    if (!decoded) [[unlikely]]
        decoded = unfit_reply(decoded.error(), which);
    if (!which.reported) [[likely]]
        which.router().decoded(which, reply, decoded ? nullptr : &decoded.error());
    if constexpr (std::is_same_v<R, Yield>) {
        out.conclude(std::move(decoded));
    } else {
        out.conclude(beside_headers(std::move(decoded), reply.headers));
    }
}

/// A call that lacks its arguments, and its ending until it is started.
[[nodiscard]] intrusive_ptr<call> make_call(const stub_core& core, std::size_t index);

[[nodiscard]] executor_ref executor_for(const stub_core& core);

[[nodiscard]] error empty_stub();
/// With the exception that was just caught.
[[nodiscard]] error cannot_pack(const method_info& method);

template <class Parameters>
struct argument_encoder;
template <class... A>
struct argument_encoder<parameter_list<A...>> {
    // By reference to the parameter types, which the caller's arguments are or convert to.
    static void encode(byte_buffer& out, const A&... arguments) {
        if constexpr ((false || ... || is_stream<A>)) {
            std::apply([&](const auto&... plain) { encode_arguments(out, plain...); },
                       std::tuple_cat(plain_one(arguments)...));
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
void submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending, deliver_reply deliver) noexcept;
/// The same for one that gets no reply.
[[nodiscard]] result<void> submit_oneway(intrusive_ptr<call> which);

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
    const auto accept_within =
        request.method->timeout > duration{} ? request.method->timeout : channel_of(core)->default_timeout();
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
    submit(std::move(which), make_intrusive<stream_ending<item, final_result>>(std::move(state)),
           &deliver_result<final_result>);
    return made;
}

/// Whether a token starts its operation before it returns: the stub is there meanwhile, and with it the channel.
/// Others may keep what starts it, e.g. until their coroutine is resumed.
template <class R, class Token>
inline constexpr bool starts_at_once = [] {
    if constexpr (std::is_same_v<std::remove_cvref_t<Token>, use_future_t>) {
        return true;
    } else if constexpr (std::is_invocable_v<std::decay_t<Token>, result<R>>) {
        return std::is_void_v<decltype(asio::async_initiate<Token, void(result<R>)>(
            initiation_probe<R>{}, std::declval<std::remove_reference_t<Token>&>()))>;
    } else {
        return false;
    }
}();

/// Starts a call that was prepared, once. It has a name because what a lazy token returns, e.g. `asio::deferred`, is
/// made of this type, and a stub's member says what it returns before there is a call.
template <class R, class Yield, class Token>
class prepared_start {
public:
    explicit prepared_start(result<intrusive_ptr<call>> prepared) : prepared_{std::move(prepared)} {}
    prepared_start(prepared_start&&) noexcept = default;
    prepared_start& operator=(prepared_start&&) = delete;

    void operator()(intrusive_ptr<outcome<Yield>> ending) noexcept {
        if (!prepared_) {
            ending->fail(std::move(prepared_).error());
            return;
        }
        auto which = *std::move(prepared_);
        using channel_holder =
            std::conditional_t<starts_at_once<Yield, Token>, call_router*, intrusive_ptr<call_router>>;
        [[maybe_unused]] const channel_holder keep{&which->router()};
        ending->set_repeatable(which->request.method->idempotent);
        if (ending->can_be_cancelled()) ending->attach_source_unshared(which.share_unshared());
        submit(std::move(which), std::move(ending), &deliver_result<R, Yield>);
    }

private:
    result<intrusive_ptr<call>> prepared_;
};

template <class R, class Token, class Yield = R>
struct initiated {
    using yield = Yield;
    using start = prepared_start<R, Yield, Token>;
    using type = decltype(initiate<Yield>(executor_ref{}, std::declval<Token>(), std::declval<start>()));
};
template <class R, class Token>
    requires takes_headers<std::remove_cvref_t<Token>>
struct initiated<R, Token, R> : initiated<R, decltype((std::declval<Token>().token)), replied<R>> {};
template <class Method, class Token>
struct call_return
    : std::conditional_t<std::is_same_v<std::remove_cvref_t<Token>, oneway_t>, std::type_identity<result<void>>,
                         initiated<typename method_traits<Method>::result, Token>> {};

template <class Token>
[[nodiscard]] constexpr decltype(auto) innermost(Token&& token) noexcept {
    if constexpr (takes_headers<std::remove_cvref_t<Token>>) {
        return (std::forward<Token>(token).token);
    } else {
        return std::forward<Token>(token);
    }
}

/// A call with a result that comes later.
template <class Method, class Token, class... Args>
typename call_return<Method, Token>::type start_plain(const stub_core& core, Token&& token, Args&&... args) {
    using result_type = typename method_traits<Method>::result;
    auto prepared = prepare_call<Method>(core, args...);
    if constexpr (method_traits<Method>::streams::takes_items) {
        static_assert(!std::is_same_v<std::remove_cvref_t<Token>, oneway_t>,
                      "futon: a call with a stream cannot be one-way");
        if (prepared) static_cast<void>(open_streams<Method>(core, *prepared, std::forward<Args>(args)...));
    }
    if constexpr (std::is_same_v<std::remove_cvref_t<Token>, oneway_t>) {
        if (!prepared) return std::move(prepared).error();
        return submit_oneway(*std::move(prepared));
    } else {
        using way = initiated<result_type, Token>;
        return initiate<typename way::yield>(executor_for(core), innermost(std::forward<Token>(token)),
                                             typename way::start{std::move(prepared)});
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

/// The core with these options laid over its own.
[[nodiscard]] stub_core lay_over(const stub_core& core, const call_options& options, const std::source_location& where);

// A template because the light header of contracts declares it, too, without what it takes.
template <class Contract>
stub_core with_options(const stub_core& core, const call_options& options, const std::source_location& where) {
    return lay_over(core, options, where);
}
template <class Contract>
stub_core with_timeout(const stub_core& core, duration timeout, const std::source_location& where) {
    call_options options;
    options.timeout = timeout;
    return lay_over(core, options, where);
}

}  // namespace detail
}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/start_call_bodies.hpp>
#endif
