// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When a call that is slow is made once more, beside itself.

#include <futon/core/time.hpp>

namespace futon {

/// For `.hedge = {.max_attempts = 2}`: while an attempt has not been answered for `delay`, another one begins at a
/// provider that the call has not tried. The first answer counts, the others are cancelled at their servers.
///
/// Only calls of `idempotent` methods without streams are hedged (asked for others it is a warning, once), where there
/// is another provider, and within the channel's `attempt_budget`, which hedges share with retries. Hedges count among
/// `retry.max_attempts`, which bounds all attempts of a call: 1 there turns hedging off. All attempts share the call's
/// deadline.
struct hedging {
    /// At once, the first included; 1 or less turns hedging off.
    int max_attempts = 1;
    /// Since the last attempt began. Zero: the 95th percentile of
    /// what calls of the method took lately, see `hedge_delay`.
    duration delay{};

    friend constexpr bool operator==(const hedging&, const hedging&) = default;
};

}  // namespace futon
