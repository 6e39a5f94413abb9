// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The wire shapes, and which of them the types of the standard library have.

#include <futon/core/bytes.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace futon::detail {

enum class shape : std::uint8_t {
    none,     ///< Not known by its name.
    refused,  ///< Never packed, though msgpack-cxx may have an adaptor for it.
    nil,      ///< `std::monostate`.
    boolean,
    integer,     ///< Every integral type of at most 64 bits, characters included.
    floating,    ///< `float` and `double`.
    text,        ///< `std::string`, any allocator.
    text_view,   ///< `std::string_view`: points into the message.
    blob,        ///< A vector of `std::byte`, `unsigned char` or `char`.
    blob_view,   ///< `bytes_view`: points into the message.
    blob_array,  ///< A `std::array` of those: a blob of exactly its size.
    sequence,    ///< What has `emplace_back`.
    set,         ///< What has `key_type` and no `mapped_type`.
    map,         ///< What has `key_type` and `mapped_type`.
    array,       ///< `std::array`.
    tuple,       ///< `std::tuple` and `std::pair`.
    optional,
    pointer,  ///< `std::unique_ptr` and `std::shared_ptr`.
    variant,
    duration,
    time,  ///< A time point of the system clock.
    enumeration,
    path,     ///< `std::filesystem::path`: text in UTF-8, with '/' between its parts.
    fields,   ///< A plain aggregate.
    defined,  ///< Has a `msgpack_pack` member, as `MSGPACK_DEFINE` makes it.
    adapted,  ///< Has a msgpack-cxx adaptor that is not ours.
};

/// The shapes that only the type's name decides.
template <class T>
struct standard {
    static constexpr shape value = shape::none;
};
template <shape Value>
struct standard_is {
    static constexpr shape value = Value;
};
template <>
struct standard<std::monostate> : standard_is<shape::nil> {};
template <class Traits, class Allocator>
struct standard<std::basic_string<char, Traits, Allocator>> : standard_is<shape::text> {};
template <class Traits>
struct standard<std::basic_string_view<char, Traits>> : standard_is<shape::text_view> {};
template <>
struct standard<bytes_view> : standard_is<shape::blob_view> {};

template <class T>
inline constexpr bool is_byte =
    std::is_same_v<T, std::byte> || std::is_same_v<T, unsigned char> || std::is_same_v<T, char>;
template <class T, class Allocator>
    requires is_byte<T>
struct standard<std::vector<T, Allocator>> : standard_is<shape::blob> {};
template <class T, std::size_t N>
struct standard<std::array<T, N>> : standard_is<is_byte<T> ? shape::blob_array : shape::array> {};

template <class... T>
struct standard<std::tuple<T...>> : standard_is<shape::tuple> {};
template <class A, class B>
struct standard<std::pair<A, B>> : standard_is<shape::tuple> {};
template <class T>
struct standard<std::optional<T>> : standard_is<shape::optional> {};
template <class T>
    requires(!std::is_array_v<T>)
struct standard<std::unique_ptr<T>> : standard_is<shape::pointer> {};
template <class T>
    requires(!std::is_array_v<T>)
struct standard<std::shared_ptr<T>> : standard_is<shape::pointer> {};
template <class... T>
struct standard<std::variant<T...>> : standard_is<shape::variant> {};

template <class Rep, class Period>
    requires(std::floating_point<Rep> || (std::integral<Rep> && sizeof(Rep) <= 8))
struct standard<std::chrono::duration<Rep, Period>> : standard_is<shape::duration> {};
template <class Duration>
    requires(standard<Duration>::value == shape::duration)
struct standard<std::chrono::time_point<std::chrono::system_clock, Duration>> : standard_is<shape::time> {};

template <class T>
struct standard<std::unique_ptr<T[]>> : standard_is<shape::refused> {};
template <class T>
struct standard<std::shared_ptr<T[]>> : standard_is<shape::refused> {};
template <class Clock, class Duration>
struct standard<std::chrono::time_point<Clock, Duration>> : standard_is<shape::refused> {};

template <class T>
concept container = requires(const T& c) {
    typename T::value_type;
    c.begin();
    c.end();
    { c.size() } -> std::convertible_to<std::size_t>;
};
template <class T>
concept sequence = container<T> && requires(T& c) {
    c.emplace_back();
    c.back();
};
template <class T>
concept keyed = container<T> && requires(T& c, typename T::value_type v) {
    typename T::key_type;
    c.insert(c.end(), std::move(v));
};

/// `std::filesystem::path`, known by what it has: who needs none should not pay for <filesystem>.
template <class T>
concept path = requires(const T& p) {
    T::preferred_separator;
    { p.generic_u8string() } -> std::same_as<std::u8string>;
} && std::is_constructible_v<T, std::u8string>;

template <class T>
[[nodiscard]] consteval shape container_shape() noexcept {
    if constexpr (sequence<T>) {
        return shape::sequence;
    } else if constexpr (keyed<T>) {
        return requires { typename T::mapped_type; } ? shape::map : shape::set;
    } else {
        return shape::none;
    }
}

}  // namespace futon::detail
