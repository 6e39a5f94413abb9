// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How busy a provider says that it is.

#include <futon/core/time.hpp>

#include <cstdint>

namespace futon {

/// What a server answers when it is asked for its load (probed). On the wire rates are whole numbers, and the
/// utilisation is in thousandths.
struct load_report {
    std::uint32_t in_flight = 0;  ///< Requests it works on or has queued, from all clients.
    duration latency{};           ///< What a request took there lately at about this load. Zero: not said.
    float utilisation = 0;        ///< Of its scarcest resource, 1 for all of it; may exceed 1. Zero: not said.
    float qps = 0;                ///< Requests per second that it answers. Zero: not said.
    float eps = 0;                ///< Failed requests per second, of these.

    friend bool operator==(const load_report&, const load_report&) = default;
};

}  // namespace futon
