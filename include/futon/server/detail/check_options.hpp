// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no server can be made of, said before it is started.

#include <futon/cluster/provider_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/server/server_options.hpp>

#include <string>

namespace futon::detail {

/// Errors: `bad_arguments`, naming the option. Where it listens is found out by `start`.
[[nodiscard]] inline result<void> check_options(const server_options& options) {
    if (!options.registry) return {};
    auto who = options.advertise;
    // What is not said is filled in later, from where it listens.
    if (who.address.host.empty() && who.address.path.empty()) who.address.host = "localhost";
    if (who.address.path.empty() && who.address.port == 0) who.address.port = 1;
    if (const auto why = provider_fault(who); !why.empty())
        return error{errc::bad_arguments, "server_options: .advertise cannot be registered: " + std::string{why}, executed::no};
    return {};
}

}  // namespace futon::detail
