// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A program and its `futon::compiled` must be made from the same headers. Where the sizes of what both of them use
/// differ, the program does not link, and the name of the function that the linker misses says why.
///
/// Cheap, and known to each file without help of a build; so it notices what changes a size, also of the standard
/// library's classes and by macros, and not, say, a virtual function more.

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace futon::detail {

template <std::uint64_t Sizes>
struct sizes_in_common {};

[[nodiscard]] consteval std::uint64_t mixed_sizes(std::initializer_list<std::size_t> sizes) {
    std::uint64_t mixed = 14695981039346656037u;  // FNV-1a.
    for (const auto each : sizes) mixed = (mixed ^ each) * 1099511628211u;
    return mixed;
}

}  // namespace futon::detail

/// For the end of a header of which `futon::compiled` has the bodies. src/compiled.cpp defines the function for `name`.
/// Each file refers to it: of an inline variable the linker would keep that of one file.
#define FUTON_DETAIL_SIZES_IN_COMMON(name, ...)                                     \
    namespace futon::detail {                                                       \
    using name = sizes_in_common<mixed_sizes({__VA_ARGS__})>;                       \
    void futon_compiled_was_built_from_other_headers_build_it_again(name) noexcept; \
    [[gnu::used]] static void (*const name##_are_the_same)(name) noexcept =         \
        &futon_compiled_was_built_from_other_headers_build_it_again;                \
    }
