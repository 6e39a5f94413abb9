// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which of a service's providers a call may go to.

#include <futon/message/metadata.hpp>

#include <string>

namespace futon {

/// What a call says about where it wants to go. Calls with equal routes share one narrowed set of nodes, so put in only
/// what routers look at: a request id in `tags` would make a set for each call.
struct route {
    std::string address{};  ///< Of one provider, e.g. "tcp://10.0.0.7:12200": that one and no other. Empty: any.
    std::string version{};  ///< Of the provider, see `version_router`. Empty: any.
    std::string group{};    ///< Empty: none, or any where all providers have one.
    metadata tags{};        ///< For `tag_router` and routers of your own.

    [[nodiscard]] bool empty() const noexcept {
        return address.empty() && version.empty() && group.empty() && tags.empty();
    }
    friend bool operator==(const route&, const route&) = default;
};

}  // namespace futon
