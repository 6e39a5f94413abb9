// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Warm-up: the share of a new provider grows over the time that it asks for.

#include <futon/cluster/health_options.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>

namespace futon {

inline double warm_up_ramp::factor(const node& n, time_point now) const noexcept {
    const auto window = n.told.warm_up;
    if (window <= duration::zero() || n.first_seen == time_point{}) return 1;
    const auto gone = now - n.first_seen;
    if (gone >= window) return 1;
    const auto part = std::chrono::duration<double>(gone) / std::chrono::duration<double>(window);
    return std::max(least, part);
}

}  // namespace futon
