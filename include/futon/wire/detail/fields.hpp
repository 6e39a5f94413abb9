// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The fields of a plain aggregate, without a macro: counted by trial initialisation, then bound and visited.

#include <futon/wire/detail/bind_fields.hpp>

#include <cstddef>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// Initialises any field. It counts and never runs; it has a body because clang instantiates some of its uses.
struct any_field {
    template <class T>
    operator T() const noexcept {
        std::abort();
    }
};

/// Initialises only what `T` inherits from.
template <class T>
struct any_base {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const noexcept {
        std::abort();
    }
};

/// Initialises nothing but what takes just anything, such as a `std::any`.
struct no_field {};

template <std::size_t>
using any_field_at = any_field;

template <class T, std::size_t... I>
[[nodiscard]] consteval bool takes(std::index_sequence<I...>) noexcept {
    return requires { T{any_field_at<I>{}...}; };
}

template <class T, std::size_t... Before, std::size_t... After>
[[nodiscard]] consteval bool takes_braces_between(std::index_sequence<Before...>,
                                                  std::index_sequence<After...>) noexcept {
    return requires { T{any_field_at<Before>{}..., {}, any_field_at<After>{}...}; };
}

/// How many values initialise a `T`; anything past 32 counts as 33. An array counts once for each element.
template <class T, std::size_t Count = 0>
[[nodiscard]] consteval std::size_t count_initialisers() noexcept {
    if constexpr (Count > most_fields) {
        return Count;
    } else if constexpr (takes<T>(std::make_index_sequence<Count + 1>{})) {
        return count_initialisers<T, Count + 1>();
    } else {
        return Count;
    }
}

/// Whether each of the `I...` initialisers is a field of its own. Empty braces initialise one whole field, so those
/// in the place of an array's first element leave too many values for what follows.
template <class T, std::size_t... I>
[[nodiscard]] consteval bool without_arrays(std::index_sequence<I...>) noexcept {
    return (takes_braces_between<T>(std::make_index_sequence<I>{}, std::make_index_sequence<sizeof...(I) - 1 - I>{}) &&
            ...);
}

/// What stands in the way of treating a class as a list of fields.
enum class fields_verdict { fine, not_an_aggregate, has_a_base, too_many, has_an_array };

template <class T>
[[nodiscard]] consteval fields_verdict judge_fields() noexcept {
    if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T> || std::is_array_v<T>) {
        return fields_verdict::not_an_aggregate;
    } else if constexpr (!requires { T{}; }) {
        return fields_verdict::not_an_aggregate;
    } else if constexpr (
        requires { T{any_base<T>{}}; } && !requires { T{no_field{}}; }) {
        return fields_verdict::has_a_base;
    } else if constexpr (constexpr auto count = count_initialisers<T>(); count > most_fields) {
        return fields_verdict::too_many;
    } else if constexpr (!without_arrays<T>(std::make_index_sequence<count>{})) {
        return fields_verdict::has_an_array;
    } else {
        return fields_verdict::fine;
    }
}

/// The number of fields of a class whose verdict is `fine`.
template <class T>
inline constexpr std::size_t field_count = count_initialisers<T>();

template <class T, class Visit>
constexpr decltype(auto) visit_fields(T& value, Visit&& visit) {
    return bind_fields<field_count<std::remove_const_t<T>>>(value, std::forward<Visit>(visit));
}

template <class...>
struct type_list {};

/// The types of the fields, as a `type_list`.
template <class T>
using field_types = decltype(visit_fields(std::declval<T&>(), []<class... F>(F&...) { return type_list<F...>{}; }));

}  // namespace futon::detail
