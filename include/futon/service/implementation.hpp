// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a contract's methods are found in an implementation: which of the accepted forms each one has.

#include <futon/service/description.hpp>

#include <type_traits>
#include <utility>

namespace futon {

class call_context;
template <class T>
class responder;
template <class T>
class task;

namespace detail {

/// In what a handler wraps its value.
enum class returns_kind { value, result, future, task, awaitable, stream };

/// The form of one handler: `m(args...)`, `m(call_context&, args...)`, `m(responder<R>, args...)` or both in
/// this order, and what it returns. With a responder it returns `void` itself: the responder answers.
///
/// Where the contract returns `stream<T, R>` it is `m(args..., sink<T>)`, which yields the final result as other
/// methods do theirs, or `m(args...)`, which returns a stream; either also with `call_context&` first.
struct handler_shape {
    bool passes_context = false;
    bool passes_responder = false;
    returns_kind returns = returns_kind::value;
    bool passes_sink = false;

    friend constexpr bool operator==(const handler_shape&, const handler_shape&) = default;
};

/// Unwraps what a handler returns. `asio::awaitable` is added where Asio is seen.
template <class Returned>
struct handler_return {
    using value = Returned;
    static constexpr returns_kind kind = returns_kind::value;
};
template <class T>
struct handler_return<result<T>> {
    using value = T;
    static constexpr returns_kind kind = returns_kind::result;
};
template <class T>
struct handler_return<future<T>> {
    using value = T;
    static constexpr returns_kind kind = returns_kind::future;
};
template <class T>
struct handler_return<task<T>> {
    using value = T;
    static constexpr returns_kind kind = returns_kind::task;
};

template <class T, class R>
struct handler_return<stream<T, R>> {
    using value = stream<T, R>;
    static constexpr returns_kind kind = returns_kind::stream;
};

template <class From, class To>
inline constexpr bool yields = std::is_void_v<To> ? std::is_void_v<From> : std::is_convertible_v<From, To>;

/// No form of the method can be called.
struct no_handler {
    static constexpr bool found = false;
    static constexpr bool returns_right = true;
    using returned = void;
};

template <class Returned, class Promised, bool Context, bool Responder, bool Sink = false>
struct found_handler {
    using returned = Returned;
    using unwrapped = handler_return<std::remove_cvref_t<Returned>>;
    using value = std::conditional_t<unwrapped::kind == returns_kind::value, Returned, typename unwrapped::value>;
    static constexpr handler_shape shape{Context, Responder, unwrapped::kind, Sink};
    static constexpr bool found = true;
    static constexpr bool returns_right = Responder ? std::is_void_v<Returned> : yields<value, Promised>;
};

template <class Method, class Implementation, class R, class... A>
constexpr auto find_stream_handler() {
    using final_result = typename stream_parts<R>::final_result;
    using items = sink<typename stream_parts<R>::item>;
    if constexpr (requires(Implementation& x, A&&... a) { Method::invoke(x, std::move(a)...); }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<A>()...));
        return found_handler<returned, R, false, false>{};
    } else if constexpr (requires(Implementation& x, call_context& c, A&&... a) {
                             Method::invoke(x, c, std::move(a)...);
                         }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<call_context&>(),
                                                 std::declval<A>()...));
        return found_handler<returned, R, true, false>{};
    } else if constexpr (requires(Implementation& x, items&& s, A&&... a) {
                             Method::invoke(x, std::move(a)..., std::move(s));
                         }) {
        using returned =
            decltype(Method::invoke(std::declval<Implementation&>(), std::declval<A>()..., std::declval<items>()));
        return found_handler<returned, final_result, false, false, true>{};
    } else if constexpr (requires(Implementation& x, call_context& c, items&& s, A&&... a) {
                             Method::invoke(x, c, std::move(a)..., std::move(s));
                         }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<call_context&>(),
                                                 std::declval<A>()..., std::declval<items>()));
        return found_handler<returned, final_result, true, false, true>{};
    } else {
        return no_handler{};
    }
}

