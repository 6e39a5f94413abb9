// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The signature of a method as text in wire shapes, and whether two of them can talk to each other.

#include <futon/wire/detail/signature_match.hpp>
#include <futon/wire/detail/signature_text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace futon {

/// What `signature_of` never exceeds and `compatible` never accepts more of.
inline constexpr std::size_t longest_signature = 2048;

/// The signature of a method that returns `R` and takes `A...`, e.g. "(str,i32)->[str,i32]".
///
/// Scalars: `nil` (also for void), `bool`, `i8` to `i64`, `u8` to `u64` (an enum is its integer), `f32`, `f64`,
/// `str`, `bin`, `duration`, `time`. Compounds: `list<T>` (sequences and sets), `map<K,V>`, `array<N,T>`, `opt<T>`
/// (also the smart pointers), `one<A,B>` (variants), `(A,B)` (tuples and the arguments), `[A,B]` (structs packed as
/// arrays), `{name:A,other:B}` (structs packed as maps; what is not alphanumeric or `_` in a name is `%` and two hex
/// digits). A struct inside itself is `^n`, n counting the structs outwards to it.
/// `*A` (of `item_stream<A>`) is a stream of items: as a parameter, or as the result, where `;B` may follow for a final
/// result that is not nil (of `item_stream<A, B>`).
/// `?` stands for anything: for types with an adaptor of their own, and for the deepest levels of a text that
/// would exceed 2048 bytes.
template <class R, class... A>
[[nodiscard]] std::string signature_of();

/// Stands in `signature_of` for a stream of `T`, as a parameter, or as a result that ends with an `R`.
template <class T, class R = void>
struct item_stream;

/// Whether a caller and a method with these signatures understand each other, in both directions.
///
/// Kinds must be equal, except that integers of all widths are, and floats. A struct may be
/// a prefix of the other, a named struct must agree only on the names that both have,
/// arguments and tuples must agree exactly. `?` agrees with anything but a stream. Text that
/// is malformed, nested deeper than 64 or longer than 2048 bytes is compatible with nothing.
/// Thread-safety: pure; safe on any text.
[[nodiscard]] constexpr bool compatible(std::string_view theirs, std::string_view ours) noexcept {
    constexpr std::size_t deepest = 64;
    if (theirs.size() > longest_signature || ours.size() > longest_signature) return false;
    using match = detail::signature_match;
    detail::signature_cursor a{theirs};
    detail::signature_cursor b{ours};
    return match::parameters(a, b, deepest) && a.take("->") && b.take("->") && match::result(a, b, deepest) &&
           a.at_end() && b.at_end();
}

namespace detail {

// A void result has no shape of its own.
template <class T>
using spelled_as = std::conditional_t<std::is_void_v<T>, std::monostate, std::remove_cvref_t<T>>;

template <class T>
struct top_level_speller {
    static void spell_to(signature_text& to) { spell<spelled_as<T>>(to); }
};
template <class T, class R>
struct top_level_speller<item_stream<T, R>> {
    static void spell_to(signature_text& to) {
        to.add("*");
        spell<std::remove_cvref_t<T>>(to);
        if constexpr (!std::is_void_v<R>) {
            to.add(";");
            spell<std::remove_cvref_t<R>>(to);
        }
    }
};

}  // namespace detail

template <class R, class... A>
std::string signature_of() {
    for (std::size_t depth = 32;; depth = depth > 8 ? depth / 2 : depth - 1) {
        detail::signature_text to{.most_bytes = longest_signature, .depth_left = depth};
        std::size_t index = 0;
        to.add("(");
        ((to.add_separated(index++), detail::top_level_speller<std::remove_cvref_t<A>>::spell_to(to)), ...);
        to.add(")->");
        detail::top_level_speller<std::remove_cvref_t<R>>::spell_to(to);
        // At depth 0 each type is a few bytes: nothing shorter can be said.
        if (!to.full() || depth == 0) return std::move(to.text);
    }
}

}  // namespace futon
