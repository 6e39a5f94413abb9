// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Finds the option of time that is less than zero, which none can mean.

#include <futon/core/time.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace futon::detail {

struct named_time {
    std::string_view name;
    duration value;
};

/// What to say of the first; empty: there is none.
[[nodiscard]] inline std::string negative_time(std::initializer_list<named_time> all) {
    for (const auto& each : all)
        if (each.value < duration::zero()) return std::string{each.name} + " is less than zero";
    return {};
}

}  // namespace futon::detail
