// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no client can know: the state of the servers of a simulated cluster at this very moment.

#include <futon/cluster/node.hpp>

#include <cstdint>
#include <vector>

namespace futon::testing {

/// Given to policies of a simulation that have a member `void see(const cluster_truth&)`: yardsticks for those that
/// have to guess.
///
/// Lifetime: until the simulation ends.
struct cluster_truth {
    std::vector<std::uint32_t> in_flight{};  ///< Requests sent to server i that it has not worked off.
    std::vector<double> slowness{};          ///< How many times the mean demand a call takes at server i now.
    std::vector<std::uint8_t> up{};          ///< Whether server i runs.

    /// The number of a node's server.
    [[nodiscard]] static std::size_t server(const node& n) noexcept { return n.told.address.port - 1u; }
};

}  // namespace futon::testing
