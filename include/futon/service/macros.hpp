// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two macros of a contract. They expand to declarations; everything clever is a template elsewhere.
///
/// A system header, so that compilers show a mistake at the user's line and leave the expansion out. It
/// therefore holds only macros and includes nothing. Flat and numbered, because a recursive expansion puts
/// hundreds of "in expansion of macro" lines under every mistake.

#pragma GCC system_header

// The numbered lists are laid out by hand.
// clang-format off

/// Names the methods of a contract, beside it and in its namespace:
/// `FUTON_SERVICE(Greeter, greet, (older, futon::idempotent, futon::timeout(500ms)))`.
///
/// A method is a name, or `(name, attributes...)`; 1 to 64 of them. The contract is declared, never defined.
/// `std::chrono_literals` are known to attributes.
#define FUTON_SERVICE(contract, ...)                                                                                   \
    FUTON_DETAIL_SERVICE(contract, ::futon::detail::unqualified(#contract), __VA_ARGS__ FUTON_DETAIL_PADDING)

/// The same with a name of its own on the wire: `FUTON_SERVICE_AS(Greeter, "com.example.Greeter:1.0", greet)`.
#define FUTON_SERVICE_AS(contract, wire_name, ...)                                                                     \
    FUTON_DETAIL_SERVICE(contract, wire_name, __VA_ARGS__ FUTON_DETAIL_PADDING)

// The inline namespace keeps this namespace's template apart from those that using-directives bring in.
#define FUTON_DETAIL_SERVICE(c, wire, ...)                                                                             \
    inline namespace futon_contracts {                                                                                 \
    template <class>                                                                                                   \
    struct futon_contract;                                                                                             \
    template <>                                                                                                        \
    struct futon_contract<c> {                                                                                         \
        [[maybe_unused]] static constexpr ::std::string_view wire_name{wire};                                          \
        static_assert(::futon::detail::valid_wire_name(wire_name),                                                     \
                      "futon: the wire name of " #c " must have 1 to 255 characters, no blanks, "                      \
                      "and at most three parts with a ':' between them");                                              \
        FUTON_DETAIL_EACH_METHOD(c, __VA_ARGS__)                                                                       \
        using methods = ::futon::detail::method_list<void FUTON_DETAIL_EACH_NAME(__VA_ARGS__)>;                        \
        static_assert(methods::size > 0, "futon: FUTON_SERVICE(" #c ") names no method");                              \
        FUTON_DETAIL_PAST_64(c, __VA_ARGS__)                                                                           \
    };                                                                                                                 \
    [[maybe_unused]] constexpr futon_contract<c> futon_describe(::futon::detail::contract_tag<c>) noexcept {           \
        return {};                                                                                                     \
    }                                                                                                                  \
    }                                                                                                                  \
    static_assert(::futon::detail::repeated_method<futon_contract<c>::methods>::must_be_named_once<false>());          \
    static_assert(::futon::detail::is_contract<c>,                                                                     \
                  "futon: FUTON_SERVICE(" #c ", ...) must stand in the namespace of " #c);

// One method: how it is found in the contract and in an implementation, its members of the stub, and the
// sentences that need its name. What a template says here, compilers place at the user's line.
#define FUTON_DETAIL_METHOD(i, c, m, ...)                                                                              \
    struct method_##i##_##m : ::futon::detail::method_of<c> {                                                          \
        [[maybe_unused]] static constexpr ::std::size_t index = i;                                                     \
        [[maybe_unused]] static constexpr ::std::string_view name{#m};                                                 \
        [[maybe_unused]] static constexpr ::futon::method_attributes attributes{__VA_OPT__([] {                        \
            using namespace ::std::chrono_literals;                                                                    \
            return ::futon::detail::attributes_from(__VA_ARGS__);                                                      \
        }())};                                                                                                         \
        struct futon_twin {                                                                                            \
            int m;                                                                                                     \
        };                                                                                                             \
        template <class Contract_>                                                                                     \
        static auto address() -> decltype(&Contract_::m);                                                              \
        template <class Contract_, auto Pointer_>                                                                      \
        static auto is() -> ::std::bool_constant<Pointer_ == &Contract_::m>;                                           \
        template <class Implementation, class... Args>                                                                 \
        static constexpr auto invoke(Implementation& implementation, Args&&... args)                                   \
            -> decltype(implementation.m(static_cast<Args&&>(args)...)) {                                              \
            return implementation.m(static_cast<Args&&>(args)...);                                                     \
        }                                                                                                              \
        template <class Signature>                                                                                     \
        struct futon_members;                                                                                          \
        template <class R_, class... A_>                                                                               \
        struct futon_members<R_(A_...)> {                                                                              \
            template <class Token_>                                                                                    \
                requires(!::futon::detail::calls_are_seen<method_##i##_##m, R_> ||                                     \
                         ::futon::detail::may_be_ending<Token_, R_>)                                                   \
            auto m(A_... args, Token_&& token) const {                                                                 \
                if constexpr (!::futon::detail::calls_are_seen<method_##i##_##m, R_>) {                                \
                    static_assert(::futon::detail::calls_are_seen<method_##i##_##m, R_>,                               \
                                  "futon: include <futon/calls.hpp> where calls are made");                           \
                } else if constexpr (!::futon::detail::is_stub_completion_for<Token_, R_>) {                           \
                    static_assert(::futon::detail::is_stub_completion_for<Token_, R_>,                                 \
                                  "futon: a callback of " #c "::" #m " takes futon::result<R>, "                       \
                                  "R being what the method returns, or, in "                                           \
                                  "futon::with_reply_headers, futon::replied of that");                                \
                } else if constexpr (method_##i##_##m::template require_packable<R_, A_...>()) {                       \
                    return ::futon::detail::start_call<method_##i##_##m>(                                              \
                        ::futon::detail::stub_access::core<method_##i##_##m>(this), static_cast<Token_&&>(token),      \
                        static_cast<A_&&>(args)...);                                                                   \
                } else {                                                                                               \
                    return ::futon::detail::not_called<                                                                \
                        typename ::futon::detail::call_return<method_##i##_##m, Token_>::type>();                      \
                }                                                                                                      \
            }                                                                                                          \
            typename ::futon::returned<R_>::type m(A_... args) const {                                                 \
                if constexpr (!::futon::detail::calls_are_seen<method_##i##_##m, R_>) {                                \
                    static_assert(::futon::detail::calls_are_seen<method_##i##_##m, R_>,                               \
                                  "futon: include <futon/calls.hpp> where calls are made");                           \
                } else if constexpr (method_##i##_##m::template require_packable<R_, A_...>()) {                       \
                    return ::futon::detail::start_call<method_##i##_##m>(                                              \
                        ::futon::detail::stub_access::core<method_##i##_##m>(this), ::futon::use_future_t{},           \
                        static_cast<A_&&>(args)...);                                                                   \
                } else {                                                                                               \
                    return ::futon::detail::not_called<typename ::futon::returned<R_>::type>();                        \
                }                                                                                                      \
            }                                                                                                          \
        };                                                                                                             \
        template <bool Once>                                                                                           \
        static constexpr bool must_be_named_once() {                                                                   \
            static_assert(Once, "futon: FUTON_SERVICE(" #c ", ...) names " #m " twice");                               \
            return true;                                                                                               \
        }                                                                                                              \
        template <class UnfitParameter, class UnfitResult>                                                             \
        static constexpr bool must_be_packable() {                                                                     \
            static_assert(::futon::detail::nothing<UnfitParameter>,                                                    \
                          "futon: a parameter of " #c "::" #m " has a type that cannot be packed: "                    \
                          "give it MSGPACK_DEFINE, make it a plain aggregate, or write a msgpack adaptor");            \
            static_assert(::futon::detail::nothing<UnfitResult>,                                                       \
                          "futon: the result of " #c "::" #m " has a type that cannot be packed: "                     \
                          "give it MSGPACK_DEFINE, make it a plain aggregate, or write a msgpack adaptor");            \
            return ::futon::detail::nothing<UnfitParameter> && ::futon::detail::nothing<UnfitResult>;                  \
        }                                                                                                              \
        template <class R_, class... A_>                                                                               \
        static constexpr bool require_packable() {                                                                     \
            return must_be_packable<::futon::detail::unfit_parameter<A_...>, ::futon::detail::unfit_result<R_>>();     \
        }                                                                                                              \
        template <class Implementation, class Signature, class Returned, bool Found, bool ReturnsRight>                \
        static constexpr bool must_have() {                                                                            \
            static_assert(Found, "futon: the implementation has no public method " #m                                  \
                                 " that can be called with the parameters of " #c "::" #m                              \
                                 " (before them may stand a call_context& and then a responder<R>, behind them a "     \
                                 "sink<T> for a stream)");                                                             \
            static_assert(ReturnsRight,                                                                                \
                          "futon: the implementation's " #m " does not return what " #c "::" #m " promises");          \
            return Found && ReturnsRight;                                                                              \
        }                                                                                                              \
        template <class Implementation, class Signature, class Handler>                                                \
        static constexpr bool require_handler() {                                                                      \
            return must_have<Implementation, Signature, typename Handler::returned, Handler::found,                    \
                             Handler::returns_right>();                                                                \
        }                                                                                                              \
    };                                                                                                                 \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::missing),                  \
                  "futon: " #c " has no method " #m);                                                                  \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::ambiguous),                \
                  "futon: " #c "::" #m " is overloaded, a template or not public: "                                    \
                  "a remote method has one signature");                                                                \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::no_member_function),       \
                  "futon: " #c "::" #m " is static or no function: a remote method is a plain member function");       \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::variadic),                 \
                  "futon: " #c "::" #m " is variadic: a remote method has a fixed number of parameters");              \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::qualified),                \
                  "futon: " #c "::" #m " is marked &, && or volatile: a remote method may be const and noexcept");     \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::reference_result),         \
                  "futon: " #c "::" #m " returns a reference: the result of a remote method is a value");              \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::pointer_result),           \
                  "futon: " #c "::" #m " returns a pointer: the result of a remote method is a value");                \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::view_result),              \
                  "futon: " #c "::" #m " returns a view, which nobody would own: "                                     \
                  "return std::string or futon::bytes");                                                               \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::deferred_result),          \
                  "futon: " #c "::" #m " returns a future, result, task or awaitable: "                                \
                  "declare the value; the stub makes the future");                                                     \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::pointer_parameter),        \
                  "futon: a parameter of " #c "::" #m " is a pointer or a reference to non-const: "                    \
                  "nothing travels back");                                                                             \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::several_streams),          \
                  "futon: " #c "::" #m " takes more than one stream: a call has one in each direction");               \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::stream_by_reference),      \
                  "futon: " #c "::" #m " takes a stream by reference: take it by value, it is moved into the call");   \
    static_assert(::futon::detail::lacks<method_##i##_##m>(::futon::detail::method_problem::reserved_name),            \
                  "futon: " #c "::" #m " cannot have this name: the stub needs it for itself");

// `greet` and `(greet, attributes...)` both become `greet, attributes...`; nothing stays nothing.
#define FUTON_DETAIL_METHOD_AT(i, c, ...)                                                                              \
    __VA_OPT__(FUTON_DETAIL_SPREAD(FUTON_DETAIL_METHOD, i, c, FUTON_DETAIL_BARE(__VA_ARGS__)))
#define FUTON_DETAIL_NAME_AT(i, ...)                                                                                   \
    __VA_OPT__(FUTON_DETAIL_SPREAD(FUTON_DETAIL_NAME, i, FUTON_DETAIL_BARE(__VA_ARGS__)))
#define FUTON_DETAIL_NAME(i, m, ...) , method_##i##_##m
#define FUTON_DETAIL_SPREAD(macro, ...) macro(__VA_ARGS__)
#define FUTON_DETAIL_BARE(m) FUTON_DETAIL_REMOVE(FUTON_DETAIL_MARK m)
#define FUTON_DETAIL_MARK(...) FUTON_DETAIL_MARK __VA_ARGS__
#define FUTON_DETAIL_REMOVE(...) FUTON_DETAIL_REMOVE_NOW(__VA_ARGS__)
#define FUTON_DETAIL_REMOVE_NOW(...) FUTON_DETAIL_NO_##__VA_ARGS__
#define FUTON_DETAIL_NO_FUTON_DETAIL_MARK

// 64 empty arguments, so that the lists below are always full; what then stands at the 65th place is too much.
#define FUTON_DETAIL_PADDING                                                                                           \
    , , , , , , , , , , , , , , , , , , , , , , , , , , , , , , , ,                                                    \
    , , , , , , , , , , , , , , , , , , , , , , , , , , , , , , , ,

#define FUTON_DETAIL_PAST_64(                                                                                          \
    c,                                                                                                                 \
    _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22, _23,      \
    _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45,      \
    _46, _47, _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63,                          \
    _64, ...)                                                                                                          \
    FUTON_DETAIL_TOO_MANY(c, _64)
