// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What may end a call: the rule only, so that a contract can name it without seeing Asio.
/// `async/token.hpp` says for each kind of token what it accepts and gives back.

#include <type_traits>

namespace futon {

/// The token that stands when none is given: the call returns a `future`.
struct use_future_t {};
inline constexpr use_future_t use_future{};

namespace detail {

/// `accepted`: whether a `Token` can end an operation that yields a `result<R>`.
template <class Token, class R>
struct token_traits;

// A constant, so that the stub's diagnostics end at it.
template <class Token, class R>
inline constexpr bool is_completion_for = token_traits<std::remove_cvref_t<Token>, R>::accepted;

}  // namespace detail

/// A callable with `result<R>`, `futon::oneway`, or any Asio completion token.
template <class Token, class R>
concept completion_for = detail::is_completion_for<Token, R>;

}  // namespace futon