template <class Method, class Implementation, class R, class... A>
constexpr auto find_handler() {
    // The plain form first: a template that takes anything is meant as the contract's own method.
    if constexpr (requires(Implementation& x, A&&... a) { Method::invoke(x, std::move(a)...); }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<A>()...));
        return found_handler<returned, R, false, false>{};
    } else if constexpr (requires(Implementation& x, call_context& c, A&&... a) {
                             Method::invoke(x, c, std::move(a)...);
                         }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<call_context&>(),
                                                 std::declval<A>()...));
        return found_handler<returned, R, true, false>{};
    } else if constexpr (requires(Implementation& x, responder<R>&& r, A&&... a) {
                             Method::invoke(x, std::move(r), std::move(a)...);
                         }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<responder<R>>(),
                                                 std::declval<A>()...));
        return found_handler<returned, R, false, true>{};
    } else if constexpr (requires(Implementation& x, call_context& c, responder<R>&& r, A&&... a) {
                             Method::invoke(x, c, std::move(r), std::move(a)...);
                         }) {
        using returned = decltype(Method::invoke(std::declval<Implementation&>(), std::declval<call_context&>(),
                                                 std::declval<responder<R>>(), std::declval<A>()...));
        return found_handler<returned, R, true, true>{};
    } else {
        return no_handler{};
    }
}

template <class Method, class Implementation>
struct handler_finder {
    template <class R, class... A>
    struct with {
        static constexpr auto find() {
            if constexpr (is_stream<R>) {
                return find_stream_handler<Method, Implementation, R, A...>();
            } else {
                return find_handler<Method, Implementation, R, A...>();
            }
        }
        using type = decltype(find());
    };
};

/// What `Implementation` has for `Method`: `found`, `returns_right`, `shape`, `returned` and `value`.
///
/// The arguments are handed over as rvalues of the decoded types. `Implementation` may be const.
template <class Method, class Implementation>
using handler_of =
    typename method_traits<Method>::template apply<handler_finder<Method, Implementation>::template with>::type;

template <class Method, class Implementation>
inline constexpr bool fits =
    handler_of<Method, Implementation>::found && handler_of<Method, Implementation>::returns_right;

/// Calls the handler in the form it has; `make_ending()` makes the responder or the sink, only where one is passed.
template <class Method, class Implementation, class MakeEnding, class... Args>
decltype(auto) call_handler(Implementation& implementation, call_context& context, MakeEnding&& make_ending,
                            Args&&... args) {
    constexpr handler_shape shape = handler_of<Method, Implementation>::shape;
    if constexpr (shape.passes_context && shape.passes_sink) {
        return Method::invoke(implementation, context, std::forward<Args>(args)..., make_ending());
    } else if constexpr (shape.passes_sink) {
        return Method::invoke(implementation, std::forward<Args>(args)..., make_ending());
    } else if constexpr (shape.passes_context && shape.passes_responder) {
        return Method::invoke(implementation, context, make_ending(), std::forward<Args>(args)...);
    } else if constexpr (shape.passes_context) {
        return Method::invoke(implementation, context, std::forward<Args>(args)...);
    } else if constexpr (shape.passes_responder) {
        return Method::invoke(implementation, make_ending(), std::forward<Args>(args)...);
    } else {
        return Method::invoke(implementation, std::forward<Args>(args)...);
    }
}

}  // namespace detail

/// Whether `Implementation` has a fitting method for each of `Contract`'s.
template <class Implementation, class Contract>
concept implements = contract<Contract> && []<class None, class... Methods>(detail::method_list<None, Methods...>*) {
    return (detail::fits<Methods, Implementation> && ...);
}(static_cast<detail::methods_of<Contract>*>(nullptr));

namespace detail {

template <class Method>
struct method_check {
    template <class R, class... A>
    struct packable {
        static constexpr bool value = Method::template require_packable<R, A...>();
    };
    template <class Implementation>
    static constexpr bool handler =
        Method::template require_handler<Implementation, typename method_traits<Method>::signature,
                                         handler_of<Method, Implementation>>();
};

/// True if `Implementation` may be provided as `Contract`; else stops the compilation with one sentence for
/// each method that does not fit. Put what would not compile then behind `if constexpr`.
template <class Contract, class Implementation>
constexpr bool require_implementation() {
    return []<class None, class... Methods>(method_list<None, Methods...>*) {
        const bool all_fit[] = {
            true, (method_traits<Methods>::template apply<method_check<Methods>::template packable>::value &&
                   method_check<Methods>::template handler<Implementation>)...};
        for (const bool one_fits : all_fit) {
            if (!one_fits) return false;
        }
        return true;
    }(static_cast<methods_of<Contract>*>(nullptr));
}

}  // namespace detail

}  // namespace futon
