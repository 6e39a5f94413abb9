// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a DNS registry can be told.

#include <futon/cluster/provider.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace futon {

/// Finds the providers behind a name: `port` is 0 for a name of
/// SRV records. Called on the registry's thread; may block.
using name_resolver = std::function<result<std::vector<provider>>(const std::string& name, std::uint16_t port)>;

struct dns_registry_options {
    /// From one question to the next, give or take a fifth, so that clients spread out.
    duration interval = std::chrono::seconds{10};
    /// "address:port" to ask for SRV records; empty: those of /etc/resolv.conf. A and AAAA always ask the system.
    std::string server{};
    /// Instead of the system's.
    name_resolver resolver{};
};

}  // namespace futon
