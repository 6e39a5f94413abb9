// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `FUTON_SERVICE` says about a contract, as types and constants. It is found by argument-dependent
/// lookup, so contracts need no registration and live in any namespace.

#include <futon/service/method.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace futon {
namespace detail {

/// Exact, unlike a pointer: what derives from a contract is not one.
template <class T>
struct contract_tag {};

template <class None, class... Methods>
struct method_list {
    static constexpr std::size_t size = sizeof...(Methods);
};

template <class C>
concept described = requires { futon_describe(contract_tag<C>{}); };

template <class C>
struct description_of {
    using type = decltype(futon_describe(contract_tag<C>{}));
};

template <class C>
using methods_of = typename description_of<C>::type::methods;

/// "Greeter" of "app::Greeter": colons separate version and unique id in a service's key.
constexpr std::string_view unqualified(std::string_view name) noexcept {
    const auto colon = name.rfind(':');
    return colon == name.npos ? name : name.substr(colon + 1);
}

/// A wire name has no blanks and no control characters, at most 255 bytes, and at most three parts: the name, the
/// version, and the unique id.
constexpr bool valid_wire_name(std::string_view name) noexcept {
    int colons = 0;
    for (const char c : name) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
        colons += c == ':' ? 1 : 0;
    }
    return !name.empty() && name.size() <= 255 && colons <= 2;
}

template <class List, std::size_t I>
struct list_element;
template <class None, class First, class... Rest>
struct list_element<method_list<None, First, Rest...>, 0> {
    using type = First;
};
template <class None, class First, class... Rest, std::size_t I>
struct list_element<method_list<None, First, Rest...>, I> : list_element<method_list<None, Rest...>, I - 1> {};

/// The index of the first method whose name another one before it has; their number if there is none.
template <class None, class... Methods>
constexpr std::size_t find_repeated(method_list<None, Methods...>*) noexcept {
    const std::string_view names[] = {{}, Methods::name...};
    for (std::size_t i = 2; i <= sizeof...(Methods); ++i) {
        for (std::size_t before = 1; before < i; ++before) {
            if (names[i] == names[before]) return i - 1;
        }
    }
    return sizeof...(Methods);
}

/// Stands for the repeated method of a contract that has none.
struct no_repeated_method {
    template <bool>
    static constexpr bool must_be_named_once() {
        return true;
    }
};

template <class Methods, std::size_t I = find_repeated(static_cast<Methods*>(nullptr))>
struct repeated_method : list_element<Methods, I>::type {};
template <class None, class... Methods>
struct repeated_method<method_list<None, Methods...>, sizeof...(Methods)> : no_repeated_method {};

}  // namespace detail

/// A struct whose methods a `FUTON_SERVICE` beside it names.
template <class C>
concept contract = detail::described<C>;

namespace detail {
// A constant, so that a failed static_assert says no more than its sentence.
template <class C>
inline constexpr bool is_contract = contract<C>;
}  // namespace detail

/// The sentence for a type that is none; `static_assert(detail::is_contract<C>, FUTON_DETAIL_NO_CONTRACT)`.
#define FUTON_DETAIL_NO_CONTRACT \
    "futon: this type is no contract: add FUTON_SERVICE(X, ...) beside it, in its namespace"

/// The name under which the contract is offered and asked for, unless said otherwise.
template <contract C>
inline constexpr std::string_view service_name = detail::description_of<C>::type::wire_name;

template <contract C>
inline constexpr std::size_t method_count = detail::methods_of<C>::size;

/// The method at `I` in the order of the macro: an empty type with `name`, `index`, `attributes` and `contract`.
template <contract C, std::size_t I>
using method_at = typename detail::list_element<detail::methods_of<C>, I>::type;

/// Calls `f(method)` for each method in the macro's order, with `method` an empty value of the method's type.
template <contract C, class F>
constexpr void for_each_method(F&& f) {
    [&]<class None, class... Methods>(detail::method_list<None, Methods...>*) {
        (static_cast<void>(f(Methods{})), ...);
    }(static_cast<detail::methods_of<C>*>(nullptr));
}

}  // namespace futon
