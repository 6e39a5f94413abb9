// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Addresses as keys of hash tables.

#include <futon/message/endpoint.hpp>

#include <cstddef>
#include <functional>
#include <string_view>

namespace futon::detail {

struct endpoint_hash {
    [[nodiscard]] std::size_t operator()(const endpoint& address) const noexcept {
        const std::hash<std::string_view> hash;
        // One of host and path is empty, and schemes hardly differ within a list.
        return hash(address.host.empty() ? address.path : address.host) * 0x9e3779b97f4a7c15u + address.port;
    }
    [[nodiscard]] std::size_t operator()(const endpoint* address) const noexcept { return (*this)(*address); }
};

}  // namespace futon::detail
