// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Our msgpack-cxx adaptors, see adaptors.hpp, and how a type's adaptor is told from ours.

#include <futon/wire/detail/standard.hpp>

#include <msgpack/adaptor/adaptor_base.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace futon::detail {

/// A stream that only counts.
struct discard {
    void write(const char*, std::size_t count) noexcept { written += count; }
    std::size_t written = 0;
};

template <class T>
concept has_msgpack_pack = requires(const T& value, msgpack::packer<discard>& to) { value.msgpack_pack(to); };
template <class T>
concept has_msgpack_unpack = requires(T& value, const msgpack::object& from) { value.msgpack_unpack(from); };

/// Types for which msgpack-cxx without Boost has nothing, unless somebody wrote an adaptor.
template <class T>
concept left_to_futon =
    (std::is_class_v<T> || std::is_union_v<T> || std::is_enum_v<T>)&&!has_msgpack_pack<T> && !has_msgpack_unpack<T> &&
    container_shape<T>() == shape::none &&
    (standard<T>::value == shape::none || standard<T>::value == shape::nil || standard<T>::value == shape::variant ||
     standard<T>::value == shape::duration || standard<T>::value == shape::time);

// In through_codec.hpp.
template <class Stream, class T>
void pack_through_codec(msgpack::packer<Stream>& to, const T& value);
template <class T>
void convert_through_codec(const msgpack::object& from, T& value);

}  // namespace futon::detail

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(v1) {
    namespace adaptor {

    template <class T>
        requires futon::detail::left_to_futon<T>
    struct pack<T, void> {
        using futon_codec = T;
        template <class Stream>
        msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& to, const T& value) const {
            futon::detail::pack_through_codec(to, value);
            return to;
        }
    };

    template <class T>
        requires futon::detail::left_to_futon<T>
    struct convert<T, void> {
        using futon_codec = T;
        const msgpack::object& operator()(const msgpack::object& from, T& value) const {
            futon::detail::convert_through_codec(from, value);
            return from;
        }
    };

    }  // namespace adaptor
}
}  // namespace msgpack

namespace futon::detail {

/// There is an adaptor in `msgpack::adaptor` as users write it. What that namespace inherits from the versioned one
/// within is msgpack-cxx's own, Boost's or ours.
template <class T>
inline constexpr bool packed_by_user = !std::is_base_of_v<msgpack::v1::adaptor::pack<T>, msgpack::adaptor::pack<T>>;
template <class T>
inline constexpr bool unpacked_by_user =
    !std::is_base_of_v<msgpack::v1::adaptor::convert<T>, msgpack::adaptor::convert<T>> ||
    (msgpack::has_as<T>::value && !msgpack::v1::has_as<T>::value);
template <class T>
inline constexpr bool adapted_by_user = packed_by_user<T> || unpacked_by_user<T>;

/// There is an adaptor in the versioned namespace, for a type that we would have taken.
template <class T>
inline constexpr bool packed_by_library =
    left_to_futon<T> && !requires { typename msgpack::v1::adaptor::pack<T>::futon_codec; };
template <class T>
inline constexpr bool unpacked_by_library =
    left_to_futon<T> &&
    (!requires { typename msgpack::v1::adaptor::convert<T>::futon_codec; } || msgpack::v1::has_as<T>::value);
template <class T>
inline constexpr bool adapted_by_library = packed_by_library<T> || unpacked_by_library<T>;

}  // namespace futon::detail
