// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Writes a value of any shape: the one switch of encoding, and its longer cases.

#include <futon/core/bytes.hpp>
#include <futon/wire/detail/chrono.hpp>
#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <variant>

namespace futon::detail {

template <class T>
void write_value(byte_buffer& out, const T& value);

/// A field as `msgpack_pack` passes it, which may be a C array: text if of characters (so are the names of a
/// `MSGPACK_DEFINE_MAP`), a blob if of bytes.
template <class T>
void write_member(byte_buffer& out, const T& value) {
    if constexpr (std::is_same_v<std::remove_extent_t<T>, char> && std::is_bounded_array_v<T>) {
        const auto* const zero = std::find(std::begin(value), std::end(value), '\0');
        put_text(out, {value, static_cast<std::size_t>(zero - value)});
    } else if constexpr (std::is_bounded_array_v<T> && is_byte<std::remove_extent_t<T>>) {
        put_blob(out, value, std::size(value));
    } else if constexpr (std::is_bounded_array_v<T>) {
        put_array(out, std::size(value));
        for (const auto& element : value) write_member(out, element);
    } else {
        write_value(out, value);
    }
}

/// Passed to a `msgpack_pack` member as its packer: each field comes back to this codec.
struct field_writer : msgpack::packer<byte_buffer> {
    explicit field_writer(byte_buffer& to) : msgpack::packer<byte_buffer>{to}, out{to} {}

    template <class F>
    field_writer& pack(const F& field) {
        write_member(out, field);
        return *this;
    }
    // Called by hand, these too keep floats floats, and what is chained to them in this codec.
    field_writer& pack_array(std::uint32_t count) { return put_array(out, count), *this; }
    field_writer& pack_map(std::uint32_t count) { return put_map(out, count), *this; }
    field_writer& pack_float(float value) { return put_floating(out, value), *this; }
    field_writer& pack_double(double value) { return put_floating(out, value), *this; }

    byte_buffer& out;
};

template <class T>
void write_defined(byte_buffer& out, const T& value) {
    field_writer to{out};
    value.msgpack_pack(to);
}

template <class T>
void write_adapted(byte_buffer& out, const T& value) {
    if constexpr (packed_by_user<T> || packed_by_library<T>) {
        msgpack::packer<byte_buffer> to{out};
        msgpack::adaptor::pack<T>{}(to, value);
    } else {
        write_defined(out, value);
    }
}

template <class T>
void write_variant(byte_buffer& out, const T& value) {
    if (value.valueless_by_exception())
        refuse_to_pack(errc::bad_arguments, "a variant without a value cannot be packed");
    put_array(out, 2);
    put_unsigned(out, value.index());
    std::visit([&](const auto& held) { write_value(out, held); }, value);
}

template <class T>
void write_time(byte_buffer& out, const T& value) {
    if constexpr (shape_v<T> == shape::duration) {
        std::int64_t nanoseconds = 0;
        if (!to_units<std::nano>(value, nanoseconds)) {
            refuse_to_pack(errc::bad_arguments, "a duration does not fit 64 bits of nanoseconds");
        }
        put_integer(out, nanoseconds);
    } else {
        timestamp stamp;
        if (!to_timestamp(value.time_since_epoch(), stamp)) {
            refuse_to_pack(errc::bad_arguments, "a time point is out of range");
        }
        put_timestamp(out, stamp);
    }
}

template <class T>
void write_value(byte_buffer& out, const T& value) {
    constexpr auto what = shape_v<T>;
    if constexpr (what == shape::nil) {
        put_nil(out);
    } else if constexpr (what == shape::boolean) {
        put_boolean(out, value);
    } else if constexpr (what == shape::integer) {
        put_integer(out, value);
    } else if constexpr (what == shape::floating) {
        put_floating(out, value);
    } else if constexpr (what == shape::text || what == shape::text_view) {
        put_text(out, {value.data(), value.size()});
    } else if constexpr (what == shape::path) {
        const auto text = value.generic_u8string();
        put_text(out, {reinterpret_cast<const char*>(text.data()), text.size()});
    } else if constexpr (what == shape::blob || what == shape::blob_view || what == shape::blob_array) {
        put_blob(out, value.data(), value.size());
    } else if constexpr (what == shape::sequence || what == shape::set || what == shape::array) {
        put_array(out, value.size());
        for (const typename T::value_type& element : value) write_value(out, element);
    } else if constexpr (what == shape::map) {
        put_map(out, value.size());
        for (const auto& [key, mapped] : value) {
            write_value(out, key);
            write_value(out, mapped);
        }
    } else if constexpr (what == shape::tuple) {
        put_array(out, std::tuple_size_v<T>);
        std::apply([&](const auto&... element) { (write_value(out, element), ...); }, value);
    } else if constexpr (what == shape::optional || what == shape::pointer) {
        if (value) {
            write_value(out, *value);
        } else {
            put_nil(out);
        }
    } else if constexpr (what == shape::variant) {
        write_variant(out, value);
    } else if constexpr (what == shape::duration || what == shape::time) {
        write_time(out, value);
    } else if constexpr (what == shape::enumeration) {
        put_integer(out, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (what == shape::fields) {
        put_array(out, field_count<T>);
        visit_fields(value, [&](const auto&... field) { (write_value(out, field), ...); });
    } else if constexpr (what == shape::defined) {
        write_defined(out, value);
    } else if constexpr (what == shape::adapted) {
        write_adapted(out, value);
    } else {
        require_packable<purpose::packing, T>();
    }
}

}  // namespace futon::detail
