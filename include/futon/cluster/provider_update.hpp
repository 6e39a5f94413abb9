// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a registry tells of a service: all of its providers, or what changed.

#include <futon/cluster/provider.hpp>
#include <futon/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace futon {

/// A list, or a step from one list to the next. `provider_set` applies it.
///
/// A list always applies, whatever its version: a registry that was started anew counts from the beginning. A step
/// applies only to the list that it starts from (`from`); a registry that cannot tell the steps sends lists.
struct provider_update {
    /// Of the list that this leads to; within one subscription it changes with each update.
    std::uint64_t version = 0;
    std::optional<std::uint64_t> from{};  ///< The version that this step starts from; empty: this is a whole list.
    std::vector<provider> providers{};    ///< All of them; in a step those that are new or have changed.
    std::vector<endpoint> removed{};      ///< In a step: the addresses that are gone.
    std::uint64_t refused = 0;            ///< Entries of the registry that could not be read and are left out.
    std::string fault{};                  ///< The first of these, and why; for the log. Empty: not known.
    /// How long ago it was true, where it comes from a cache; zero: it is true now.
    duration age{};
    bool authoritative = false;  ///< It is surely meant: an empty or much smaller list counts at once.
    /// What an operator set for the calls of this service, e.g. "timeout"; empty: as before, or not known.
    std::optional<metadata> settings{};

    [[nodiscard]] bool is_full() const noexcept { return !from.has_value(); }
};

}  // namespace futon
