// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What our msgpack-cxx adaptors do: the codec's own bytes, on the way from or to msgpack-cxx.

#include <futon/core/bytes.hpp>
#include <futon/wire/detail/adaptor.hpp>
#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/read_defined.hpp>
#include <futon/wire/detail/read_value.hpp>
#include <futon/wire/detail/tree.hpp>
#include <futon/wire/detail/write_value.hpp>

#include <cstdint>

namespace futon::detail {

template <class Stream, class T>
void pack_through_codec(msgpack::packer<Stream>& to, const T& value) {
    if constexpr (judge<purpose::packing, T>() == refusal::none) {
        byte_buffer bytes;
        write_value(bytes, value);
        // A body is appended as it is, whatever the kind.
        to.pack_str_body(reinterpret_cast<const char*>(bytes.data()), static_cast<std::uint32_t>(bytes.size()));
    } else {
        require_packable<purpose::packing, T>();
    }
}

/// Throws `msgpack::type_error` where the tree does not fit, as any adaptor does.
template <class T>
void convert_through_codec(const msgpack::object& from, T& value) {
    if constexpr (judge<purpose::result, T>() == refusal::none) {
        byte_buffer bytes;
        write_tree(bytes, from);
        failure why;
        reader in{bytes.view(), views::refused, why};
        if (!read_value(in, value)) throw msgpack::type_error{};
    } else {
        require_packable<purpose::result, T>();
    }
}

}  // namespace futon::detail
