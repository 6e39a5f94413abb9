// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Sorts C++ types by what they are on the wire. Every switch of the codec is over these shapes.

#include <futon/wire/detail/adaptor.hpp>
#include <futon/wire/detail/fields.hpp>
#include <futon/wire/detail/standard.hpp>

#include <ctime>
#include <string_view>
#include <type_traits>

namespace futon::detail {

template <class T>
[[nodiscard]] consteval bool is_of_std() noexcept {
    return std::string_view{__PRETTY_FUNCTION__}.find("T = std::") != std::string_view::npos;
}

/// What the standard library's types are for which both futon and msgpack-cxx have a form: futon's form.
///
/// An adaptor for them is not even looked for: to look would instantiate msgpack-cxx's template for the type, and
/// <msgpack.hpp>, which specialises it, could not be included later in the file.
template <class T>
[[nodiscard]] consteval shape shape_in_both() noexcept {
    constexpr auto known = standard<T>::value;
    switch (known) {
        case shape::nil:
        case shape::variant:
        case shape::duration:
        case shape::refused: return shape::none;
        case shape::none:
            if constexpr (known == shape::none && container<T>) {
                return is_of_std<T>() ? container_shape<T>() : shape::none;
            } else {
                return shape::none;
            }
        default: return known;
    }
}

template <class T>
[[nodiscard]] consteval shape shape_of() noexcept {
    if constexpr (std::is_same_v<T, bool>) {
        return shape::boolean;
    } else if constexpr (std::is_integral_v<T>) {
        return sizeof(T) <= 8 ? shape::integer : shape::none;
    } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
        return shape::floating;
    } else if constexpr (std::is_class_v<T> || std::is_union_v<T> || std::is_enum_v<T>) {
        if constexpr (constexpr auto common = shape_in_both<T>(); common != shape::none) {
            return common;
        } else if constexpr (adapted_by_user<T>) {
            return shape::adapted;
        } else if constexpr (constexpr auto known = standard<T>::value; known != shape::none) {
            return known;
        } else if constexpr (has_msgpack_pack<T>) {
            return shape::defined;
        } else if constexpr (constexpr auto held = container_shape<T>(); held != shape::none) {
            return held;
        } else if constexpr (adapted_by_library<T>) {
            return shape::adapted;
        } else if constexpr (std::is_enum_v<T>) {
            return shape::enumeration;
        } else if constexpr (path<T>) {
            return shape::path;
        } else if constexpr (judge_fields<T>() == fields_verdict::fine && !std::is_same_v<T, std::timespec>) {
            return shape::fields;
        } else {
            return shape::none;
        }
    } else {
        return shape::none;
    }
}

template <class T>
inline constexpr shape shape_v = shape_of<T>();

}  // namespace futon::detail
