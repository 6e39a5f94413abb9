// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where servers say that they are there, and clients learn of it: the concept of a registry, and a handle to any.

#include <futon/cluster/provider.hpp>
#include <futon/cluster/provider_update.hpp>
#include <futon/cluster/subscription.hpp>
#include <futon/core/result.hpp>
#include <futon/message/endpoint.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace futon {

/// Hears how a registration ended, exactly once, on any thread,
/// perhaps before the function that it was given to returns.
using registration_done = std::function<void(result<void>)>;

/// Hears of a service's providers: first a whole list, or an error where there is none to be had now; then each change.
///
/// Called on any thread, perhaps inside `subscribe`, for one subscription by one thread at a time and in order. It must
/// not block for long; it may call the registry. An error says that the registry cannot be read now, once each
/// time that this begins: the list that was known stays as it is, and the registry goes on trying.
using provider_listener = std::function<void(result<provider_update>)>;

/// What a registry does. A service is named in full, as on the wire: "name", "name:version" or
/// "name:version:unique_id".
///
/// - `register_provider` publishes a provider, in place of what the same address had published. It stays published
///   until it is deregistered or the process ends, whatever becomes of the registry meanwhile: it keeps leases alive
///   and publishes again to a registry that was started anew. Where the first attempt fails with `cond::unavailable`,
///   `done` hears of it and further attempts follow.
/// - `deregister_provider` takes it back; one that is not there is no error.
/// - `subscribe` calls the listener as `provider_listener` says, until the subscription ends. A service that nobody
///   provides has an empty list. Where it throws, a client calls it again after a pause.
///
/// `std::string text() const`, where there is one, names the registry in messages, e.g. by its URL.
/// Thread-safety: safe.
template <class R>
concept registry = requires(R& where, const std::string& service, const provider& who, const endpoint& address,
                            registration_done done, provider_listener listener) {
    where.register_provider(service, who, done);
    where.deregister_provider(service, address, done);
    { where.subscribe(service, listener) } -> std::same_as<subscription>;
};

/// A registry of any kind: a shared handle, cheap to copy. What `client_options` and `server_options` hold.
///
/// Lifetime: the registry ends with its last handle; that may wait for a listener which runs on another thread, so let
/// it go under no lock that a listener takes.
/// Thread-safety: safe.
class any_registry {
public:
    any_registry() = default;  ///< None.
    template <registry R>
        requires(!std::same_as<R, any_registry>)
    any_registry(R where) : any_registry{std::make_shared<R>(std::move(where))} {}
    /// Shares one that cannot be copied.
    template <registry R>
    any_registry(std::shared_ptr<R> where) : held_{where ? std::make_shared<holder<R>>(std::move(where)) : nullptr} {}

    explicit operator bool() const noexcept { return held_ != nullptr; }

    void register_provider(const std::string& service, const provider& who, registration_done done) {
        held_->register_provider(service, who, std::move(done));
    }
    void deregister_provider(const std::string& service, const endpoint& address, registration_done done) {
        held_->deregister_provider(service, address, std::move(done));
    }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        return held_->subscribe(service, std::move(listener));
    }
    /// Its name for messages.
    [[nodiscard]] std::string text() const { return held_ ? held_->text() : "no registry"; }

private:
    struct interface {
        virtual ~interface() = default;
        virtual void register_provider(const std::string& service, const provider& who, registration_done done) = 0;
        virtual void deregister_provider(const std::string& service, const endpoint& address,
                                         registration_done done) = 0;
        virtual subscription subscribe(const std::string& service, provider_listener listener) = 0;
        virtual std::string text() const = 0;
    };
    template <class R>
    struct holder final : interface {
        explicit holder(std::shared_ptr<R> shared) : where{std::move(shared)} {}
        void register_provider(const std::string& service, const provider& who, registration_done done) override {
            where->register_provider(service, who, std::move(done));
        }
        void deregister_provider(const std::string& service, const endpoint& address, registration_done done) override {
            where->deregister_provider(service, address, std::move(done));
        }
        subscription subscribe(const std::string& service, provider_listener listener) override {
            return where->subscribe(service, std::move(listener));
        }
        std::string text() const override {
            if constexpr (requires { std::string{where->text()}; })
                return std::string{where->text()};
            else
                return "the registry";
        }
        std::shared_ptr<R> where;
    };

    std::shared_ptr<interface> held_;
};
static_assert(registry<any_registry>);

}  // namespace futon