#define FUTON_DETAIL_TOO_MANY(c, ...)                                                                                  \
    __VA_OPT__(                                                                                                        \
        static_assert(false, "futon: FUTON_SERVICE(" #c ", ...) names more than 64 methods: split the contract");)

#define FUTON_DETAIL_EACH_METHOD(                                                                                      \
    c,                                                                                                                 \
    _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22, _23,      \
    _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45,      \
    _46, _47, _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63,                          \
    ...)                                                                                                               \
    FUTON_DETAIL_METHOD_AT(0, c, _0) FUTON_DETAIL_METHOD_AT(1, c, _1) FUTON_DETAIL_METHOD_AT(2, c, _2)                 \
    FUTON_DETAIL_METHOD_AT(3, c, _3) FUTON_DETAIL_METHOD_AT(4, c, _4) FUTON_DETAIL_METHOD_AT(5, c, _5)                 \
    FUTON_DETAIL_METHOD_AT(6, c, _6) FUTON_DETAIL_METHOD_AT(7, c, _7) FUTON_DETAIL_METHOD_AT(8, c, _8)                 \
    FUTON_DETAIL_METHOD_AT(9, c, _9) FUTON_DETAIL_METHOD_AT(10, c, _10) FUTON_DETAIL_METHOD_AT(11, c, _11)             \
    FUTON_DETAIL_METHOD_AT(12, c, _12) FUTON_DETAIL_METHOD_AT(13, c, _13) FUTON_DETAIL_METHOD_AT(14, c, _14)           \
    FUTON_DETAIL_METHOD_AT(15, c, _15) FUTON_DETAIL_METHOD_AT(16, c, _16) FUTON_DETAIL_METHOD_AT(17, c, _17)           \
    FUTON_DETAIL_METHOD_AT(18, c, _18) FUTON_DETAIL_METHOD_AT(19, c, _19) FUTON_DETAIL_METHOD_AT(20, c, _20)           \
    FUTON_DETAIL_METHOD_AT(21, c, _21) FUTON_DETAIL_METHOD_AT(22, c, _22) FUTON_DETAIL_METHOD_AT(23, c, _23)           \
    FUTON_DETAIL_METHOD_AT(24, c, _24) FUTON_DETAIL_METHOD_AT(25, c, _25) FUTON_DETAIL_METHOD_AT(26, c, _26)           \
    FUTON_DETAIL_METHOD_AT(27, c, _27) FUTON_DETAIL_METHOD_AT(28, c, _28) FUTON_DETAIL_METHOD_AT(29, c, _29)           \
    FUTON_DETAIL_METHOD_AT(30, c, _30) FUTON_DETAIL_METHOD_AT(31, c, _31) FUTON_DETAIL_METHOD_AT(32, c, _32)           \
    FUTON_DETAIL_METHOD_AT(33, c, _33) FUTON_DETAIL_METHOD_AT(34, c, _34) FUTON_DETAIL_METHOD_AT(35, c, _35)           \
    FUTON_DETAIL_METHOD_AT(36, c, _36) FUTON_DETAIL_METHOD_AT(37, c, _37) FUTON_DETAIL_METHOD_AT(38, c, _38)           \
    FUTON_DETAIL_METHOD_AT(39, c, _39) FUTON_DETAIL_METHOD_AT(40, c, _40) FUTON_DETAIL_METHOD_AT(41, c, _41)           \
    FUTON_DETAIL_METHOD_AT(42, c, _42) FUTON_DETAIL_METHOD_AT(43, c, _43) FUTON_DETAIL_METHOD_AT(44, c, _44)           \
    FUTON_DETAIL_METHOD_AT(45, c, _45) FUTON_DETAIL_METHOD_AT(46, c, _46) FUTON_DETAIL_METHOD_AT(47, c, _47)           \
    FUTON_DETAIL_METHOD_AT(48, c, _48) FUTON_DETAIL_METHOD_AT(49, c, _49) FUTON_DETAIL_METHOD_AT(50, c, _50)           \
    FUTON_DETAIL_METHOD_AT(51, c, _51) FUTON_DETAIL_METHOD_AT(52, c, _52) FUTON_DETAIL_METHOD_AT(53, c, _53)           \
    FUTON_DETAIL_METHOD_AT(54, c, _54) FUTON_DETAIL_METHOD_AT(55, c, _55) FUTON_DETAIL_METHOD_AT(56, c, _56)           \
    FUTON_DETAIL_METHOD_AT(57, c, _57) FUTON_DETAIL_METHOD_AT(58, c, _58) FUTON_DETAIL_METHOD_AT(59, c, _59)           \
    FUTON_DETAIL_METHOD_AT(60, c, _60) FUTON_DETAIL_METHOD_AT(61, c, _61) FUTON_DETAIL_METHOD_AT(62, c, _62)           \
    FUTON_DETAIL_METHOD_AT(63, c, _63)

#define FUTON_DETAIL_EACH_NAME(                                                                                        \
    _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22, _23,      \
    _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45,      \
    _46, _47, _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63,                          \
    ...)                                                                                                               \
    FUTON_DETAIL_NAME_AT(0, _0) FUTON_DETAIL_NAME_AT(1, _1) FUTON_DETAIL_NAME_AT(2, _2)                                \
    FUTON_DETAIL_NAME_AT(3, _3) FUTON_DETAIL_NAME_AT(4, _4) FUTON_DETAIL_NAME_AT(5, _5)                                \
    FUTON_DETAIL_NAME_AT(6, _6) FUTON_DETAIL_NAME_AT(7, _7) FUTON_DETAIL_NAME_AT(8, _8)                                \
    FUTON_DETAIL_NAME_AT(9, _9) FUTON_DETAIL_NAME_AT(10, _10) FUTON_DETAIL_NAME_AT(11, _11)                            \
    FUTON_DETAIL_NAME_AT(12, _12) FUTON_DETAIL_NAME_AT(13, _13) FUTON_DETAIL_NAME_AT(14, _14)                          \
    FUTON_DETAIL_NAME_AT(15, _15) FUTON_DETAIL_NAME_AT(16, _16) FUTON_DETAIL_NAME_AT(17, _17)                          \
    FUTON_DETAIL_NAME_AT(18, _18) FUTON_DETAIL_NAME_AT(19, _19) FUTON_DETAIL_NAME_AT(20, _20)                          \
    FUTON_DETAIL_NAME_AT(21, _21) FUTON_DETAIL_NAME_AT(22, _22) FUTON_DETAIL_NAME_AT(23, _23)                          \
    FUTON_DETAIL_NAME_AT(24, _24) FUTON_DETAIL_NAME_AT(25, _25) FUTON_DETAIL_NAME_AT(26, _26)                          \
    FUTON_DETAIL_NAME_AT(27, _27) FUTON_DETAIL_NAME_AT(28, _28) FUTON_DETAIL_NAME_AT(29, _29)                          \
    FUTON_DETAIL_NAME_AT(30, _30) FUTON_DETAIL_NAME_AT(31, _31) FUTON_DETAIL_NAME_AT(32, _32)                          \
    FUTON_DETAIL_NAME_AT(33, _33) FUTON_DETAIL_NAME_AT(34, _34) FUTON_DETAIL_NAME_AT(35, _35)                          \
    FUTON_DETAIL_NAME_AT(36, _36) FUTON_DETAIL_NAME_AT(37, _37) FUTON_DETAIL_NAME_AT(38, _38)                          \
    FUTON_DETAIL_NAME_AT(39, _39) FUTON_DETAIL_NAME_AT(40, _40) FUTON_DETAIL_NAME_AT(41, _41)                          \
    FUTON_DETAIL_NAME_AT(42, _42) FUTON_DETAIL_NAME_AT(43, _43) FUTON_DETAIL_NAME_AT(44, _44)                          \
    FUTON_DETAIL_NAME_AT(45, _45) FUTON_DETAIL_NAME_AT(46, _46) FUTON_DETAIL_NAME_AT(47, _47)                          \
    FUTON_DETAIL_NAME_AT(48, _48) FUTON_DETAIL_NAME_AT(49, _49) FUTON_DETAIL_NAME_AT(50, _50)                          \
    FUTON_DETAIL_NAME_AT(51, _51) FUTON_DETAIL_NAME_AT(52, _52) FUTON_DETAIL_NAME_AT(53, _53)                          \
    FUTON_DETAIL_NAME_AT(54, _54) FUTON_DETAIL_NAME_AT(55, _55) FUTON_DETAIL_NAME_AT(56, _56)                          \
    FUTON_DETAIL_NAME_AT(57, _57) FUTON_DETAIL_NAME_AT(58, _58) FUTON_DETAIL_NAME_AT(59, _59)                          \
    FUTON_DETAIL_NAME_AT(60, _60) FUTON_DETAIL_NAME_AT(61, _61) FUTON_DETAIL_NAME_AT(62, _62)                          \
    FUTON_DETAIL_NAME_AT(63, _63)
