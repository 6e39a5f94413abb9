// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Object trees of msgpack-cxx, for types with a hand-written adaptor only. Built by our own reader from validated
/// bytes, so that nothing is allocated from a claimed count and strings stay where they are.

#include <futon/wire/detail/reader.hpp>
#include <futon/wire/detail/writer.hpp>

#include <msgpack/adaptor/adaptor_base.hpp>
#include <msgpack/object.hpp>

#include <cstddef>
#include <cstdint>

namespace futon::detail {

inline constexpr unsigned deepest_tree = 64;

template <class T>
[[nodiscard]] inline T* allocate(msgpack::zone& zone, std::size_t count) {
    return static_cast<T*>(zone.allocate_align(sizeof(T) * count, alignof(T)));
}

/// Reads one value into `out`, whose strings and blobs point into the message.
inline bool read_tree(reader& in, msgpack::zone& zone, msgpack::object& out, unsigned depth = 0) {
    if (depth > deepest_tree) return in.unfit("a message nested too deeply");
    if (in.at_end()) return in.mismatch("a value");
    switch (kind_of(*in.position())) {
        case kind::nil: out.type = msgpack::type::NIL; return in.nil();
        case kind::boolean: out.type = msgpack::type::BOOLEAN; return in.boolean(out.via.boolean);
        case kind::integer: {
            wire_integer value;
            if (!in.any_integer(value)) return in.mismatch("integer");
            out.type = value.negative ? msgpack::type::NEGATIVE_INTEGER : msgpack::type::POSITIVE_INTEGER;
            out.via.u64 = value.bits;
            if (value.negative) out.via.i64 = static_cast<std::int64_t>(value.bits);
            return true;
        }
        case kind::floating:
            out.type = *in.position() == std::byte{0xca} ? msgpack::type::FLOAT32 : msgpack::type::FLOAT64;
            return in.floating(out.via.f64);
        case kind::string: {
            std::string_view text;
            if (!in.text(text)) return false;
            out.type = msgpack::type::STR;
            out.via.str = {static_cast<std::uint32_t>(text.size()), text.data()};
            return true;
        }
        case kind::binary: {
            bytes_view blob;
            if (!in.blob(blob)) return false;
            out.type = msgpack::type::BIN;
            out.via.bin = {static_cast<std::uint32_t>(blob.size()), reinterpret_cast<const char*>(blob.data())};
            return true;
        }
        case kind::extension: {
            bytes_view body;
            if (!in.extension(body)) return false;
            out.type = msgpack::type::EXT;
            out.via.ext = {static_cast<std::uint32_t>(body.size() - 1), reinterpret_cast<const char*>(body.data())};
            return true;
        }
        case kind::array: {
            std::size_t count = 0;
            if (!in.array(count)) return false;
            auto* const elements = allocate<msgpack::object>(zone, count);
            out.type = msgpack::type::ARRAY;
            out.via.array = {static_cast<std::uint32_t>(count), elements};
            for (std::size_t i = 0; i != count; ++i) {
                if (!read_tree(in, zone, *new (elements + i) msgpack::object, depth + 1)) return false;
            }
            return true;
        }
        case kind::map: {
            std::size_t count = 0;
            if (!in.map(count)) return false;
            auto* const pairs = allocate<msgpack::object_kv>(zone, count);
            out.type = msgpack::type::MAP;
            out.via.map = {static_cast<std::uint32_t>(count), pairs};
            for (std::size_t i = 0; i != count; ++i) {
                new (pairs + i) msgpack::object_kv;
                if (!read_tree(in, zone, pairs[i].key, depth + 1)) return false;
                if (!read_tree(in, zone, pairs[i].val, depth + 1)) return false;
            }
            return true;
        }
        case kind::reserved: break;
    }
    return in.mismatch("a value");
}

/// The bytes of a tree, with floats as floats, which msgpack-cxx would pack as integers where it can.
inline void write_tree(byte_buffer& out, const msgpack::object& from, unsigned depth = 0) {
    if (depth > deepest_tree) throw msgpack::type_error{};
    switch (from.type) {
        case msgpack::type::NIL: return put_nil(out);
        case msgpack::type::BOOLEAN: return put_boolean(out, from.via.boolean);
        case msgpack::type::POSITIVE_INTEGER: return put_unsigned(out, from.via.u64);
        case msgpack::type::NEGATIVE_INTEGER: return put_integer(out, from.via.i64);
        case msgpack::type::FLOAT32: return put_floating(out, static_cast<float>(from.via.f64));
        case msgpack::type::FLOAT64: return put_floating(out, from.via.f64);
        case msgpack::type::STR: return put_text(out, {from.via.str.ptr, from.via.str.size});
        case msgpack::type::BIN: return put_blob(out, from.via.bin.ptr, from.via.bin.size);
        case msgpack::type::EXT: return put_extension(out, from.via.ext.ptr, from.via.ext.size);
        case msgpack::type::ARRAY:
            put_array(out, from.via.array.size);
            for (std::uint32_t i = 0; i != from.via.array.size; ++i) write_tree(out, from.via.array.ptr[i], depth + 1);
            return;
        case msgpack::type::MAP:
            put_map(out, from.via.map.size);
            for (std::uint32_t i = 0; i != from.via.map.size; ++i) {
                write_tree(out, from.via.map.ptr[i].key, depth + 1);
                write_tree(out, from.via.map.ptr[i].val, depth + 1);
            }
            return;
    }
    throw msgpack::type_error{};
}

}  // namespace futon::detail
