// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads `MSGPACK_DEFINE` structs field by field, in place.

#include <futon/wire/detail/read_adapted.hpp>
#include <futon/wire/detail/read_value.hpp>
#include <futon/wire/detail/visitors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>

namespace futon::detail {

/// A field as `msgpack_pack` passes it; see `write_member`.
template <class T>
bool read_member(reader& in, T& out) {
    if constexpr (std::is_same_v<std::remove_extent_t<T>, char> && std::is_bounded_array_v<T>) {
        std::string_view text;
        if (!in.text(text)) return false;
        if (text.size() > std::size(out)) return in.wrong_count("byte", std::size(out), text.size());
        std::fill(std::copy(text.begin(), text.end(), std::begin(out)), std::end(out), '\0');
        return true;
    } else if constexpr (std::is_bounded_array_v<T> && is_byte<std::remove_extent_t<T>>) {
        bytes_view blob;
        if (!in.blob(blob)) return false;
        if (blob.size() != std::size(out)) return in.wrong_count("byte", std::size(out), blob.size());
        std::memcpy(out, blob.data(), blob.size());
        return true;
    } else if constexpr (std::is_bounded_array_v<T>) {
        std::size_t count = 0;
        if (!in.array(count)) return false;
        if (count != std::size(out)) return in.wrong_count("element", std::size(out), count);
        for (std::size_t i = 0; i != count; ++i) {
            if (!read_member(in, out[i])) return in.why().inside(i);
        }
        return true;
    } else {
        return read_value(in, out);
    }
}

/// Reads the fields of a `MSGPACK_DEFINE_ARRAY` in place, as those of a plain aggregate.
struct array_visitor : silent_packer {
    explicit array_visitor(reader& from) : in{from} {}

    template <class F>
    array_visitor& pack(const F& field) {
        if (!read || index == count) return *this;
        // The field belongs to the value that is being read, which is not const.
        read = read_member(in, const_cast<F&>(field)) || in.why().inside(index);
        ++index;
        return *this;
    }
    array_visitor& pack_array(std::uint32_t) {
        read = in.array(count);
        return *this;
    }

    reader& in;
    std::size_t count = 0;
    std::size_t index = 0;
    bool read = true;
};

/// Reads one field by its name, wherever it stands.
struct name_visitor : silent_packer {
    name_visitor(reader& from, std::string_view name) : in{from}, wanted{name} {}

    template <class F>
    name_visitor& pack(const F& part) {
        if (at_name) {
            matches = !found && field_name(part) == wanted;
        } else if (matches) {
            found = true;
            read = read_member(in, const_cast<F&>(part)) || in.why().inside(wanted);
        }
        at_name = !at_name;
        return *this;
    }
    name_visitor& pack_map(std::uint32_t) { return *this; }

    reader& in;
    std::string_view wanted;
    bool at_name = true;
    bool matches = false;
    bool found = false;
    bool read = true;
};

template <class T>
bool read_named(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.map(count)) return false;
    for (std::size_t i = 0; i != count; ++i) {
        std::string_view key;
        if (!in.text(key)) return in.why().inside_key(i);
        name_visitor to{in, key};
        out.msgpack_pack(to);
        if (!to.read || (!to.found && !in.skip())) return false;
    }
    return true;
}

template <class T>
bool read_defined(reader& in, T& out) {
    switch (layout_of(out)) {
        case layout::array: {
            array_visitor to{in};
            out.msgpack_pack(to);
            return to.read && in.skip(to.count - to.index);
        }
        case layout::map: return read_named(in, out);
        case layout::by_hand: break;
    }
    return read_adapted(in, out);
}

}  // namespace futon::detail
