// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of validate.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/result.hpp>
#include <futon/wire/detail/format.hpp>
#include <futon/wire/limits.hpp>
#include <futon/wire/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace futon {

namespace detail {

inline constexpr std::size_t deepest = 64;

enum class flaw : std::uint8_t { none, truncated, trailing, reserved, overcounted, too_deep, too_many };

/// Finds the first flaw; `at` is left where it was found.
[[nodiscard]] inline flaw find_flaw(const std::byte*& at, const std::byte* end,
                                    const complexity_limits& limits) noexcept {
    const std::size_t max_depth = std::min(limits.max_depth, deepest);
    std::size_t pending[deepest];  // values still to come in each enclosing container
    std::size_t depth = 0;
    std::size_t remaining = 1;
    std::size_t nodes_left = limits.max_nodes;
    for (;;) {
        while (remaining == 0) {
            if (depth == 0) return at == end ? flaw::none : flaw::trailing;
            remaining = pending[--depth];
        }
        --remaining;
        if (at == end) return flaw::truncated;
        if (nodes_left-- == 0) return flaw::too_many;
        head next;
        const auto* const start = at;
        if (!parse_head(at, end, next)) return flaw::truncated;
        const auto bytes_left = static_cast<std::size_t>(end - at);
        if (next.what == kind::array || next.what == kind::map) {
            // The smallest element is one byte. Dividing rather than doubling cannot overflow where size_t has 32 bits.
            const bool pairs = next.what == kind::map;
            if (next.size > (pairs ? bytes_left / 2 : bytes_left)) return at = start, flaw::overcounted;
            if (depth == max_depth) return at = start, flaw::too_deep;
            pending[depth++] = remaining;
            remaining = pairs ? next.size * 2 : next.size;
        } else {
            if (next.what == kind::reserved) return at = start, flaw::reserved;
            if (next.size > bytes_left) return at = start, flaw::truncated;
            at += next.size;
        }
    }
}

[[gnu::cold, gnu::noinline]] inline error describe(flaw found, std::size_t offset, std::size_t size,
                                                   const complexity_limits& limits) {
    const auto malformed = [&](const char* what) {
        return error{errc::bad_arguments,
                     "malformed message: " + std::string{what} + " at byte " + std::to_string(offset) + " of " +
                         std::to_string(size),
                     executed::no};
    };
    switch (found) {
        case flaw::truncated: return malformed("a value is cut short");
        case flaw::trailing: return malformed("bytes after the end of the value");
        case flaw::reserved: return malformed("the reserved byte 0xc1");
        case flaw::overcounted: return malformed("a count that exceeds the bytes left");
        case flaw::too_deep:
            return {errc::message_too_big,
                    "message nested deeper than " + std::to_string(std::min(limits.max_depth, deepest)) +
                        " levels (limits.complexity.max_depth of the side that reads it)",
                    executed::no};
        case flaw::too_many:
            return {errc::message_too_big,
                    "message of more than " + std::to_string(limits.max_nodes) +
                        " values (limits.complexity.max_nodes of the side that reads it)",
                    executed::no};
        case flaw::none: break;
    }
    return {errc::internal};
}

}  // namespace detail

FUTON_DETAIL_BODY result<void> validate(bytes_view whole, const complexity_limits& limits) {
    const std::byte* at = whole.data();
    const auto found = detail::find_flaw(at, whole.data() + whole.size(), limits);
    if (found == detail::flaw::none) return {};
    return detail::describe(found, static_cast<std::size_t>(at - whole.data()), whole.size(), limits);
}

}  // namespace futon
