// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which process this is: a child of fork() has what its parent made, without the threads that run it.

#include <cstdint>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace futon::detail {

/// A number that a child does not share with its parent; always the same where there is no fork().
[[nodiscard]] inline std::int64_t this_process() noexcept {
#if __has_include(<unistd.h>)
    return ::getpid();
#else
    return 0;
#endif
}

}  // namespace futon::detail
