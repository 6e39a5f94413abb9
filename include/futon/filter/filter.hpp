// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a filter is: one to three functions around every call of a client, a stub, a server, a service or a method.

#include <futon/async/future.hpp>
#include <futon/filter/call_outcome.hpp>
#include <futon/filter/decision.hpp>
#include <futon/filter/filtered_call.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

struct nothing_per_call {};

template <class F>
struct per_call_of {
    using type = nothing_per_call;
};
template <class F>
    requires requires { typename F::per_call; }
struct per_call_of<F> {
    using type = typename F::per_call;
};
template <class F>
using per_call_t = typename per_call_of<F>::type;

// Each function may also take what the filter keeps for each call, its own `struct per_call`, last.
template <class F, class Call>
concept has_before = requires(F& f, Call& c) { f.before(c); };
template <class F, class Call>
concept has_before_with_state = requires(F& f, Call& c, per_call_t<F>& kept) { f.before(c, kept); };
template <class F, class Call>
concept has_starting = requires(F& f, Call& c) { f.starting(c); };
template <class F, class Call>
concept has_starting_with_state = requires(F& f, Call& c, per_call_t<F>& kept) { f.starting(c, kept); };
template <class F, class Call>
concept has_after = requires(F& f, Call& c, call_outcome& how) { f.after(c, how); };
template <class F, class Call>
concept has_after_with_state =
    requires(F& f, Call& c, call_outcome& how, per_call_t<F>& kept) { f.after(c, how, kept); };

template <class F, class Call>
inline constexpr bool handles_before = has_before<F, Call> || has_before_with_state<F, Call>;
template <class F, class Call>
inline constexpr bool handles_starting = has_starting<F, Call> || has_starting_with_state<F, Call>;
template <class F, class Call>
inline constexpr bool handles_after = has_after<F, Call> || has_after_with_state<F, Call>;

// A member of that name, whatever it takes: inherited together with another one it is ambiguous.
struct twin_of_filter {
    int before, starting, after;
};
template <class F>
struct filter_and_twin : F, twin_of_filter {};
template <class F>
inline constexpr bool can_be_looked_into = std::is_class_v<F> && !std::is_final_v<F>;
template <class F>
inline constexpr bool names_before = can_be_looked_into<F> && !requires { &filter_and_twin<F>::before; };
template <class F>
inline constexpr bool names_starting = can_be_looked_into<F> && !requires { &filter_and_twin<F>::starting; };
template <class F>
inline constexpr bool names_after = can_be_looked_into<F> && !requires { &filter_and_twin<F>::after; };

template <class F, class Call>
constexpr bool returns_word_before() {
    if constexpr (has_before_with_state<F, Call>) {
        using word =
            flattened<decltype(std::declval<F&>().before(std::declval<Call&>(), std::declval<per_call_t<F>&>()))>;
        return std::is_void_v<word> || std::is_convertible_v<word, decision>;
    } else if constexpr (has_before<F, Call>) {
        using word = flattened<decltype(std::declval<F&>().before(std::declval<Call&>()))>;
        return std::is_void_v<word> || std::is_convertible_v<word, decision>;
    } else {
        return true;
    }
}
template <class F, class Call>
constexpr bool returns_word_starting() {
    if constexpr (has_starting_with_state<F, Call>) {
        using word = decltype(std::declval<F&>().starting(std::declval<Call&>(), std::declval<per_call_t<F>&>()));
        return std::is_void_v<word> || std::is_convertible_v<word, decision>;
    } else if constexpr (has_starting<F, Call>) {
        using word = decltype(std::declval<F&>().starting(std::declval<Call&>()));
        return std::is_void_v<word> || std::is_convertible_v<word, decision>;
    } else {
        return true;
    }
}

/// What keeps a class from being a filter of a side; each has its sentence in `filter/any_filter.hpp`.
enum class filter_problem { none, no_functions, wrong_parameters, wrong_result };

// One with a function that would never be called is a mistake, even if another fits.
template <class F, class Call>
constexpr filter_problem problem_of_filter() {
    constexpr bool on_client = std::is_same_v<Call, client_call>;
    constexpr bool fits_before = handles_before<F, Call> || !names_before<F>;
    constexpr bool fits_starting = on_client || handles_starting<F, Call> || !names_starting<F>;
    constexpr bool fits_after = handles_after<F, Call> || !names_after<F>;
    if (!fits_before || !fits_starting || !fits_after) return filter_problem::wrong_parameters;
    if (!handles_before<F, Call> && !handles_after<F, Call> && (on_client || !handles_starting<F, Call>))
        return filter_problem::no_functions;
    if (!returns_word_before<F, Call>() || (!on_client && !returns_word_starting<F, Call>()))
        return filter_problem::wrong_result;
    return filter_problem::none;
}

}  // namespace detail

/// A client's filter: a class with one or both of
/// - `before(client_call&)`, called once for each call before it is sent anywhere, on the caller's thread. It may
///   change the call, and returns nothing, a `decision`, a `result` of either, or a `future`, `task` or
///   `asio::awaitable` of either: the call waits for that, and is over if it fails.
/// - `after(client_call&, call_outcome&)`, called exactly once for each call that its `before` has let go on, when that
///   is over, whatever ended it; it may change the outcome. On the thread that completes the call.
///
/// What it has to keep for each call it declares as `struct per_call`, which both then may take last: one is made for
/// each call and destroyed after `after`, in memory that is used again. An exception fails its call, and nothing else.
/// Thread-safety: its functions are called from several threads at once, for different calls. They must not block.
template <class F>
concept client_filter = detail::handles_before<F, client_call> || detail::handles_after<F, client_call>;

/// A server's filter: a class with one to three of
/// - `before(server_call&)`, called once for each call when it has come in, on the connection's I/O thread, as a
///   client's;
/// - `starting(server_call&)`, when the handler is about to run, where it runs: after any wait in a queue. It returns
///   nothing or a `decision`;
/// - `after(server_call&, call_outcome&)`, as a client's, before the answer is sent, on the connection's I/O thread.
template <class F>
concept server_filter = detail::handles_before<F, server_call> || detail::handles_starting<F, server_call> ||
                        detail::handles_after<F, server_call>;

}  // namespace futon
