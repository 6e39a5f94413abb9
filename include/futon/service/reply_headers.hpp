// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a caller gets the metadata that came with the answer.

#include <futon/async/token.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/message/metadata.hpp>
#include <futon/service/method.hpp>

#include <new>
#include <type_traits>
#include <utility>

namespace futon {

/// The answer of a call, and the metadata that came with it.
template <class T>
struct replied {
    T value;
    metadata headers{};  ///< What the handler set in `call_context::reply_headers()`; as a rule empty.

    friend bool operator==(const replied&, const replied&) = default;
};
template <>
struct replied<void> {
    metadata headers{};

    friend bool operator==(const replied&, const replied&) = default;
};

namespace detail {

/// Ends a call of an `R` as `token` ends one of a `replied<R>`.
template <class Token>
struct headers_token {
    Token token;
};

template <class Token, class R>
struct token_traits<headers_token<Token>, R> : token_traits<Token, replied<R>> {};
template <class R>
struct token_traits<headers_token<oneway_t>, R> {
    static constexpr bool accepted = false;
};
template <class Token>
inline constexpr bool takes_headers<headers_token<Token>> = true;

template <class R>
[[nodiscard]] result<replied<R>> beside_headers(result<R>&& answer, const metadata* headers) noexcept {
    if (!answer) return unexpected{std::move(answer).error()};
    try {
        auto copy = headers ? *headers : metadata{};
        if constexpr (std::is_void_v<R>) {
            return replied<void>{std::move(copy)};
        } else {
            return replied<R>{*std::move(answer), std::move(copy)};
        }
    } catch (const std::bad_alloc&) {
        return error{errc::resource_exhausted, executed::yes};
    }
}

}  // namespace detail

/// As the last argument of a call: it yields a `replied<R>` in place of the method's own `R`, in a future or as
/// `token` says. `greeter.greet("ann", futon::with_reply_headers())` is a `future<replied<std::string>>`;
/// `with_reply_headers(callback)` takes a callback of a `result<replied<std::string>>`, `with_reply_headers(token)`
/// any other token, those of `throwing` and `ec_first` included.
///
/// A failure has no metadata: what belongs to one is said by `futon::failure`. Nor has a call that returns a stream, a
/// one-way call, or an answer that a client filter gave.
/// Cost: a copy of the metadata; of other calls, nothing.
template <class Token = use_future_t>
[[nodiscard]] constexpr auto with_reply_headers(Token&& token = {}) {
    return detail::headers_token<std::decay_t<Token>>{std::forward<Token>(token)};
}

}  // namespace futon
