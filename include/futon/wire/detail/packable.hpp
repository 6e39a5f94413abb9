// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whether a type can cross the wire, decided through all that it holds, and the one sentence that says why not.

#include <futon/wire/detail/shape.hpp>

#include <chrono>
#include <concepts>
#include <type_traits>

namespace futon::detail {

/// Why a type cannot cross the wire.
enum class refusal : std::uint8_t {
    none,
    unknown,
    pointer,
    reference,
    function,
    array,
    union_,
    foreign_clock,
    base,
    too_many_fields,
    constant,
    no_default,
    view,
    no_pack,
    no_convert,
};

/// What is asked of a type. Views are let through only where the message outlives the value: in parameters.
enum class purpose : std::uint8_t { packing, argument, result };

template <class T>
inline constexpr bool is_time_point = false;
template <class Clock, class Duration>
inline constexpr bool is_time_point<std::chrono::time_point<Clock, Duration>> = true;

template <class T>
[[nodiscard]] consteval refusal refuse_shapeless() noexcept {
    using bare = std::remove_pointer_t<std::remove_cvref_t<T>>;
    if constexpr (std::is_function_v<bare> || std::is_member_pointer_v<std::remove_cvref_t<T>>) {
        return refusal::function;
    } else if constexpr (std::is_reference_v<T>) {
        return refusal::reference;
    } else if constexpr (std::is_pointer_v<T>) {
        return refusal::pointer;
    } else if constexpr (std::is_array_v<T>) {
        return refusal::array;
    } else if constexpr (std::is_union_v<T>) {
        return refusal::union_;
    } else if constexpr (is_time_point<T>) {
        return refusal::foreign_clock;
    } else if constexpr (std::is_class_v<T>) {
        constexpr auto verdict = judge_fields<T>();
        if constexpr (verdict == fields_verdict::has_a_base) return refusal::base;
        if constexpr (verdict == fields_verdict::has_an_array) return refusal::array;
        if constexpr (verdict == fields_verdict::too_many) return refusal::too_many_fields;
        return refusal::unknown;
    } else {
        return refusal::unknown;
    }
}

/// The first of several verdicts that is a refusal.
template <class... R>
[[nodiscard]] consteval refusal first_refusal(R... each) noexcept {
    auto found = refusal::none;
    (void)((found = each, found != refusal::none) || ...);
    return found;
}

template <purpose For, class T, class... Seen>
[[nodiscard]] consteval refusal judge() noexcept;

template <purpose For, class... Seen, class... F>
[[nodiscard]] consteval refusal judge_all(type_list<F...>) noexcept {
    return first_refusal(judge<For, F, Seen...>()...);
}

template <class T>
struct parts;
template <template <class...> class Holder, class... T>
struct parts<Holder<T...>> {
    using type = type_list<T...>;
};

/// `Seen` are the structs around: a struct inside itself is as good as the rest of it.
template <purpose For, class T, class... Seen>
consteval refusal judge() noexcept {
    if constexpr (std::is_const_v<T> && For != purpose::packing) {
        return refusal::constant;
    } else if constexpr (std::is_const_v<T>) {
        return judge<For, std::remove_const_t<T>, Seen...>();
    } else if constexpr (constexpr auto what = shape_v<T>; what == shape::none || what == shape::refused) {
        return refuse_shapeless<T>();
    } else if constexpr (For == purpose::result && (what == shape::text_view || what == shape::blob_view)) {
        return refusal::view;
    } else if constexpr (For != purpose::packing && !std::is_default_constructible_v<T>) {
        return refusal::no_default;
    } else if constexpr (what == shape::adapted) {
        if constexpr (For == purpose::packing) {
            return packed_by_user<T> || packed_by_library<T> || has_msgpack_pack<T> ? refusal::none : refusal::no_pack;
        } else if constexpr (!unpacked_by_user<T> && !unpacked_by_library<T> && !has_msgpack_unpack<T>) {
            return refusal::no_convert;
        } else {
            return refusal::none;
        }
    } else if constexpr (what == shape::defined) {
        // Its fields show only while it is visited.
        return For == purpose::packing || has_msgpack_unpack<T> ? refusal::none : refusal::no_convert;
    } else if constexpr (what == shape::sequence || what == shape::array || what == shape::set) {
        return judge<For, typename T::value_type, Seen...>();
    } else if constexpr (what == shape::map) {
        return first_refusal(judge<For, typename T::key_type, Seen...>(),
                             judge<For, typename T::mapped_type, Seen...>());
    } else if constexpr (what == shape::optional) {
        return judge<For, typename T::value_type, Seen...>();
    } else if constexpr (what == shape::pointer) {
        return judge<For, std::remove_const_t<typename T::element_type>, Seen...>();
    } else if constexpr (what == shape::tuple || what == shape::variant) {
        return judge_all<For, Seen...>(typename parts<T>::type{});
    } else if constexpr (what == shape::fields) {
        if constexpr ((std::is_same_v<T, Seen> || ...)) {
            return refusal::none;
        } else {
            return judge_all<For, Seen..., T>(field_types<T>{});
        }
    } else {
        return refusal::none;
    }
}

/// Fails to compile, with one sentence, where `judge` refuses.
template <purpose For, class T>
constexpr void require_packable() noexcept {
    constexpr auto why = judge<For, T>();
    static_assert(why != refusal::unknown,
                  "futon: this type cannot be packed: give it MSGPACK_DEFINE, make it a plain aggregate of at most 32 "
                  "fields, or write a msgpack adaptor");
    static_assert(why != refusal::pointer,
                  "futon: a raw pointer cannot be packed: use the value, std::optional, std::unique_ptr or "
                  "std::shared_ptr");
    static_assert(why != refusal::reference, "futon: a reference cannot be packed: use the value");
    static_assert(why != refusal::function, "futon: a function cannot be packed");
    static_assert(why != refusal::array, "futon: a C array cannot be packed: use std::array or std::string");
    static_assert(why != refusal::union_, "futon: a union cannot be packed: use std::variant");
    static_assert(why != refusal::foreign_clock,
                  "futon: a time point of this clock means nothing to another process: use "
                  "std::chrono::system_clock, or pass a duration");
    static_assert(why != refusal::base,
                  "futon: a struct with a base class cannot be packed by itself: give it MSGPACK_DEFINE, or make the "
                  "base a field");
    static_assert(why != refusal::too_many_fields,
                  "futon: a plain aggregate of more than 32 fields cannot be packed by itself: give it MSGPACK_DEFINE, "
                  "or group its fields");
    static_assert(why != refusal::constant, "futon: a const field cannot be received: remove the const");
    static_assert(why != refusal::no_default, "futon: a type that is received must have a default constructor");
    static_assert(why != refusal::view,
                  "futon: a view can only be a parameter: return a std::string or a futon::bytes instead");
    static_assert(why != refusal::no_pack,
                  "futon: this type has a msgpack adaptor to unpack it but none to pack it: specialise "
                  "msgpack::adaptor::pack too");
    static_assert(why != refusal::no_convert,
                  "futon: this type has a msgpack adaptor to pack it but none to unpack it: specialise "
                  "msgpack::adaptor::convert too");
}

}  // namespace futon::detail
