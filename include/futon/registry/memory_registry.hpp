// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry within one process: for tests, for examples, and for programs that hold both sides.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/registry/provider_lists.hpp>
#include <futon/registry/registry_url.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// Copies share the lists. What it tells is authoritative: nobody else can lose them.
///
/// It has no thread: listeners run inside `register_provider`, `deregister_provider` and `subscribe`.
/// Thread-safety: safe.
class memory_registry {
public:
    static constexpr std::string_view scheme = "memory";

    /// For `open_registry`: "memory:". Each has lists of its own.
    [[nodiscard]] static result<memory_registry> open(const registry_url& url) {
        if (!url.rest.empty()) return url.fault("it takes no address");
        return memory_registry{};
    }
    [[nodiscard]] std::string text() const { return "memory:"; }

    void register_provider(const std::string& service, const provider& who, const registration_done& done) {
        if (const auto why = provider_fault(who); !why.empty())
            return done(error{errc::bad_address, "a provider cannot be registered: " + std::string{why}, executed::no});
        lists_.publish_step(service, {who}, {}, true);
        done({});
    }
    void deregister_provider(const std::string& service, const endpoint& address, const registration_done& done) {
        lists_.publish_step(service, {}, {address}, true);
        done({});
    }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        // Makes it known that there is none.
        lists_.publish_step(service, {}, {}, true);
        return lists_.subscribe(service, std::move(listener));
    }

private:
    provider_lists lists_;
};
static_assert(registry<memory_registry>);

}  // namespace futon
