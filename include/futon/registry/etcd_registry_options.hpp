// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an etcd registry can be told.

#include <futon/core/time.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace futon {

/// How the servers at "https://" addresses show who they are, and how this process does. Files are PEM; a file that
/// cannot be read is an error of every request, which names it.
struct etcd_tls_options {
    /// Whose certificates are believed. Empty: those of the system.
    std::string ca_file{};
    /// Of this process, for servers that ask for one. Empty: none.
    std::string certificate_file{};
    /// Of that certificate. Empty: it is in the same file.
    std::string key_file{};
    /// The certificate must be for the host of the address. False: any that `ca_file` vouches for.
    bool verify_name = true;
};

struct etcd_registry_options {
    /// Of one cluster. Where one fails the next is asked. "https://" ones are spoken to by TLS 1.2 or newer.
    std::vector<std::string> servers{"http://127.0.0.1:2379"};
    /// Providers are at PREFIX/SERVICE/ADDRESS, what an operator set at PREFIX/SERVICE/settings.
    std::string prefix = "/futon";
    /// A killed provider vanishes after this; kept alive three times as often. etcd makes it 2 s or more.
    duration lease = std::chrono::seconds{10};
    duration timeout = std::chrono::seconds{3};  ///< Of one request.
    /// Longest pause after a failure; each is drawn anew, so that clients spread out.
    duration retry = std::chrono::seconds{1};
    duration resync = std::chrono::seconds{30};  ///< The whole list is read again so often, give or take a fifth.
    std::string user{};                          ///< Empty: without authentication.
    std::string password{};                      ///< Of `user`.
    etcd_tls_options tls{};                      ///< For "https://" servers.
};

}  // namespace futon
