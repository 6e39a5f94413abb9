// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Other RPC frameworks as sides of a comparison, each by its natural asynchronous interface with its best settings:
/// one thread for each side where it can be had, and no delay of small packets.

#include "../support/options.hpp"
#include "../support/side.hpp"

#include <string_view>
#include <vector>

namespace benchmark {

struct peer {
    side what;
    std::string_view remarks;  ///< What it cannot do here, and how it was driven.
};

[[nodiscard]] peer grpc_peer();
[[nodiscard]] peer capnp_peer();
[[nodiscard]] peer thrift_peer();

/// Measures each beside the raw Asio floor and prints a table; what `main` returns.
[[nodiscard]] int run_peers(const options& with, const std::vector<peer>& peers);

}  // namespace benchmark
