// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Values to msgpack, straight into the outgoing bytes.
///
/// - bool, integers and characters of up to 64 bits: bool and integer; an enum is its integer.
/// - `float`, `double`: float32, float64, also where the value is whole.
/// - `std::string`, `std::string_view`: string. `futon::bytes_view`, and a vector or `std::array` of `std::byte`,
///   `unsigned char` or `char`: binary.
/// - Sequences, sets, `std::array`, `std::tuple`, `std::pair`: array. What has `mapped_type`: map.
/// - `std::optional`, `std::unique_ptr`, `std::shared_ptr`: nil or the value. `std::monostate`: nil.
/// - `std::variant`: `[index, value]`.
/// - Durations: integer nanoseconds, rounded to the nearest. Time points of `std::chrono::system_clock`: timestamp
///   (extension -1), from 1677 to 2262 unless counted in whole seconds or coarser.
/// - Plain aggregates of up to 32 fields, without base classes and C arrays: array of the fields.
/// - `MSGPACK_DEFINE` and `_ARRAY`: array; `_MAP`: map by name; a C array in it: array, of `char` string (up to its
///   first zero), of other bytes binary.
/// - A type with a msgpack-cxx adaptor of the user's: what that packs.

#include <futon/core/bytes.hpp>
#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/through_codec.hpp>
#include <futon/wire/detail/write_value.hpp>
#include <futon/wire/detail/writer.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace futon {

/// Whether a `T` can be sent. Answers for all that a type holds, except for the fields of a `MSGPACK_DEFINE` struct:
/// those are seen only when it is packed, and then fail with a sentence of their own.
template <class T>
concept packable = detail::judge<detail::purpose::packing, std::remove_cvref_t<T>>() == detail::refusal::none;

/// Appends `value` to `out`.
///
/// Errors: throws `rpc_error` for what msgpack cannot hold (`bad_arguments`: a duration or time point out of range, a
/// valueless variant; `message_too_big`: 2^32 bytes or elements in one value), and whatever a msgpack adaptor of the
/// user throws. `out` is then as it was before.
/// Thread-safety: one thread at a time for one buffer.
template <class T>
void encode(byte_buffer& out, const T& value);

/// Appends the values as the argument list of a call: an array of exactly as many elements.
///
/// Errors: as `encode`.
template <class... A>
void encode_arguments(byte_buffer& out, const A&... arguments);

namespace detail {

/// Whether a `T` is a text or a blob of its own: its bytes stand behind a head, as they are.
template <class T>
inline constexpr bool has_separate_head = shape_v<T> == shape::text || shape_v<T> == shape::blob;

/// Appends that head alone. The value is not a short one, of less than 32 bytes. Errors: as `encode`.
template <class T>
    requires has_separate_head<T>
void encode_head(byte_buffer& out, const T& value) {
    if constexpr (shape_v<T> == shape::text) {
        put_text_head(out, checked_size(value.size()));
    } else {
        put_blob_head(out, checked_size(value.size()));
    }
}

/// Takes back what was appended unless told that it is complete.
class appended {
public:
    explicit appended(byte_buffer& out) noexcept : out_{out}, before_{out.size()} {}
    appended(const appended&) = delete;
    appended& operator=(const appended&) = delete;
    ~appended() {
        if (!kept_) out_.truncate(before_);
    }
    void keep() noexcept { kept_ = true; }

private:
    byte_buffer& out_;
    std::size_t before_;
    bool kept_ = false;
};

}  // namespace detail

template <class T>
void encode(byte_buffer& out, const T& value) {
    if constexpr (packable<T>) {
        detail::appended guard{out};
        detail::write_value(out, value);
        guard.keep();
    } else {
        detail::require_packable<detail::purpose::packing, T>();
    }
}

template <class... A>
void encode_arguments(byte_buffer& out, const A&... arguments) {
    if constexpr ((packable<A> && ...)) {
        detail::appended guard{out};
        detail::put_array(out, sizeof...(A));
        (detail::write_value(out, arguments), ...);
        guard.keep();
    } else {
        (detail::require_packable<detail::purpose::packing, A>(), ...);
    }
}

}  // namespace futon
