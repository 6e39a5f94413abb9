// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How far a client believes a registry that has lost providers; `provider_set` obeys it.

#include <futon/core/time.hpp>

#include <chrono>
#include <cstddef>

namespace futon {

/// When a list that has become empty, or much shorter, is not believed at once. A registry that lost its memory, or
/// that providers cannot reach, tells such lists while the providers are well.
struct provider_protection {
    /// A greater part gone within `window` is not believed. 1: only an empty list is not.
    double largest_loss = 0.5;
    /// Lists that had fewer providers than this are believed, unless they are empty now.
    std::size_t least = 3;
    /// Losses add up this long, so that many small steps count as one.
    duration window = std::chrono::seconds{10};
    /// How long those that are missing stay, as suspects. Zero: not at all.
    duration patience = std::chrono::minutes{5};
    /// Providers past this number are refused.
    std::size_t most = 200'000;
};

}  // namespace futon
