// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Methods of contracts by the pointers to their declarations: `&Greeter::greet`.

#include <futon/service/description.hpp>

#include <cstddef>

namespace futon::detail {

template <class Method, auto Pointer>
constexpr bool points_to(...) {
    return false;
}
// Where both are of one type. No concept: clang 16 takes the comparison for no constant there.
template <class Method, auto Pointer, class Same = decltype(Method::template is<typename Method::contract, Pointer>())>
constexpr bool points_to(int) {
    return Same::value;
}

/// The number of the method that `Pointer` points to; `method_count` if it is none of the contract's.
template <class Contract, auto Pointer>
consteval std::size_t index_of_pointer() {
    std::size_t found = method_count<Contract>;
    for_each_method<Contract>([&]<class Method>(Method) {
        if (points_to<Method, Pointer>(0)) found = Method::index;
    });
    return found;
}

}  // namespace futon::detail
