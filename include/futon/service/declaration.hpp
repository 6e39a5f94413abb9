// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a contract's declaration of a method is, and what makes it unfit to be a remote one.

#include <futon/async/stream_fwd.hpp>
#include <futon/service/stream_traits.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace futon {

template <class T>
class future;
template <class T>
class result;
template <class T>
class task;

namespace detail {

/// What makes a declaration unfit to be a remote method; each has its sentence in `service/macros.hpp`.
enum class method_problem {
    none,
    missing,
    ambiguous,
    no_member_function,
    variadic,
    qualified,
    reference_result,
    pointer_result,
    view_result,
    deferred_result,
    pointer_parameter,
    several_streams,
    stream_by_reference,
    reserved_name,
};

template <class Pointer>
struct declaration {
    static constexpr method_problem problem =
        std::is_member_function_pointer_v<Pointer> ? method_problem::qualified : method_problem::no_member_function;
};

template <class T>
inline constexpr bool is_view = false;
template <class Char, class Traits>
inline constexpr bool is_view<std::basic_string_view<Char, Traits>> = true;
template <class T, std::size_t Extent>
inline constexpr bool is_view<std::span<T, Extent>> = true;

// What a handler may return in place of the value.
template <class T>
inline constexpr bool is_deferred = false;
template <class T>
inline constexpr bool is_deferred<future<T>> = true;
template <class T>
inline constexpr bool is_deferred<result<T>> = true;
template <class T>
inline constexpr bool is_deferred<task<T>> = true;
// asio::awaitable, which is not seen here. The second question would complete types that may be incomplete here.
template <template <class, class> class A, class T, class Executor>
inline constexpr bool is_deferred<A<T, Executor>> =
    requires(const Executor& where) { where.context(); } && requires { typename A<T, Executor>::executor_type; };

template <class T>
inline constexpr bool points_out = std::is_pointer_v<std::remove_reference_t<T>> ||
                                   (std::is_lvalue_reference_v<T> && !std::is_const_v<std::remove_reference_t<T>>);

template <class R, class... A>
struct plain_declaration {
    using signature = R(A...);
    static constexpr method_problem problem = [] {
        if (std::is_reference_v<R>) return method_problem::reference_result;
        if (std::is_pointer_v<R>) return method_problem::pointer_result;
        if (is_view<std::remove_cv_t<R>>) return method_problem::view_result;
        if (is_deferred<std::remove_cv_t<R>>) return method_problem::deferred_result;
        if ((false || ... || points_out<A>)) return method_problem::pointer_parameter;
        if (method_streams<void, A...>::count > 1) return method_problem::several_streams;
        if ((false || ... || (is_stream<A> && std::is_lvalue_reference_v<A>)))
            return method_problem::stream_by_reference;
        return method_problem::none;
    }();
};
struct variadic_declaration {
    static constexpr method_problem problem = method_problem::variadic;
};

template <class C, class R, class... A>
struct declaration<R (C::*)(A...)> : plain_declaration<R, A...> {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A...) const> : plain_declaration<R, A...> {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A...) noexcept> : plain_declaration<R, A...> {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A...) const noexcept> : plain_declaration<R, A...> {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A..., ...)> : variadic_declaration {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A..., ...) const> : variadic_declaration {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A..., ...) noexcept> : variadic_declaration {};
template <class C, class R, class... A>
struct declaration<R (C::*)(A..., ...) const noexcept> : variadic_declaration {};

// Inherits the name once or twice: twice is ambiguous, and so shows that the contract has it.
template <class Contract, class Twin>
struct both : Contract, Twin {};

template <class Method>
constexpr method_problem problem_of() {
    using contract = typename Method::contract;
    if (Method::name == "with" || Method::name == "stub") return method_problem::reserved_name;
    if constexpr (requires { Method::template address<contract>(); }) {
        return declaration<decltype(Method::template address<contract>())>::problem;
    } else if constexpr (std::is_final_v<contract>) {
        return method_problem::ambiguous;
    } else if constexpr (requires { Method::template address<both<contract, typename Method::futon_twin>>(); }) {
        return method_problem::missing;
    } else {
        return method_problem::ambiguous;
    }
}

template <class Method>
constexpr bool lacks(method_problem what) {
    return problem_of<Method>() != what;
}

}  // namespace detail
}  // namespace futon
