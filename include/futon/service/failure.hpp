// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Errors of the application's own types, from a handler to its caller.

#include <futon/core/error.hpp>
#include <futon/core/spelled_name.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/limits.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace futon {
namespace detail {

template <class E>
concept names_itself = requires {
    { E::error_name } -> std::convertible_to<std::string_view>;
};

}  // namespace detail

/// The name by which both sides know an error type: its `static constexpr std::string_view error_name` where it has
/// one, else its qualified name. Give a class template one, and what a peer in another language has to know.
template <class E>
[[nodiscard]] constexpr std::string_view error_name() noexcept {
    if constexpr (detail::names_itself<E>) {
        return E::error_name;
    } else {
        return detail::spelled_name<E>();
    }
}

/// An error that carries `value`, of any type that could be an argument: return it from a handler as the error of a
/// `result`, or throw it with `failure(...).raise()`. The caller reads it with `error::payload<E>()`.
///
/// Its code is `errc::remote_error`, its executed `yes`. `message` is for people; empty: it names the type.
/// Errors: a value of more than 16 KiB, or one that cannot be packed, does not travel; the message then says so.
template <class E>
[[nodiscard]] error failure(const E& value, std::string message = {}) {
    static_assert(packable<E> && unpackable<E>,
                  "futon: this type cannot be an error's payload: it must be an aggregate, have MSGPACK_DEFINE, or be "
                  "another packable type");
    const std::string name{error_name<E>()};
    if (message.empty()) message = name;
    byte_buffer encoded;
    std::string lost;
    try {
        encode(encoded, value);
        if (encoded.size() > max_error_payload_bytes)
            lost =
                "it has " + std::to_string(encoded.size()) + " bytes, limit " + std::to_string(max_error_payload_bytes);
    } catch (...) {
        lost = error::from_exception(std::current_exception()).message();
    }
    if (!lost.empty())
        return error{errc::remote_error, message + " (its value is not sent: " + lost + ")", executed::yes}
            .with_remote_type(name);
    return error{errc::remote_error, std::move(message), executed::yes}.with_remote_type(name).with_payload(
        encoded.view());
}

template <class E>
std::optional<E> error::payload() const {
    const auto encoded = payload_bytes();
    if (encoded.empty() || remote_type() != error_name<E>()) return std::nullopt;
    auto decoded = decode<E>(encoded);
    if (!decoded) return std::nullopt;
    return *std::move(decoded);
}

}  // namespace futon
