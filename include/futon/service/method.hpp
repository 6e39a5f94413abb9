// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One method of a contract: its attributes, what its declaration says, and where its calls go.

#include <futon/async/completion_for.hpp>
#include <futon/async/stream_fwd.hpp>
#include <futon/core/time.hpp>
#include <futon/service/declaration.hpp>
#include <futon/service/stream_traits.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace futon {

template <class T>
class future;
struct exponential_backoff;

/// What the macro says about a method beside its name; both sides obey it.
struct method_attributes {
    bool idempotent = false;  ///< May safely run twice: may be retried and hedged.
    bool run_to_end = false;  ///< A caller that gives up does not stop its handler.
    bool failfast = false;    ///< Its calls are one attempt each, unless the call says otherwise.
    duration timeout{};       ///< Deadline of its calls unless the call says one; zero: the client's default.
};

/// Anything that may follow the name in `FUTON_SERVICE(C, (name, attributes...))`.
template <class A>
concept method_attribute = requires(const A& attribute, method_attributes& all) { attribute.apply_to(all); };

/// See `idempotent`.
struct idempotent_attribute {
    constexpr void apply_to(method_attributes& all) const noexcept { all.idempotent = true; }
};
/// Running the method twice does the same as running it once.
inline constexpr idempotent_attribute idempotent{};

/// See `run_to_end`.
struct run_to_end_attribute {
    constexpr void apply_to(method_attributes& all) const noexcept { all.run_to_end = true; }
};
/// A caller that gives up, or is gone, does not stop its handler, nor what that waits for.
inline constexpr run_to_end_attribute run_to_end{};

/// See `failfast`.
struct failfast_attribute {
    constexpr void apply_to(method_attributes& all) const noexcept { all.failfast = true; }
    /// As a retry policy. A template, so that contracts need not see one.
    template <class Policy>
        requires std::same_as<Policy, exponential_backoff>
    constexpr operator Policy() const noexcept {
        return Policy{.max_attempts = 1};
    }
};
/// One attempt for each call: neither repeated nor hedged, whatever happens. Of a method, in its contract; as `.retry`,
/// of a client, a stub or a call.
inline constexpr failfast_attribute failfast{};

/// See `timeout`.
struct timeout_attribute {
    duration after;
    constexpr void apply_to(method_attributes& all) const noexcept { all.timeout = after; }
};
/// The method's own default deadline. Does not compile unless it is positive.
template <class Rep, class Period>
[[nodiscard]] constexpr timeout_attribute timeout(std::chrono::duration<Rep, Period> after) {
    if (after <= after.zero()) throw "futon: the timeout of a method must be positive";
    return {std::chrono::duration_cast<duration>(after)};
}
static_assert(method_attribute<idempotent_attribute> && method_attribute<timeout_attribute> &&
              method_attribute<failfast_attribute>);

/// What a stub's method returns when no token is given.
template <class R>
struct returned {
    using type = future<R>;
};
template <class T, class R>
struct returned<stream<T, R>> {
    using type = stream<T, R>;
};

