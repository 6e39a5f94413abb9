// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a ZooKeeper registry can be told.

#include <futon/core/time.hpp>

#include <chrono>
#include <string>

namespace futon {

struct zookeeper_registry_options {
    /// "host:port,host:port": of one ensemble.
    std::string servers = "127.0.0.1:2181";
    /// Before "/sofa-rpc", e.g. "/root"; made if it is not there.
    std::string root{};
    /// A killed provider vanishes after this; the server has its own bounds.
    duration session = std::chrono::seconds{10};
    /// Without a connection for this long it is an error; it goes on trying.
    duration timeout = std::chrono::seconds{3};
    /// Longest pause after a failure; each is drawn anew, so that clients spread out.
    duration retry = std::chrono::seconds{1};
    /// This client's address, for which `overrides` nodes are heeded; empty: none are.
    std::string consumer_host{};
};

}  // namespace futon
