// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The lists that a registry knows, and who hears of them: what every registry needs, also one of the user's.
/// One thing because who listens to which list is what has to be kept in step.

#include <futon/cluster/endpoint_hash.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/log.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace futon {

/// What a registry has read of one service.
struct service_listing {
    /// All of them. Of two entries for one address the first counts.
    std::vector<provider> providers{};
    /// Entries that could not be read: count them by `refuse`.
    std::uint64_t refused = 0;
    /// The first of these, and why.
    std::string fault{};
    /// What an operator set for the service; empty: the registry has no such thing.
    std::optional<metadata> settings{};
    /// How long ago it was true; zero: it is true now.
    duration age{};
    /// See `provider_update`.
    bool authoritative = false;

    void refuse(std::string_view entry, const error& why) {
        if (refused++ == 0) fault = "'" + std::string{entry.substr(0, 256)} + "': " + why.message();
    }
};

/// Turns what a registry reads into what its listeners hear: a first list, then steps; in order, to each listener by
/// one thread at a time, under no lock.
///
/// A listener that is slow, or that calls back into the registry, hears later what happens meanwhile, and gets a whole
/// list instead of many steps.
/// Thread-safety: safe. Lifetime: copies share the lists, and so do subscriptions.
class provider_lists {
public:
    /// `changed` is called when a service gets its first listener or loses its last; see `wanted`. It must not block.
    explicit provider_lists(std::function<void()> changed = {}) : state_{std::make_shared<state>(std::move(changed))} {}

    /// What `registry::subscribe` returns.
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        return add(state_, service, std::move(listener));
    }
    /// The registry read this now. Tells the listeners what is new in it; nothing, if nothing is.
    void publish(const std::string& service, service_listing now) {
        tell(service, [&](entry& of) { return of.replace(std::move(now)); });
    }
    /// The same, for lists that several threads read: `read()` is called under the lock of the lists, so that nobody
    /// tells an old list after a new one. It must not call the registry.
    template <std::invocable Read>
    void publish(const std::string& service, Read read) {
        tell(service, [&](entry& of) { return of.replace(read()); });
    }
    /// The registry read that some providers are new or different, and that some are gone; the others stay as they are.
    void publish_step(const std::string& service, std::vector<provider> changed, const std::vector<endpoint>& removed,
                      bool authoritative = false) {
        tell(service, [&](entry& of) { return of.step(std::move(changed), removed, authoritative); });
    }
    /// The registry cannot read the service now. Listeners hear of it once, until it is published again.
    void fail(const std::string& service, const error& why) {
        tell(service, [&](entry& of) { return of.fail(why); });
    }
    /// Forgets what is known of a service that nobody listens to; false if somebody does.
    bool forget(const std::string& service) {
        const std::lock_guard lock{state_->mutex};
        const auto found = state_->services.find(service);
        if (found == state_->services.end()) return true;
        if (!found->second.listeners.empty()) return false;
        state_->services.erase(found);
        return true;
    }
    /// The services that somebody listens to.
    [[nodiscard]] std::vector<std::string> wanted() const {
        const std::lock_guard lock{state_->mutex};
        std::vector<std::string> names;
        for (const auto& [name, each] : state_->services)
            if (!each.listeners.empty()) names.push_back(name);
        return names;
    }
    /// The registry ends: nobody hears of anything more.
    void close() {
        const std::lock_guard lock{state_->mutex};
        state_->closed = true;
    }

private:
    using message = std::shared_ptr<const result<provider_update>>;
    // A listener that is this far behind gets a whole list.
    static constexpr std::size_t most_queued = 64;

    struct listening {
        provider_listener listener;
        std::deque<message> queue;
        bool whole_list = false;  // Instead of the queue.
        bool running = false;     // On some thread.
        bool ended = false;
    };
    struct entry {
        bool known = false;
        std::uint64_t version = 0;
        std::unordered_map<endpoint, provider, detail::endpoint_hash> providers;
        std::uint64_t refused = 0;
        std::string fault;
        std::optional<metadata> settings;
        duration age{};
        bool authoritative = false;
        std::optional<error> failure;
        std::vector<std::shared_ptr<listening>> listeners;

        [[nodiscard]] message whole() const;
        [[nodiscard]] message replace(service_listing now);
        [[nodiscard]] message step(std::vector<provider> changed, const std::vector<endpoint>& removed, bool meant);
        [[nodiscard]] message news(provider_update step);
        [[nodiscard]] message fail(const error& why) {
            if (failure) return {};
            failure = why;
            return std::make_shared<const result<provider_update>>(why);
        }
    };
    struct state {
        explicit state(std::function<void()> hook) : changed{std::move(hook)} {}
        const std::function<void()> changed;
        std::mutex mutex;
        std::map<std::string, entry> services;
        bool closed = false;
    };

    template <class Change>
    void tell(const std::string& service, Change change) {
        std::vector<std::shared_ptr<listening>> to_run;
        {
            const std::lock_guard lock{state_->mutex};
            auto& of = state_->services[service];
            const message news = change(of);
            if (!news) return;
            for (const auto& each : of.listeners) push(*each, news);
            to_run = of.listeners;
        }
        for (const auto& each : to_run) run(*state_, service, each);
    }
    static void push(listening& to, const message& news) {
        if (to.queue.size() >= most_queued) {
            to.queue.clear();
            to.whole_list = true;
        }
        // Where a whole list is due, it says all, except that the registry has failed since.
        if (to.whole_list) to.queue.clear();
        if (!to.whole_list || !*news) to.queue.push_back(news);
    }

    static subscription add(const std::shared_ptr<state>& shared, const std::string& service,
                            provider_listener listener);
    static void run(state& shared, const std::string& service, const std::shared_ptr<listening>& whose);
    [[nodiscard]] static message next(state& shared, const std::string& service, listening& whose);

    std::shared_ptr<state> state_;
};

