// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two macros of a contract. They expand to declarations; everything clever is a template elsewhere.
///
/// A system header, so that compilers show a mistake at the user's line and leave the expansion out. It
/// therefore holds only macros and includes nothing. Flat and numbered, because a recursive expansion puts
/// hundreds of "in expansion of macro" lines under every mistake.

#pragma GCC system_header

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
                      "futon: the wire name of " #c " must have 1 to 255 characters and no blanks");                   \
        FUTON_DETAIL_EACH_METHOD(c, __VA_ARGS__)                                                                       \
        using methods = ::futon::detail::method_list<void FUTON_DETAIL_EACH_NAME(__VA_ARGS__)>;                        \
        static_assert(methods::size > 0, "futon: FUTON_SERVICE(" #c ") names no method");                              \
        FUTON_DETAIL_PAST_64(c, __VA_ARGS__)                                                                           \
    };                                                                                                                 \
    [[maybe_unused]] constexpr futon_contract<c> futon_describe(::futon::detail::contract_tag<c>) noexcept {           \
        return {};                                                                                                     \
    }                                                                                                                  \
    }                                                                                                                  \
    static_assert(::futon::detail::is_contract<c>,                                                                     \
                  "futon: FUTON_SERVICE(" #c ", ...) must stand in the namespace of " #c);

// One method: how it is found in the contract and in an implementation, its members of the stub, and the
// sentences that need its name. What a template says here, compilers place at the user's line.
#define FUTON_DETAIL_METHOD(i, c, m, ...)                                                                              \
    struct method_##m : ::futon::detail::method_of<c> {                                                                \
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
                requires ::futon::detail::is_stub_completion_for<Token_, R_>                                           \
            auto m(A_... args, Token_&& token) const {                                                                 \
                if constexpr (method_##m::template require_packable<R_, A_...>()) {                                    \
                    return ::futon::detail::start_call<method_##m>(::futon::detail::stub_access::core<method_##m>(this), \
                                                                   static_cast<Token_&&>(token),                       \
                                                                   static_cast<A_&&>(args)...);                        \
                } else {                                                                                               \
                    return ::futon::detail::not_called<                                                                \
                        typename ::futon::detail::call_return<method_##m, Token_>::type>();                            \
                }                                                                                                      \
            }                                                                                                          \
            typename ::futon::returned<R_>::type m(A_... args) const {                                                 \
                if constexpr (method_##m::template require_packable<R_, A_...>()) {                                    \
                    return ::futon::detail::start_call<method_##m>(::futon::detail::stub_access::core<method_##m>(this), \
                                                                   ::futon::use_future_t{},                            \
                                                                   static_cast<A_&&>(args)...);                        \
                } else {                                                                                               \
                    return ::futon::detail::not_called<typename ::futon::returned<R_>::type>();                        \
                }                                                                                                      \
            }                                                                                                          \
        };                                                                                                             \
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
            static_assert(Found, "futon: the implementation has no method that fits " #c "::" #m);                     \
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
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::missing),                        \
                  "futon: " #c " has no method " #m);                                                                  \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::ambiguous),                      \
                  "futon: " #c "::" #m " is overloaded, a template or not public: "                                    \
                  "a remote method has one signature");                                                                \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::no_member_function),             \
                  "futon: " #c "::" #m " is static or no function: a remote method is a plain member function");       \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::variadic),                       \
                  "futon: " #c "::" #m " is variadic: a remote method has a fixed number of parameters");              \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::qualified),                      \
                  "futon: " #c "::" #m " is marked &, && or volatile: a remote method may be const and noexcept");     \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::reference_result),               \
                  "futon: " #c "::" #m " returns a reference: the result of a remote method is a value");              \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::pointer_result),                 \
                  "futon: " #c "::" #m " returns a pointer: the result of a remote method is a value");                \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::view_result),                    \
                  "futon: " #c "::" #m " returns a view, which nobody would own: "                                     \
                  "return std::string or futon::bytes");                                                               \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::pointer_parameter),              \
                  "futon: a parameter of " #c "::" #m " is a pointer or a reference to non-const: "                    \
                  "nothing travels back");                                                                             \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::several_streams),                \
                  "futon: " #c "::" #m " takes more than one stream: a call has one in each direction");               \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::stream_by_reference),            \
                  "futon: " #c "::" #m " takes a stream by reference: take it by value, it is moved into the call");   \
    static_assert(::futon::detail::lacks<method_##m>(::futon::detail::method_problem::reserved_name),                  \
                  "futon: " #c "::" #m " cannot have this name: the stub needs it for itself");

// `greet` and `(greet, attributes...)` both become `greet, attributes...`; nothing stays nothing.
#define FUTON_DETAIL_METHOD_AT(i, c, ...)                                                                              \
    __VA_OPT__(FUTON_DETAIL_SPREAD(FUTON_DETAIL_METHOD, i, c, FUTON_DETAIL_BARE(__VA_ARGS__)))
#define FUTON_DETAIL_NAME_AT(...)                                                                                      \
    __VA_OPT__(FUTON_DETAIL_SPREAD(FUTON_DETAIL_NAME, FUTON_DETAIL_BARE(__VA_ARGS__)))
#define FUTON_DETAIL_NAME(m, ...) , method_##m
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
    FUTON_DETAIL_NAME_AT(_0) FUTON_DETAIL_NAME_AT(_1) FUTON_DETAIL_NAME_AT(_2) FUTON_DETAIL_NAME_AT(_3)                \
    FUTON_DETAIL_NAME_AT(_4) FUTON_DETAIL_NAME_AT(_5) FUTON_DETAIL_NAME_AT(_6) FUTON_DETAIL_NAME_AT(_7)                \
    FUTON_DETAIL_NAME_AT(_8) FUTON_DETAIL_NAME_AT(_9) FUTON_DETAIL_NAME_AT(_10) FUTON_DETAIL_NAME_AT(_11)              \
    FUTON_DETAIL_NAME_AT(_12) FUTON_DETAIL_NAME_AT(_13) FUTON_DETAIL_NAME_AT(_14) FUTON_DETAIL_NAME_AT(_15)            \
    FUTON_DETAIL_NAME_AT(_16) FUTON_DETAIL_NAME_AT(_17) FUTON_DETAIL_NAME_AT(_18) FUTON_DETAIL_NAME_AT(_19)            \
    FUTON_DETAIL_NAME_AT(_20) FUTON_DETAIL_NAME_AT(_21) FUTON_DETAIL_NAME_AT(_22) FUTON_DETAIL_NAME_AT(_23)            \
    FUTON_DETAIL_NAME_AT(_24) FUTON_DETAIL_NAME_AT(_25) FUTON_DETAIL_NAME_AT(_26) FUTON_DETAIL_NAME_AT(_27)            \
    FUTON_DETAIL_NAME_AT(_28) FUTON_DETAIL_NAME_AT(_29) FUTON_DETAIL_NAME_AT(_30) FUTON_DETAIL_NAME_AT(_31)            \
    FUTON_DETAIL_NAME_AT(_32) FUTON_DETAIL_NAME_AT(_33) FUTON_DETAIL_NAME_AT(_34) FUTON_DETAIL_NAME_AT(_35)            \
    FUTON_DETAIL_NAME_AT(_36) FUTON_DETAIL_NAME_AT(_37) FUTON_DETAIL_NAME_AT(_38) FUTON_DETAIL_NAME_AT(_39)            \
    FUTON_DETAIL_NAME_AT(_40) FUTON_DETAIL_NAME_AT(_41) FUTON_DETAIL_NAME_AT(_42) FUTON_DETAIL_NAME_AT(_43)            \
    FUTON_DETAIL_NAME_AT(_44) FUTON_DETAIL_NAME_AT(_45) FUTON_DETAIL_NAME_AT(_46) FUTON_DETAIL_NAME_AT(_47)            \
    FUTON_DETAIL_NAME_AT(_48) FUTON_DETAIL_NAME_AT(_49) FUTON_DETAIL_NAME_AT(_50) FUTON_DETAIL_NAME_AT(_51)            \
    FUTON_DETAIL_NAME_AT(_52) FUTON_DETAIL_NAME_AT(_53) FUTON_DETAIL_NAME_AT(_54) FUTON_DETAIL_NAME_AT(_55)            \
    FUTON_DETAIL_NAME_AT(_56) FUTON_DETAIL_NAME_AT(_57) FUTON_DETAIL_NAME_AT(_58) FUTON_DETAIL_NAME_AT(_59)            \
    FUTON_DETAIL_NAME_AT(_60) FUTON_DETAIL_NAME_AT(_61) FUTON_DETAIL_NAME_AT(_62) FUTON_DETAIL_NAME_AT(_63)
