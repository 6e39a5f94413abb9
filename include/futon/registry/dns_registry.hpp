// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry that asks DNS: the addresses of a name (A, AAAA), or the hosts and ports of a service (SRV).

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/dns_registry_core.hpp>
#include <futon/registry/detail/running_core.hpp>
#include <futon/registry/dns_registry_options.hpp>
#include <futon/registry/provider_lists.hpp>
#include <futon/registry/registry_url.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// `dns_registry{"greeter.example.com:12200"}`: each address of the name is a provider. `{"_futon._tcp.example.com"}`,
/// with an underscore first, asks for SRV records: of those with the lowest priority each is a provider, with its
/// weight. "{service}" in the name stands for the service's own, up to its version.
///
/// It asks again every `interval`, since the system's resolver does not tell how long an answer holds. A name that does
/// not exist is an empty list; a server that does not answer is an error. It takes no registrations: those are made
/// where the names are kept.
/// One thread, which its last copy joins: that may take as long as the system's resolver tries.
/// Thread-safety: safe. Copies share all.
class dns_registry {
public:
    static constexpr std::string_view scheme = "dns";

    explicit dns_registry(std::string name, dns_registry_options options = {})
        : shared_{std::make_shared<detail::running_core<core>>(core::make(std::move(name), std::move(options)))} {}
    /// For `open_registry`: "dns:greeter.example.com:12200?interval=10s",
    /// "dns:_futon._tcp.example.com?server=127.0.0.1:53".
    [[nodiscard]] static result<dns_registry> open(const registry_url& url) {
        if (auto known = url.knows_only({"interval", "server"}); !known) return std::move(known).error();
        dns_registry_options options;
        const auto interval = url.time("interval", options.interval);
        if (!interval) return interval.error();
        options.interval = *interval;
        options.server = url.options.get("server").value_or("");
        if (auto fit = detail::dns_question::parse(url.rest, "s"); !fit) return url.fault(fit.error().message());
        return dns_registry{url.rest, std::move(options)};
    }
    [[nodiscard]] std::string text() const { return "dns:" + shared_->core().name(); }

    /// Errors: always `errc::permission_denied`.
    void register_provider(const std::string& service, const provider& who, const registration_done& done) {
        done(error{errc::permission_denied, "dns takes no registrations: " + service + " at " + who.address.text(),
                   executed::no});
    }
    void deregister_provider(const std::string&, const endpoint&, const registration_done& done) { done({}); }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        return shared_->subscribe(service, std::move(listener));
    }

private:
    using core = detail::dns_registry_core;

    std::shared_ptr<detail::running_core<core>> shared_;
};
static_assert(registry<dns_registry>);

}  // namespace futon
