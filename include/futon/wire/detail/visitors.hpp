// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Packers that do not pack. `MSGPACK_DEFINE` makes `msgpack_pack` a template on its packer: called with one of
/// these, it shows each field in place, so that a struct is read without an object tree.

#include <futon/wire/detail/adaptor.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace futon::detail {

/// How a `msgpack_pack` member lays its type out.
enum class layout : std::uint8_t {
    by_hand,  ///< Written by the user: what it passes to the packer need not be fields.
    array,    ///< `MSGPACK_DEFINE`, `MSGPACK_DEFINE_ARRAY`.
    map,      ///< `MSGPACK_DEFINE_MAP`.
};

struct discard_holder {
    discard sink;
};

/// What every visitor inherits, so that a hand-written `msgpack_pack` compiles whatever it calls.
struct silent_packer : discard_holder, msgpack::packer<discard> {
    silent_packer() : msgpack::packer<discard>{sink} {}
};

/// Finds out the layout. The macros pass each field from a file of msgpack-cxx, and call nothing but
/// `pack_array` or `pack_map`, once, and `pack`; what the user wrote passes them from the user's file.
struct layout_probe : silent_packer {
    template <class F>
    layout_probe& pack(const F&, const char* from = __builtin_FILE()) {
        const std::string_view file{from};
        const auto slash = file.find_last_of("/\\");
        strange = strange || !file.substr(slash == file.npos ? 0 : slash + 1).starts_with("cpp11_define_");
        ++packed;
        return *this;
    }
    layout_probe& pack_array(std::uint32_t count) { return begin(layout::array, count); }
    layout_probe& pack_map(std::uint32_t count) { return begin(layout::map, std::uint64_t{count} * 2); }

    [[nodiscard]] layout verdict() const noexcept {
        return strange || sink.written != 0 || packed != announced ? layout::by_hand : kind;
    }

    layout kind = layout::by_hand;
    std::uint64_t announced = 0;
    std::uint64_t packed = 0;
    bool strange = false;

private:
    layout_probe& begin(layout as, std::uint64_t count) {
        strange = strange || kind != layout::by_hand || packed != 0;
        kind = as;
        announced = count;
        return *this;
    }
};

/// The layout of a type, found out with the first value of it.
template <class T>
[[nodiscard]] layout layout_of(const T& value) {
    static const layout found = [&value] {
        try {
            layout_probe probe;
            value.msgpack_pack(probe);
            return probe.verdict();
        } catch (...) {
            return layout::by_hand;  // the macros throw nothing here
        }
    }();
    return found;
}

/// The name of a field of a `MSGPACK_DEFINE_MAP`, which comes through `pack` like the field itself.
template <class Name>
[[nodiscard]] std::string_view field_name(const Name& name) {
    if constexpr (std::is_bounded_array_v<Name> && std::is_same_v<std::remove_extent_t<Name>, char>) {
        // A literal: without its terminating zero.
        return {name, std::extent_v<Name> - 1};
    } else if constexpr (std::is_convertible_v<const Name&, std::string_view>) {
        return name;
    } else {
        return {};
    }
}

}  // namespace futon::detail
