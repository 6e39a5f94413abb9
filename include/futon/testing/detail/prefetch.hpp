// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Memory that will be needed soon: a hundred clients know more servers than the processor keeps at hand.

namespace futon::detail {

/// Has the processor fetch the cache line of `at` meanwhile.
inline void prefetch(const void* at) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(at);
#else
    static_cast<void>(at);
#endif
}

}  // namespace futon::detail
