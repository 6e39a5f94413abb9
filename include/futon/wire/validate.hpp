// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Judges the bytes of a message before any of them becomes a value: no allocation, no recursion.

#include <futon/core/bytes.hpp>
#include <futon/core/result.hpp>
#include <futon/wire/limits.hpp>

namespace futon {

/// Whether `whole` is exactly one well-formed msgpack value within the limits.
///
/// Everything that a length or a count claims is known to be there afterwards, so that decoding may trust counts,
/// and nesting is known to be at most 64, so that decoding a recursive type may recurse.
/// Errors: `bad_arguments` when malformed, cut short or followed by further bytes; `message_too_big` past a limit.
/// Thread-safety: pure.
[[nodiscard]] result<void> validate(bytes_view whole, const complexity_limits& limits = {});

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/wire/detail/validate_bodies.hpp>
#endif