inline provider_lists::message provider_lists::entry::whole() const {
    provider_update all{.version = version,
                        .refused = refused,
                        .fault = fault,
                        .age = age,
                        .authoritative = authoritative,
                        .settings = settings};
    all.providers.reserve(providers.size());
    for (const auto& [address, each] : providers) all.providers.push_back(each);
    return std::make_shared<const result<provider_update>>(std::move(all));
}

inline provider_lists::message provider_lists::entry::replace(service_listing now) {
    provider_update step{.version = version + 1, .from = version, .age = now.age, .authoritative = now.authoritative};
    std::unordered_map<endpoint, provider, detail::endpoint_hash> next;
    next.reserve(now.providers.size());
    for (auto& each : now.providers) {
        auto [at, is_new] = next.try_emplace(each.address, std::move(each));
        if (!is_new) {
            now.refuse(at->first.text(), error{errc::bad_address, "its address is listed twice"});
            continue;
        }
        const auto before = providers.find(at->first);
        if (before == providers.end() || before->second != at->second) step.providers.push_back(at->second);
    }
    for (const auto& [address, each] : providers)
        if (!next.contains(address)) step.removed.push_back(address);
    // Those that were already refused are not counted again.
    step.refused = now.refused > refused ? now.refused - refused : 0;
    if (step.refused > 0) step.fault = now.fault;
    if (now.settings && now.settings != settings) step.settings = now.settings;
    const bool aged = age != now.age;
    providers = std::move(next);
    refused = now.refused;
    fault = std::move(now.fault);
    age = now.age;
    if (now.settings) settings = std::move(now.settings);
    const bool is_news = aged || !step.providers.empty() || !step.removed.empty() || step.refused > 0 || step.settings;
    if (known && !failure && !is_news) return {};
    return news(std::move(step));
}

inline provider_lists::message provider_lists::entry::step(std::vector<provider> changed,
                                                           const std::vector<endpoint>& removed, bool meant) {
    provider_update step{.version = version + 1, .from = version, .age = age, .authoritative = meant};
    for (const auto& address : removed)
        if (providers.erase(address) > 0) step.removed.push_back(address);
    for (auto& each : changed) {
        auto& present = providers[each.address];
        if (present == each) continue;
        present = each;
        step.providers.push_back(std::move(each));
    }
    if (known && !failure && step.providers.empty() && step.removed.empty()) return {};
    return news(std::move(step));
}

// What was read first is told as a whole.
inline provider_lists::message provider_lists::entry::news(provider_update step) {
    const bool first = !std::exchange(known, true);
    failure.reset();
    authoritative = step.authoritative;
    ++version;
    return first ? whole() : std::make_shared<const result<provider_update>>(std::move(step));
}

inline subscription provider_lists::add(const std::shared_ptr<state>& shared, const std::string& service,
                                        provider_listener listener) {
    auto made = std::make_shared<listening>();
    made->listener = std::move(listener);
    bool is_first = false;
    {
        const std::lock_guard lock{shared->mutex};
        auto& of = shared->services[service];
        made->whole_list = of.known;
        if (of.failure) made->queue.push_back(std::make_shared<const result<provider_update>>(*of.failure));
        is_first = of.listeners.empty();
        of.listeners.push_back(made);
    }
    if (is_first && shared->changed) shared->changed();
    run(*shared, service, made);
    const auto end = [shared, service, weak = std::weak_ptr{made}] {
        provider_listener dropped;  // Its captures end outside of the lock.
        const std::lock_guard lock{shared->mutex};
        const auto whose = weak.lock();
        if (!whose) return;
        whose->ended = true;
        whose->queue.clear();
        if (!whose->running) dropped.swap(whose->listener);
        auto& of = shared->services[service];
        std::erase(of.listeners, whose);
    };
    return subscription{[shared, end] {
                            end();
                            if (shared->changed) shared->changed();
                        },
                        [shared, service, weak = std::weak_ptr{made}] {
                            const auto whose = weak.lock();
                            if (!whose) return;
                            {
                                const std::lock_guard lock{shared->mutex};
                                whose->whole_list = shared->services[service].known;
                                if (whose->whole_list && !whose->queue.empty() && *whose->queue.back())
                                    whose->queue.clear();
                            }
                            run(*shared, service, whose);
                        }};
}

// Under the lock. Null: there is nothing to tell.
inline provider_lists::message provider_lists::next(state& shared, const std::string& service, listening& whose) {
    if (whose.ended || shared.closed) return {};
    if (std::exchange(whose.whole_list, false)) return shared.services[service].whole();
    if (whose.queue.empty()) return {};
    auto first = std::move(whose.queue.front());
    whose.queue.pop_front();
    return first;
}

inline void provider_lists::run(state& shared, const std::string& service, const std::shared_ptr<listening>& whose) {
    std::unique_lock lock{shared.mutex};
    if (whose->running) return;  // That thread goes on with it.
    whose->running = true;
    while (auto news = next(shared, service, *whose)) {
        lock.unlock();
        try {
            whose->listener(*news);
        } catch (const std::exception& e) {
            detail::default_reports().log(
                {.level = log_level::error, .kind = "listener_threw", .text = e.what(), .where = service});
        } catch (...) {
            detail::default_reports().log({.level = log_level::error,
                                           .kind = "listener_threw",
                                           .text = "not a std::exception",
                                           .where = service});
        }
        news.reset();
        lock.lock();
    }
    whose->running = false;
    provider_listener dropped;
    if (whose->ended) dropped.swap(whose->listener);
    lock.unlock();
}

}  // namespace futon
