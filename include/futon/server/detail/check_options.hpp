// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no server can be made of, said before it is started.

#include <futon/cluster/provider_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/negative_time.hpp>
#include <futon/core/result.hpp>
#include <futon/server/server_options.hpp>

#include <string>

namespace futon::detail {

/// Errors: `bad_arguments`, naming the option. Where it listens is found out by `start`.
[[nodiscard]] inline result<void> check_options(const server_options& options) {
    const auto bad = [](const std::string& why) {
        return error{errc::bad_arguments, "server_options: " + why, executed::no};
    };
    if (options.timeout <= duration::zero())
        return bad(".timeout must be more than zero; futon::duration::max() is no deadline");
    if (const auto why = negative_time({{".drain_time", options.drain_time}, {".slow_handler", options.slow_handler}});
        !why.empty())
        return bad(why);
    if (const auto why = limits_fault(options.limits); !why.empty()) return bad(why);
    if (!options.registry) {
        if (options.advertise == provider{}) return {};
        return bad(".advertise says how a registry describes the server, and there is no .registry");
    }
    auto who = options.advertise;
    // What is not said is filled in later, from where it listens.
    if (who.address.host.empty() && who.address.path.empty()) who.address.host = "localhost";
    if (who.address.path.empty() && who.address.port == 0) who.address.port = 1;
    if (const auto why = provider_fault(who); !why.empty())
        return bad(".advertise cannot be registered: " + std::string{why});
    return {};
}

}  // namespace futon::detail
