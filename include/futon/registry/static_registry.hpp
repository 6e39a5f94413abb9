// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry whose lists the program gives, and may replace.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/registry/provider_lists.hpp>
#include <futon/registry/registry_url.hpp>

#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// Lists by service, as they stand in a configuration:
///
///     static_registry{{"Greeter", {"tcp://a:1", "tcp://b:1?weight=50"}}}
///
/// The list of the service "*" is that of all services without one. It takes no registrations, and has no thread:
/// listeners run inside `replace` and `subscribe`. What it tells is authoritative.
/// Thread-safety: safe. Copies share the lists.
class static_registry {
public:
    static constexpr std::string_view scheme = "static";
    using lines = std::vector<std::string>;  ///< Providers as text; see provider_text.hpp.

    static_registry() = default;
    /// Errors: a line that is not a provider throws `rpc_error` with `errc::bad_address`.
    static_registry(std::initializer_list<std::pair<std::string, lines>> lists) {
        for (const auto& [service, texts] : lists) replace(service, parse(texts).value());
    }
    /// For `open_registry`: "static:tcp://a:1,tcp://b:1", for all services.
    [[nodiscard]] static result<static_registry> open(const registry_url& url) {
        // Its '?' and options belong to the providers.
        auto read = parse(registry_url::split(std::string_view{url.text}.substr(scheme.size() + 1)));
        if (!read) return url.fault(read.error().message());
        static_registry made;
        made.replace("*", *std::move(read));
        return made;
    }
    [[nodiscard]] std::string text() const { return "static:"; }

    /// Replaces the list of a service; listeners hear what is new in it.
    void replace(const std::string& service, std::vector<provider> providers) {
        std::vector<std::string> told;
        {
            const std::lock_guard lock{state_->mutex};
            state_->given[service] = std::move(providers);
        }
        // The lists lock after us, never before.
        if (service == "*")
            told = state_->lists.wanted();
        else
            told.push_back(service);
        for (const auto& each : told) tell(each);
    }

    /// Errors: always `errc::permission_denied`, for the lists are given.
    void register_provider(const std::string& service, const provider& who, const registration_done& done) {
        done(error{errc::permission_denied,
                   "a static registry takes no registrations: " + service + " at " + who.address.text(), executed::no});
    }
    void deregister_provider(const std::string&, const endpoint&, const registration_done& done) { done({}); }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        tell(service);
        return state_->lists.subscribe(service, std::move(listener));
    }

private:
    struct state {
        std::mutex mutex;
        std::map<std::string, std::vector<provider>> given;
        provider_lists lists;
    };

    static result<std::vector<provider>> parse(const lines& texts) {
        std::vector<provider> made;
        for (const auto& text : texts) {
            auto one = parse_provider(text);
            if (!one) return std::move(one).error();
            made.push_back(*std::move(one));
        }
        return made;
    }
    void tell(const std::string& service) {
        if (service == "*") return;
        state_->lists.publish(service, [&] {
            const std::lock_guard lock{state_->mutex};
            auto found = state_->given.find(service);
            if (found == state_->given.end()) found = state_->given.find("*");
            service_listing now{.authoritative = true};
            if (found != state_->given.end()) now.providers = found->second;
            return now;
        });
    }

    std::shared_ptr<state> state_ = std::make_shared<state>();
};
static_assert(registry<static_registry>);

}  // namespace futon
