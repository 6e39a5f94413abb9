// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads a value of any shape: the one switch of decoding, and its longer cases.

#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// On failure `out` is valid and unspecified.
template <class T>
bool read_value(reader& in, T& out);

/// What is set aside before the first element is read: enough for most, too little to hurt.
template <class T>
void reserve(T& out, std::size_t count) {
    if constexpr (requires { out.reserve(count); }) {
        out.reserve(std::min<std::size_t>(count, 1 + 65536 / sizeof(typename T::value_type)));
    }
}

template <class T>
bool read_sequence(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.array(count)) return false;
    out.clear();
    reserve(out, count);
    for (std::size_t i = 0; i != count; ++i) {
        bool read = false;
        if constexpr (std::is_same_v<typename T::value_type, bool>) {
            bool element = false;
            read = in.boolean(element);
            out.emplace_back(element);
        } else {
            out.emplace_back();
            read = read_value(in, out.back());
        }
        if (!read) return in.why().inside(i);
    }
    return true;
}

template <class T>
bool read_set(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.array(count)) return false;
    out.clear();
    reserve(out, count);
    for (std::size_t i = 0; i != count; ++i) {
        typename T::value_type element{};
        if (!read_value(in, element)) return in.why().inside(i);
        // What was packed in order is inserted without a search.
        out.insert(out.end(), std::move(element));
    }
    return true;
}

template <class T>
bool read_map(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.map(count)) return false;
    out.clear();
    reserve(out, count);
    for (std::size_t i = 0; i != count; ++i) {
        typename T::key_type key{};
        if (!read_value(in, key)) return in.why().inside_key(i);
        typename T::mapped_type mapped{};
        if (!read_value(in, mapped)) return in.why().inside(i);
        if constexpr (requires { out.insert_or_assign(out.end(), std::move(key), std::move(mapped)); }) {
            out.insert_or_assign(out.end(), std::move(key), std::move(mapped));
        } else {
            out.insert(out.end(), typename T::value_type{std::move(key), std::move(mapped)});
        }
    }
    return true;
}

/// Element `index` of what has a fixed number of them.
template <class T>
bool read_element(reader& in, T& out, std::size_t& index) {
    if (!read_value(in, out)) return in.why().inside(index);
    ++index;
    return true;
}

template <class T>
bool read_exact(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.array(count)) return false;
    if (count != std::tuple_size_v<T>) return in.wrong_count("element", std::tuple_size_v<T>, count);
    std::size_t index = 0;
    return std::apply([&](auto&... element) { return (read_element(in, element, index) && ...); }, out);
}

/// A field past the end of what an older version sent keeps its default.
template <class T>
bool read_field(reader& in, T& out, std::size_t& index, std::size_t count) {
    return index == count || read_element(in, out, index);
}

template <class T>
bool read_fields(reader& in, T& out) {
    std::size_t count = 0;
    if (!in.array(count)) return false;
    std::size_t index = 0;
    const bool read = visit_fields(out, [&](auto&... field) { return (read_field(in, field, index, count) && ...); });
    return read && in.skip(count - index);
}

template <class T>
bool read_pointer(reader& in, T& out) {
    if (in.next_is_nil()) {
        out.reset();
        return in.nil();
    }
    using element = std::remove_const_t<typename T::element_type>;
    if constexpr (std::is_same_v<T, std::unique_ptr<typename T::element_type>>) {
        auto made = std::make_unique<element>();
        if (!read_value(in, *made)) return false;
        out = std::move(made);
    } else {
        auto made = std::make_shared<element>();
        if (!read_value(in, *made)) return false;
        out = std::move(made);
    }
    return true;
}

template <class T, std::size_t... I>
bool read_alternative(reader& in, T& out, std::size_t index, std::index_sequence<I...>) {
    bool read = false;
    (void)((index == I && (read = read_value(in, out.template emplace<I>()), true)) || ...);
    return read;
}

template <class T>
bool read_variant(reader& in, T& out) {
    std::size_t count = 0;
    std::size_t index = 0;
    if (!in.array(count)) return false;
    if (count != 2) return in.wrong_count("element", 2, count);
    if (!in.integer(index, "the index of an alternative")) return in.why().inside(0);
    constexpr auto alternatives = std::variant_size_v<T>;
    if (index >= alternatives) {
        in.unfit("alternative " + std::to_string(index) + " of " + std::to_string(alternatives));
        return in.why().inside(0);
    }
    return read_alternative(in, out, index, std::make_index_sequence<alternatives>{}) || in.why().inside(1);
}

