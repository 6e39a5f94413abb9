// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Spells the wire shape of a type. The grammar is with `signature_of`.

#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/visitors.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace futon::detail {

/// Its address stands for the type, within this process.
template <class T>
inline constexpr char identity = 0;

struct signature_text {
    std::size_t most_bytes;
    std::size_t depth_left;  ///< Compound types that may still be opened.
    std::string text{};
    std::vector<const void*> structs_around{};  ///< For back references.

    [[nodiscard]] bool full() const noexcept { return text.size() > most_bytes; }
    void add(std::string_view part) { text.append(part); }
    void add_separated(std::size_t index) {
        if (index != 0) text += ',';
    }
};

template <class T>
void spell(signature_text& to);

template <class T>
void spell_member(signature_text& to);

template <class... T>
void spell_list(signature_text& to, type_list<T...>) {
    std::size_t index = 0;
    ((to.add_separated(index++), spell<T>(to)), ...);
}

/// Opens a compound type and calls `inside`; past the depth or the size, only `?`.
template <class Inside>
void spell_compound(signature_text& to, std::string_view open, std::string_view close, const Inside& inside) {
    if (to.depth_left == 0 || to.full()) return to.add("?");
    --to.depth_left;
    to.add(open);
    inside();
    to.add(close);
    ++to.depth_left;
}

/// The same for a struct: inside itself it is `^1`, inside a struct inside itself `^2`.
template <class T, class Inside>
void spell_struct(signature_text& to, std::string_view open, std::string_view close, const Inside& inside) {
    auto& around = to.structs_around;
    const auto found = std::find(around.rbegin(), around.rend(), &identity<T>);
    if (found != around.rend()) return to.add("^" + std::to_string(found - around.rbegin() + 1));
    around.push_back(&identity<T>);
    spell_compound(to, open, close, inside);
    around.pop_back();
}

template <class T>
void spell_integer(signature_text& to) {
    to.add(std::is_signed_v<T> ? "i" : "u");
    to.add(std::to_string(sizeof(T) * 8));
}

/// Spells the fields of a `MSGPACK_DEFINE` struct as they are shown to it.
struct spelling_visitor : silent_packer {
    spelling_visitor(signature_text& out, layout how) : to{out}, named{how == layout::map} {}

    template <class F>
    spelling_visitor& pack(const F& part) {
        if (named && at_name) {
            to.add_separated(index++);
            add_name(field_name(part));
        } else {
            if (!named) to.add_separated(index++);
            spell_member<F>(to);
        }
        at_name = !at_name;
        return *this;
    }
    spelling_visitor& pack_array(std::uint32_t) { return *this; }
    spelling_visitor& pack_map(std::uint32_t) { return *this; }

    void add_name(std::string_view name) {
        for (const char c : name) {
            const auto code = static_cast<unsigned char>(c);
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
            if (plain) {
                to.text += c;
            } else {
                to.text += '%';
                to.text += "0123456789abcdef"[code >> 4];
                to.text += "0123456789abcdef"[code & 15];
            }
        }
        to.text += ':';
    }

    signature_text& to;
    bool named;
    bool at_name = true;
    std::size_t index = 0;
};

template <class T>
void spell_defined(signature_text& to) {
    if constexpr (std::is_default_constructible_v<T>) {
        const T sample{};
        const auto how = layout_of(sample);
        if (how == layout::by_hand) return to.add("?");
        const bool named = how == layout::map;
        spell_struct<T>(to, named ? "{" : "[", named ? "}" : "]", [&] {
            spelling_visitor visitor{to, how};
            sample.msgpack_pack(visitor);
        });
    } else {
        to.add("?");
    }
}

/// A field as `msgpack_pack` passes it; see `write_member`.
template <class T>
void spell_member(signature_text& to) {
    if constexpr (std::is_bounded_array_v<T>) {
        using element = std::remove_extent_t<T>;
        if constexpr (std::is_same_v<element, char>) {
            to.add("str");
        } else if constexpr (is_byte<element>) {
            to.add("bin");
        } else {
            spell_compound(to, "array<" + std::to_string(std::extent_v<T>) + ',', ">",
                           [&] { spell_member<element>(to); });
        }
    } else {
        spell<T>(to);
    }
}

template <class T>
void spell(signature_text& to) {
    constexpr auto what = shape_v<T>;
    if constexpr (what == shape::nil) {
        to.add("nil");
    } else if constexpr (what == shape::boolean) {
        to.add("bool");
    } else if constexpr (what == shape::integer) {
        spell_integer<T>(to);
    } else if constexpr (what == shape::enumeration) {
        spell_integer<std::underlying_type_t<T>>(to);
    } else if constexpr (what == shape::floating) {
        to.add(sizeof(T) == 4 ? "f32" : "f64");
    } else if constexpr (what == shape::text || what == shape::text_view || what == shape::path) {
        to.add("str");
    } else if constexpr (what == shape::blob || what == shape::blob_view || what == shape::blob_array) {
        to.add("bin");
    } else if constexpr (what == shape::duration) {
        to.add("duration");
    } else if constexpr (what == shape::time) {
        to.add("time");
    } else if constexpr (what == shape::sequence || what == shape::set) {
        spell_compound(to, "list<", ">", [&] { spell<typename T::value_type>(to); });
    } else if constexpr (what == shape::map) {
        spell_compound(to, "map<", ">",
                       [&] { spell_list(to, type_list<typename T::key_type, typename T::mapped_type>{}); });
    } else if constexpr (what == shape::array) {
        spell_compound(to, "array<" + std::to_string(std::tuple_size_v<T>) + ',', ">",
                       [&] { spell<typename T::value_type>(to); });
    } else if constexpr (what == shape::optional) {
        spell_compound(to, "opt<", ">", [&] { spell<typename T::value_type>(to); });
    } else if constexpr (what == shape::pointer) {
        spell_compound(to, "opt<", ">", [&] { spell<std::remove_const_t<typename T::element_type>>(to); });
    } else if constexpr (what == shape::variant) {
        spell_compound(to, "one<", ">", [&] { spell_list(to, typename parts<T>::type{}); });
    } else if constexpr (what == shape::tuple) {
        spell_compound(to, "(", ")", [&] { spell_list(to, typename parts<T>::type{}); });
    } else if constexpr (what == shape::fields) {
        spell_struct<T>(to, "[", "]", [&] { spell_list(to, field_types<T>{}); });
    } else if constexpr (what == shape::defined) {
        spell_defined<T>(to);
    } else {
        to.add("?");
    }
}

}  // namespace futon::detail
