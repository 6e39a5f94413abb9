// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an etcd registry can be told.

#include <futon/core/time.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace futon {

struct etcd_registry_options {
    std::vector<std::string> servers{"http://127.0.0.1:2379"};  ///< Of one cluster. Where one fails the next is asked.
    std::string prefix = "/futon";  ///< Providers are at PREFIX/SERVICE/ADDRESS, what an operator set at PREFIX/SERVICE/settings.
    duration lease = std::chrono::seconds{10};   ///< A killed provider vanishes after this; kept alive three times as often. etcd makes it 2 s or more.
    duration timeout = std::chrono::seconds{3};  ///< Of one request.
    duration retry = std::chrono::seconds{1};    ///< Longest pause after a failure; each is drawn anew, so that clients spread out.
    duration resync = std::chrono::seconds{30};  ///< The whole list is read again so often, give or take a fifth.
    std::string user{};      ///< Empty: without authentication.
    std::string password{};
};

}  // namespace futon