template <class T>
bool read_time(reader& in, T& out) {
    if constexpr (shape_v<T> == shape::duration) {
        std::int64_t nanoseconds = 0;
        if (!in.integer(nanoseconds, "a duration in nanoseconds")) return false;
        return from_units<std::nano>(nanoseconds, out) || in.unfit("a duration that is out of range");
    } else {
        timestamp stamp;
        if (!in.time(stamp)) return false;
        typename T::duration since_epoch{};
        if (!from_timestamp(stamp, since_epoch)) return in.unfit("a time point that is out of range");
        out = T{since_epoch};
        return true;
    }
}

template <class T>
bool read_enumeration(reader& in, T& out) {
    using underlying = std::underlying_type_t<T>;
    if constexpr (std::is_same_v<underlying, bool>) {
        std::uint8_t value = 0;
        if (!in.integer(value)) return false;
        if (value > 1) return in.unfit(std::to_string(value) + " is out of range for an enum of bool");
        out = static_cast<T>(value);
    } else {
        underlying value{};
        if (!in.integer(value)) return false;
        out = static_cast<T>(value);
    }
    return true;
}

template <class T>
bool read_path(reader& in, T& out) {
    std::string_view text;
    if (!in.text(text)) return false;
    // The system would see less of it than who looks at its extension.
    if (text.find('\0') != text.npos) return in.unfit("a text that is no path");
    try {
        out = T{std::u8string(text.begin(), text.end())};
    } catch (const std::system_error&) {  // Where the system's paths are not in UTF-8.
        return in.unfit("a text that is no path");
    }
    return true;
}

template <class T>
bool read_adapted(reader& in, T& out);  // in read_adapted.hpp
template <class T>
bool read_defined(reader& in, T& out);  // in read_defined.hpp

template <class T>
bool read_value(reader& in, T& out) {
    constexpr auto what = shape_v<T>;
    if constexpr (what == shape::nil) {
        return in.nil();
    } else if constexpr (what == shape::boolean) {
        return in.boolean(out);
    } else if constexpr (what == shape::integer) {
        return in.integer(out);
    } else if constexpr (what == shape::floating) {
        return in.floating(out);
    } else if constexpr (what == shape::text) {
        std::string_view text;
        if (!in.text(text)) return false;
        if (text.size() <= out.capacity()) {
            out.assign(text.data(), text.size());
        } else {
            out = T{text.data(), text.size(), out.get_allocator()};
        }
        return true;
    } else if constexpr (what == shape::text_view) {
        std::string_view text;
        if (!in.may_view() || !in.text(text)) return false;
        out = T{text.data(), text.size()};
        return true;
    } else if constexpr (what == shape::path) {
        return read_path(in, out);
    } else if constexpr (what == shape::blob) {
        bytes_view blob;
        if (!in.blob(blob)) return false;
        const auto* const from = reinterpret_cast<const typename T::value_type*>(blob.data());
        out.assign(from, from + blob.size());
        return true;
    } else if constexpr (what == shape::blob_view) {
        return in.may_view() && in.blob(out);
    } else if constexpr (what == shape::blob_array) {
        bytes_view blob;
        if (!in.blob(blob)) return false;
        if (blob.size() != out.size()) return in.wrong_count("byte", out.size(), blob.size());
        if (!blob.empty()) std::memcpy(out.data(), blob.data(), blob.size());
        return true;
    } else if constexpr (what == shape::sequence) {
        return read_sequence(in, out);
    } else if constexpr (what == shape::set) {
        return read_set(in, out);
    } else if constexpr (what == shape::map) {
        return read_map(in, out);
    } else if constexpr (what == shape::array) {
        std::size_t count = 0;
        if (!in.array(count)) return false;
        if (count != out.size()) return in.wrong_count("element", out.size(), count);
        std::size_t index = 0;
        for (auto& element : out) {
            if (!read_element(in, element, index)) return false;
        }
        return true;
    } else if constexpr (what == shape::tuple) {
        return read_exact(in, out);
    } else if constexpr (what == shape::optional) {
        if (!in.next_is_nil()) return read_value(in, out.emplace());
        out.reset();
        return in.nil();
    } else if constexpr (what == shape::pointer) {
        return read_pointer(in, out);
    } else if constexpr (what == shape::variant) {
        return read_variant(in, out);
    } else if constexpr (what == shape::duration || what == shape::time) {
        return read_time(in, out);
    } else if constexpr (what == shape::enumeration) {
        return read_enumeration(in, out);
    } else if constexpr (what == shape::fields) {
        return read_fields(in, out);
    } else if constexpr (what == shape::defined) {
        return read_defined(in, out);
    } else if constexpr (what == shape::adapted) {
        return read_adapted(in, out);
    } else {
        require_packable<purpose::result, T>();
        return false;
    }
}

}  // namespace futon::detail
