// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The channels of one client: one for all services where it has
/// a list of endpoints, one for each where it has a registry.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/client/detail/channel.hpp>
#include <futon/client/detail/client_offer.hpp>
#include <futon/core/runtime.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Thread-safety: safe.
class channels {
public:
    using list = std::vector<intrusive_ptr<channel>>;

    channels(client_options how, intrusive_ptr<runtime_state> runtime)
        : options_{std::make_shared<const client_options>(std::move(how))},
          runtime_{std::move(runtime)},
          offered_{
              make_intrusive<client_offer>(serving_rules{.bounds = options_->limits}, runtime_->shared_reports())} {
        if (options_->registry) return;
        const auto only = open_locked({});
        only->feed().set_endpoints(options_->endpoints);
        if (const auto& source = options_->source)
            source([only](const endpoints& known) {
                if (!known.empty()) only->feed().set_endpoints(known);
            });
    }

    /// The one that calls of a service go through. Made when it is first asked for.
    [[nodiscard]] intrusive_ptr<channel> find(const std::string& service) {
        intrusive_ptr<channel> made;
        {
            const std::lock_guard lock{mutex_};
            const auto found = open_.find(options_->registry ? service : std::string{});
            if (found != open_.end()) return found->second;
            made = open_locked(service);
            made->feed().expect(options_->registry, service);
            made->set_rules(rules_);
            if (closed_) made->close();
        }
        // Without the lock: the registry may answer at once, and others wait for what it says in any case.
        made->feed().look_up(options_->registry, service);
        return made;
    }
    [[nodiscard]] list all() const {
        const std::lock_guard lock{mutex_};
        list every;
        for (const auto& [unused, each] : open_) every.push_back(each);
        return every;
    }
    void set_rules(const call_rules& rules) {
        {
            const std::lock_guard lock{mutex_};
            rules_ = rules;
        }
        for (const auto& each : all()) each->set_rules(rules);
    }
    void close() noexcept {
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
        }
        for (const auto& each : all()) each->close();
    }

    [[nodiscard]] client_stats stats() const {
        client_stats sum;
        for (const auto& each : all()) sum += each->stats();
        sum.lost_oneways = offered_->oneways_lost.load();
        sum.threads = runtime_->reports().counted();
        return sum;
    }
    [[nodiscard]] client_offer& offered() const noexcept { return *offered_; }
    [[nodiscard]] const client_options& options() const noexcept { return *options_; }

private:
    intrusive_ptr<channel> open_locked(const std::string& service) {
        return open_[service] = make_intrusive<channel>(options_, runtime_, offered_);
    }

    const std::shared_ptr<const client_options> options_;
    const intrusive_ptr<runtime_state> runtime_;
    const intrusive_ptr<client_offer> offered_;

    mutable std::mutex mutex_;
    std::map<std::string, intrusive_ptr<channel>> open_;  // By service; by "" where one has them all.
    call_rules rules_;
    bool closed_ = false;
};

}  // namespace futon::detail
