// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What comes back for a call, still encoded.

#include <futon/core/bytes.hpp>
#include <futon/message/metadata.hpp>

namespace futon {

struct complexity_limits;

/// A successful reply. Lifetime: the body is valid while the function that received it runs.
struct response {
    bytes_view body;                                ///< One msgpack value.
    const metadata* headers = nullptr;              ///< What the server sent beside it; null if nothing.
    const complexity_limits* complexity = nullptr;  ///< How intricate the value may be; null: the defaults.
};

}  // namespace futon
