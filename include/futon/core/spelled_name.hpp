// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Types as the compiler spells them, for people; peers see such a name only where the user has asked for it.

#include <string_view>

namespace futon::detail {

/// "shop::out_of_stock"; of a lambda "page(int)::<lambda(double)>" with g++, "(lambda at main.cpp:12:30)" with clang.
template <class E>
[[nodiscard]] consteval std::string_view spelled_name() {
    // "... [with E = shop::out_of_stock; ...]" with g++, "... [E = shop::out_of_stock]" with clang.
    const std::string_view all = __PRETTY_FUNCTION__;
    const auto begin = all.find("E = ") + 4;
    return all.substr(begin, all.find_first_of(";]", begin) - begin);
}

}  // namespace futon::detail
