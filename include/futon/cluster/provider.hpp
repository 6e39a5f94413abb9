// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One place where a service can be called, and what is known of it.

#include <futon/core/time.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/message/metadata.hpp>

#include <cstdint>
#include <string>

namespace futon {

/// What a server publishes of itself for a service, and what clients choose by. Its address is its identity:
/// publishing the same address again replaces what was known of it.
struct provider {
    /// Its scheme is the protocol, e.g. "tcp" or "bolt".
    endpoint address{};
    /// Its share of the calls, relative to the others'. 0: drained, it gets no new ones.
    std::uint32_t weight = 100;
    /// Where it stands, e.g. "eu-1a". Empty: not said.
    std::string zone{};
    /// Of the program that runs there, e.g. "1.4", for routers; that of the service is a part of its name. Empty: not
    /// said.
    std::string version{};
    /// A name that routers choose by, e.g. "canary": calls that name none go elsewhere, if they can. Empty: none.
    std::string group{};
    /// How long its share grows to the full weight, from when a client first sees it. Zero: at once.
    duration warm_up{};
    /// Whatever else routers choose by.
    metadata tags{};

    friend bool operator==(const provider&, const provider&) = default;
};

}  // namespace futon
