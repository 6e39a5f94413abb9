// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry in ZooKeeper, in the layout of SOFARPC, so that each sees the other's providers. Opt-in: the CMake target
/// futon::zookeeper, which needs ZooKeeper's C client.

#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/running_core.hpp>
#include <futon/registry/detail/zookeeper_registry_core.hpp>
#include <futon/registry/registry_url.hpp>
#include <futon/registry/zookeeper_registry_options.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// Providers are ephemeral nodes `ROOT/sofa-rpc/INTERFACE/providers/URL` (see sofa_url.hpp). A service sees those whose
/// version and unique id are its own: ask for "com.example.HelloService:1.0" to see what SOFARPC publishes by default.
/// Nodes below `configs`, and of `overrides` those for `consumer_host`, become settings.
///
/// A session that has expired is begun anew, and all is registered again.
/// One thread, which its last copy joins, besides the two of the C client; listeners run there, or inside `subscribe`.
/// Thread-safety: safe. Copies share all.
class zookeeper_registry : public detail::registry_of_core<detail::zookeeper_registry_core> {
public:
    static constexpr std::string_view scheme = "zookeeper";

    explicit zookeeper_registry(zookeeper_registry_options options)
        : registry_of_core{detail::zookeeper_registry_core::make(std::move(options))} {}
    /// For `open_registry`: "zookeeper://10.0.0.1:2181,10.0.0.2:2181/root?session=10s".
    [[nodiscard]] static result<zookeeper_registry> open(const registry_url& url) {
        if (auto known = url.knows_only({"session", "timeout", "retry", "consumer_host"}); !known)
            return std::move(known).error();
        zookeeper_registry_options options;
        const auto slash = url.rest.find('/');
        options.servers = url.rest.substr(0, slash);
        for (const auto& each : registry_url::split(options.servers))
            if (const auto at = endpoint::parse(each); !at || at->scheme != "tcp" || at->port == 0)
                return url.fault("'" + each + "' is not host:port");
        if (slash != url.rest.npos && slash + 1 < url.rest.size()) options.root = url.rest.substr(slash);
        if (options.root.ends_with('/')) return url.fault("the root must not end with '/'");
        for (auto [name, into] :
             {std::pair{"session", &options.session}, {"timeout", &options.timeout}, {"retry", &options.retry}}) {
            const auto read = url.time(name, *into);
            if (!read) return read.error();
            *into = *read;
        }
        options.consumer_host = url.options.get("consumer_host").value_or("");
        return zookeeper_registry{std::move(options)};
    }
    [[nodiscard]] std::string text() const {
        return "zookeeper at " + core().options().servers + core().options().root;
    }
};
static_assert(registry<zookeeper_registry>);

}  // namespace futon
