// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The type of a value that one of several inputs yields.

#include <futon/async/detail/inputs.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

namespace futon::detail {

/// One type where the inputs agree; else a variant with one alternative per input, so that its index is theirs.
template <class... T>
struct any_value_of;
template <class First, class... Rest>
struct any_value_of<First, Rest...> {
    using type = std::conditional_t<(std::is_same_v<First, Rest> && ...), First,
                                    std::variant<value_in_tuple<First>, value_in_tuple<Rest>...>>;
};
template <class... T>
using any_value = typename any_value_of<T...>::type;

/// What input `I` yielded, as that type.
template <class Value, std::size_t I, class V>
[[nodiscard]] result<Value> as_any_value(result<V>&& got) noexcept {
    if constexpr (std::is_same_v<V, Value>) {
        return std::move(got);
    } else if (!got) {
        return unexpected{std::move(got).error()};
    } else if constexpr (std::is_void_v<V>) {
        return result<Value>{std::in_place, std::in_place_index<I>};
    } else {
        return result<Value>{std::in_place, std::in_place_index<I>, *std::move(got)};
    }
}

}  // namespace futon::detail
