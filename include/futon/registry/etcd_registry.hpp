// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry in etcd, by its JSON gateway (v3, etcd 3.4 and newer). Opt-in: the CMake target futon::etcd, which needs
/// libcurl and nlohmann-json.

#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/etcd_registry_core.hpp>
#include <futon/registry/detail/running_core.hpp>
#include <futon/registry/etcd_registry_options.hpp>
#include <futon/registry/registry_url.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// What a process registers stands under one lease, which is kept alive; it is registered again where etcd lost it. A
/// service is listed and then watched from the list's revision on; after any failure it is listed again, so that
/// neither compaction nor a server without its memory is a special case.
///
/// One thread, which its last copy joins after giving the lease back; listeners run there, or inside `subscribe`.
/// Thread-safety: safe. Copies share all.
class etcd_registry : public detail::registry_of_core<detail::etcd_registry_core> {
public:
    static constexpr std::string_view scheme = "etcd";

    explicit etcd_registry(etcd_registry_options options)
        : registry_of_core{detail::etcd_registry_core::make(std::move(options))} {}
    /// For `open_registry`: "etcd://10.0.0.1:2379,10.0.0.2:2379/prefix?lease=10s&user=u&password=p". With TLS if "ca"
    /// is given, "system" for what the system trusts:
    /// "etcd://etcd-1:2379?ca=/etc/ca.pem&certificate=/etc/me.pem&key=/etc/me.key".
    [[nodiscard]] static result<etcd_registry> open(const registry_url& url) {
        if (auto known = url.knows_only({"lease", "timeout", "retry", "user", "password", "ca", "certificate", "key"});
            !known)
            return std::move(known).error();
        etcd_registry_options options;
        const auto slash = url.rest.find('/');
        options.servers.clear();
        const auto ca = url.options.get("ca");
        options.tls.ca_file = ca && *ca != "system" ? std::string{*ca} : std::string{};
        options.tls.certificate_file = url.options.get("certificate").value_or("");
        options.tls.key_file = url.options.get("key").value_or("");
        if (!ca && !(options.tls.certificate_file + options.tls.key_file).empty())
            return url.fault("a certificate needs 'ca', which asks for TLS");
        for (const auto& each : registry_url::split(std::string_view{url.rest}.substr(0, slash))) {
            const auto at = endpoint::parse(each);
            if (!at || at->scheme != "tcp" || at->port == 0) return url.fault("'" + each + "' is not host:port");
            options.servers.push_back((ca ? "https://" : "http://") + at->text().substr(6));
        }
        if (slash != url.rest.npos && slash + 1 < url.rest.size()) options.prefix = url.rest.substr(slash);
        for (auto [name, into] :
             {std::pair{"lease", &options.lease}, {"timeout", &options.timeout}, {"retry", &options.retry}}) {
            const auto read = url.time(name, *into);
            if (!read) return read.error();
            *into = *read;
        }
        options.user = url.options.get("user").value_or("");
        options.password = url.options.get("password").value_or("");
        return etcd_registry{std::move(options)};
    }
    [[nodiscard]] std::string text() const {
        return "etcd at " + core().options().servers.front() + core().options().prefix;
    }
};
static_assert(registry<etcd_registry>);

}  // namespace futon
