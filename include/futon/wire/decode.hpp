// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// msgpack to values, straight from the received bytes: judged whole first, then read field by field with range and
/// arity checks. What does not fit is named with its place, e.g. "argument 2: expected integer, got string at [0]".

#include <futon/core/bytes.hpp>
#include <futon/core/result.hpp>
#include <futon/wire/detail/packable.hpp>
#include <futon/wire/detail/read_defined.hpp>
#include <futon/wire/detail/read_value.hpp>
#include <futon/wire/detail/through_codec.hpp>
#include <futon/wire/validate.hpp>

#include <concepts>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace futon {

/// Whether a `T` can be received as a result: it has a default constructor and holds no views.
template <class T>
concept unpackable =
    std::is_void_v<T> || detail::judge<detail::purpose::result, std::remove_cvref_t<T>>() == detail::refusal::none;

/// Whether a `T` can be received as a parameter: as `unpackable`, but views are welcome.
template <class T>
concept unpackable_argument =
    detail::judge<detail::purpose::argument, std::remove_cvref_t<T>>() == detail::refusal::none;

/// Reads one value. `decode<void>` expects nil.
///
/// Integers and floats of any width are accepted where the value fits; a struct may be longer than `T` (the rest is
/// skipped) or shorter (the rest keeps its default). All else must match exactly. An enum takes each value of its
/// underlying type, so fix that type and check the value where it matters. Text is not checked to be UTF-8. Of equal
/// keys in a map, the last counts. Only `max_nodes` bounds the cost of keys that were chosen to collide in a hash
/// table: where peers are not trusted, prefer `std::map`, or lower it.
/// Errors: those of `validate`; `bad_arguments` with the place where the message does not fit `T`, or where a
/// constructor or adaptor of the user threw; `resource_exhausted` where memory ran out.
/// Thread-safety: pure.
template <class T>
[[nodiscard]] result<T> decode(bytes_view whole, const complexity_limits& limits = {});

/// Reads the argument list of a call: an array of exactly as many values. `A` are the parameter types, decayed.
///
/// Errors: as `decode`; the message counts arguments from 1.
/// Lifetime: a `std::string_view` or `bytes_view` among the values points into `whole`.
template <class... A>
[[nodiscard]] result<std::tuple<A...>> decode_arguments(bytes_view whole, const complexity_limits& limits = {});

namespace detail {

/// An error out of the exception that is being handled.
[[gnu::cold, gnu::noinline]] inline error unpacking_threw() noexcept {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return {errc::resource_exhausted, executed::no};
    } catch (const std::exception& e) {
        return {errc::bad_arguments, std::string{"a value could not be made: "} + e.what(), executed::no};
    } catch (...) {
        return {errc::bad_arguments, "a value could not be made", executed::no};
    }
}

/// Types whose reading looks at one value of the message and at
/// each of its bytes: nothing is left for `validate` to find.
template <class T>
inline constexpr bool reads_one_value = [] {
    constexpr auto what = shape_v<T>;
    return what == shape::nil || what == shape::boolean || what == shape::integer || what == shape::floating ||
           what == shape::text || what == shape::text_view || what == shape::blob || what == shape::blob_view ||
           what == shape::blob_array || what == shape::enumeration;
}();

/// The text that a message is; false where it is anything else.
[[nodiscard]] inline bool is_one_text(bytes_view whole, std::string_view& text) {
    failure why;
    reader in{whole, views::welcome, why};
    return in.text(text) && in.at_end();
}

template <class... A, std::size_t... I>
bool read_arguments(reader& in, std::tuple<A...>& out, std::index_sequence<I...>) {
    std::size_t count = 0;
    if (!in.array(count, "an array of arguments")) return false;
    if (count != sizeof...(A)) return in.wrong_count("argument", sizeof...(A), count);
    return ((read_value(in, std::get<I>(out)) || in.why().in_argument(I + 1)) && ...);
}

}  // namespace detail

template <class T>
result<T> decode(bytes_view whole, const complexity_limits& limits) {
    if constexpr (!std::is_void_v<T> && unpackable<T>) {
        // A text is made where it is wanted, and never moved.
        if constexpr (detail::shape_v<T> == detail::shape::text) {
            std::string_view text;
            if (limits.max_nodes > 0 && detail::is_one_text(whole, text)) try {
                    return result<T>{std::in_place, text.data(), text.size()};
                } catch (...) {
                    return detail::unpacking_threw();
                }
        }
        // What fails here is looked at once more, for what to say of it.
        if (detail::reads_one_value<T> && limits.max_nodes > 0) {
            try {
                detail::failure why;
                detail::reader in{whole, detail::views::refused, why};
                result<T> value{std::in_place};
                if (detail::read_value(in, *value) && in.at_end()) return value;
            } catch (...) {
                return detail::unpacking_threw();
            }
        }
    }
    if (auto sound = validate(whole, limits); !sound) return std::move(sound).error();
    detail::failure why;
    detail::reader in{whole, detail::views::refused, why};
    if constexpr (std::is_void_v<T>) {
        if (!in.nil()) return why.as_error();
        return {};
    } else if constexpr (unpackable<T>) {
        try {
            result<T> value{std::in_place};
            if (!detail::read_value(in, *value)) return why.as_error();
            return value;
        } catch (...) {
            return detail::unpacking_threw();
        }
    } else {
        detail::require_packable<detail::purpose::result, T>();
        return errc::internal;
    }
}

template <class... A>
result<std::tuple<A...>> decode_arguments(bytes_view whole, const complexity_limits& limits) {
    constexpr bool are_flat = (true && ... && (unpackable_argument<A> && detail::reads_one_value<A>));
    if constexpr (are_flat) {
        if (limits.max_depth > 0 && limits.max_nodes > sizeof...(A)) {
            try {
                detail::failure why;
                detail::reader in{whole, detail::views::welcome, why};
                result<std::tuple<A...>> values{std::in_place};
                if (detail::read_arguments(in, *values, std::index_sequence_for<A...>{}) && in.at_end()) return values;
            } catch (...) {
                return detail::unpacking_threw();
            }
        }
    }
    if (auto sound = validate(whole, limits); !sound) return std::move(sound).error();
    if constexpr ((unpackable_argument<A> && ...)) {
        detail::failure why;
        detail::reader in{whole, detail::views::welcome, why};
        try {
            result<std::tuple<A...>> values{std::in_place};
            if (!detail::read_arguments(in, *values, std::index_sequence_for<A...>{})) return why.as_error();
            return values;
        } catch (...) {
            return detail::unpacking_threw();
        }
    } else {
        (detail::require_packable<detail::purpose::argument, A>(), ...);
        return errc::internal;
    }
}

}  // namespace futon