namespace detail {

struct stub_core;

/// Whether `Token` can end a call that returns `R`. A stream is there at once, and has no ending.
template <class Token, class R>
inline constexpr bool is_stub_completion_for = is_completion_for<Token, R>;
template <class Token, class T, class R>
inline constexpr bool is_stub_completion_for<Token, stream<T, R>> = false;

/// Whether the ending wants the metadata of the reply, too; see `service/reply_headers.hpp`.
template <class Token>
inline constexpr bool takes_headers = false;

/// Whether a `Token` is taken as the ending of such a call: also a callable that is none, so that it can be told why.
template <class Token, class R>
inline constexpr bool may_be_ending =
    is_stub_completion_for<Token, R> || std::is_function_v<std::remove_pointer_t<std::remove_cvref_t<Token>>> ||
    takes_headers<std::remove_cvref_t<Token>> || requires { &std::remove_cvref_t<Token>::operator(); };
template <class Token, class T, class R>
inline constexpr bool may_be_ending<Token, stream<T, R>> = false;

/// Defined by `service/start_call.hpp`.
template <class Method, class R>
struct call_start;

/// Whether calls of `Method`, which returns `R`, can be made here: not where a contract alone is included.
template <class Method, class R>
inline constexpr bool calls_are_seen = requires { sizeof(call_start<Method, R>); };

/// What a call of `Method` with this (cvref-qualified) `Token` returns; the other tokens stand beside `start_call`.
template <class Method, class Token>
struct call_return;

/// Every call of every stub: encodes the arguments, starts the operation, ends it as the token says.
template <class Method, class Token, class... Args>
typename call_return<Method, Token>::type start_call(const stub_core& core, Token&& token, Args&&... args);

/// Whose method it is.
template <class Contract>
struct method_of {
    using contract = Contract;
};

/// Stands for a call that did not compile, so that its own error is the only one.
template <class Returned>
Returned not_called();

template <method_attribute... A>
constexpr method_attributes attributes_from(const A&... attributes) {
    method_attributes all;
    (attributes.apply_to(all), ...);
    return all;
}

/// `as_argument` and `as_result`: `void` if the type may travel so, else a type whose name says why not. Defined by
/// `service/packability.hpp`, where the codec is seen.
template <class T>
struct travels;

template <class... Verdicts>
struct first_decision {
    using type = void;
};
template <class First, class... Rest>
struct first_decision<First, Rest...> : std::type_identity<First> {};
template <class... Rest>
struct first_decision<void, Rest...> : first_decision<Rest...> {};

/// What is wrong with the first parameter that may not travel, or `void`.
template <class... A>
using unfit_parameter = typename first_decision<typename travels<std::remove_cvref_t<A>>::as_argument...>::type;
template <class R>
using unfit_result = typename travels<std::remove_cv_t<R>>::as_result;

template <class T>
inline constexpr bool nothing = std::is_void_v<T>;

/// `R(A...)` as the contract declares it; `void()` for an unfit one, whose own error is then the only one.
template <class Method, method_problem = problem_of<Method>()>
struct declared_signature {
    using type = void();
};
template <class Method>
struct declared_signature<Method, method_problem::none> {
    using type = typename declaration<decltype(Method::template address<typename Method::contract>())>::signature;
};

template <class... T>
struct parameter_list {
    static constexpr std::size_t size = sizeof...(T);
};

template <class Signature>
struct signature_parts;
template <class R, class... A>
struct signature_parts<R(A...)> {
    using result = std::remove_cv_t<R>;
    using parameters = parameter_list<A...>;
    using arguments = parameter_list<std::remove_cvref_t<A>...>;
    template <template <class, class...> class F>
    using apply = F<result, std::remove_cvref_t<A>...>;
    template <template <class...> class F>
    using apply_arguments = F<std::remove_cvref_t<A>...>;
    using streams = method_streams<std::remove_cv_t<R>, std::remove_cvref_t<A>...>;
    using taken_item = typename detail::taken_item<std::remove_cvref_t<A>...>::type;
};

}  // namespace detail

/// What the contract's declaration of a method says. `Method` is a type that `for_each_method` hands out.
///
/// - `result`: what the handler yields; `parameters`: a `detail::parameter_list` as written;
/// - `arguments`: the same without const and references, which is what travels and is decoded;
/// - `streams`: a `detail::method_streams`; `taken_item`: of the parameter that is a stream, or `void`;
/// - `apply<F>` is `F<result, arguments...>` and `apply_arguments<F>` is `F<arguments...>`.
template <class Method>
struct method_traits : detail::signature_parts<typename detail::declared_signature<Method>::type> {
    using signature = typename detail::declared_signature<Method>::type;
};

namespace detail {

template <class Method, class Token>
    requires std::same_as<std::remove_cvref_t<Token>, use_future_t>
struct call_return<Method, Token> {
    using type = typename returned<typename method_traits<Method>::result>::type;
};

}  // namespace detail

}  // namespace futon
