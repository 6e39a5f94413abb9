// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A channel's ear at its registry.

#include <futon/cluster/registry.hpp>
#include <futon/cluster/subscription.hpp>

#include <mutex>
#include <string>
#include <utility>

namespace futon::detail {

/// Thread-safety: safe. Its lock may be taken again by a listener that is called inside `begin` or `refresh`.
class supply {
public:
    void begin(any_registry where, const std::string& service, provider_listener listener) {
        const std::lock_guard lock{mutex_};
        registry_ = std::move(where);
        service_ = service;
        listener_ = std::move(listener);
        subscription_ = registry_.subscribe(service_, listener_);
    }
    /// Asks for the whole list again, after a step was missed.
    void refresh() {
        const std::lock_guard lock{mutex_};
        if (!subscription_ || subscription_.refresh()) return;
        subscription_ = registry_.subscribe(service_, listener_);
    }
    /// For good.
    void end() noexcept {
        subscription ended;
        provider_listener unheard;
        any_registry left;
        {
            const std::lock_guard lock{mutex_};
            ended = std::move(subscription_);
            unheard = std::exchange(listener_, nullptr);
            left = std::exchange(registry_, any_registry{});
        }
    }

private:
    std::recursive_mutex mutex_;
    any_registry registry_;
    std::string service_;
    provider_listener listener_;
    subscription subscription_;
};

}  // namespace futon::detail
