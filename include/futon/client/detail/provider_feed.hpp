// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a channel is told of its providers: by its client's list or by a registry, and on to whom it concerns.

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/list_waiters.hpp>
#include <futon/client/detail/routing_mutex.hpp>
#include <futon/client/detail/standing_rules.hpp>
#include <futon/client/detail/supply.hpp>
#include <futon/cluster/provider_update.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>

#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// What the feed needs of the channel that it belongs to.
class feed_owner {
public:
    /// With the channel's lock held.
    [[nodiscard]] virtual intrusive_ptr<lane> make_lane(const endpoint& to, bool first) = 0;
    /// With it held: whether somebody waits for a connection.
    [[nodiscard]] virtual bool wants_connections() const noexcept = 0;
    /// Without it: these lanes were taken out of the fleet.
    virtual void lanes_left(const lane_list& leaving) noexcept = 0;
    /// Without it: calls that wait may move, or have no more hope.
    virtual void providers_changed() noexcept = 0;

protected:
    ~feed_owner() = default;
};

/// Shares its channel's lock, and what that guards. Thread-safety: safe.
class provider_feed {
public:
    provider_feed(call_router& channel, feed_owner& owner, routing_mutex& mutex, fleet& providers,
                  standing_rules& rules, diagnostics& reports, executor_ref home, executor_ref callbacks,
                  const reconnect_backoff& pauses, std::uint64_t seed)
        : channel_{channel},
          owner_{owner},
          mutex_{mutex},
          fleet_{providers},
          rules_{rules},
          reports_{reports},
          home_{std::move(home)},
          callbacks_{std::move(callbacks)},
          supply_{channel, home_, pauses, seed} {}

    void set_endpoints(const endpoints& wanted) {
        provider_update all{.authoritative = true};
        for (const auto& each : wanted) all.providers.push_back({.address = each});
        {
            const std::lock_guard lock{mutex_};
            all.version = ++lists_;
        }
        take(std::move(all));
    }
    /// Calls may come: a registry will be asked for their providers.
    void expect(const any_registry& where, const std::string& service) {
        const std::lock_guard lock{mutex_};
        fleet_.expect("'" + service + "' in " + where.text());
    }
    /// Takes them from a registry from now on, where `service` is looked up.
    void look_up(any_registry where, const std::string& service) {
        supply_.begin(std::move(where), service,
                      [this, alive = intrusive_ptr<call_router>{&channel_}](result<provider_update> what) {
                          told(std::move(what));
                      });
    }
    /// All that such a call might go to, as soon as they are known, for so long as the call's deadline allows.
    [[nodiscard]] future<std::vector<endpoint>> providers(const call& which) {
        const auto left =
            which.request.deadline == no_deadline ? duration::max() : which.request.deadline - home_->now();
        result<std::vector<endpoint>> known{std::in_place};
        {
            const std::lock_guard lock{mutex_};
            if (!closed_ && fleet_.is_awaited()) return list_waiters_.add(callbacks_, which, left);
            known = known_to(which);
        }
        if (!known)
            return make_failed<std::vector<endpoint>>(
                callbacks_, std::move(known).error().with_where(which.request.method->full_name()));
        return make_ready(callbacks_, *std::move(known));
    }

    /// Hears no more. Before the channel's lock is taken to close it.
    void end() noexcept { supply_.end(); }
    /// With the lock held. Follow with `settle_lists()`.
    void close() noexcept { closed_ = true; }
    /// Tells those that wait for a list, if there is one now or there will be none.
    void settle_lists() noexcept {
        list_waiters::settled done;
        {
            const std::lock_guard lock{mutex_};
            if (list_waiters_.empty() || (fleet_.is_awaited() && !closed_)) return;
            done = list_waiters_.settle([&](const call& each) { return known_to(each); });
        }
        list_waiters::tell(std::move(done));
    }

private:
    [[nodiscard]] result<std::vector<endpoint>> known_to(const call& which) {
        if (closed_) return error{errc::client_closed, "the client was closed", executed::no};
        return fleet_.providers(which);
    }
    void told(result<provider_update> what) noexcept {
        try {
            if (what) return take(*std::move(what));
            {
                const std::lock_guard lock{mutex_};
                fleet_.not_told(what.error());
            }
            const auto text = what.error().message();
            reports_.log({.level = log_level::warning, .kind = "registry_unreadable", .text = text});
            settle_lists();
            owner_.providers_changed();
        } catch (const std::exception& e) {
            reports_.log({.level = log_level::error, .kind = "registry_update_failed", .text = e.what()});
        }
    }
    void take(provider_update update) {
        lane_list leaving;
        bool wants_full = false;
        std::string unreadable;
        std::string unmeant;
        {
            const std::lock_guard lock{mutex_};
            if (closed_) return;
            if (update.refused > 0)
                unreadable = std::to_string(update.refused) + " of what is listed for " + fleet_.expected() +
                             " cannot be read as a provider, and is left out" +
                             (update.fault.empty() ? "" : "; the first: " + update.fault);
            if (update.settings) unmeant = rules_.set_settings(*update.settings);
            if (!unmeant.empty()) unmeant = "of what is set for " + fleet_.expected() + " is ignored: " + unmeant;
            bool first = fleet_.empty();
            leaving = fleet_.apply(std::move(update), home_->now(), wants_full, [&](const endpoint& to) {
                return owner_.make_lane(to, std::exchange(first, false));
            });
            if (owner_.wants_connections()) static_cast<void>(fleet_.wake_any());
        }
        owner_.lanes_left(leaving);
        // Not with the lock: who reads the log may ask the client.
        if (!unmeant.empty()) reports_.log({.level = log_level::warning, .kind = "bad_setting", .text = unmeant});
        if (!unreadable.empty())
            reports_.log({.level = log_level::warning, .kind = "bad_provider", .text = unreadable});
        if (wants_full) supply_.refresh();
        settle_lists();
        owner_.providers_changed();
    }

    call_router& channel_;
    feed_owner& owner_;
    routing_mutex& mutex_;
    fleet& fleet_;
    standing_rules& rules_;
    diagnostics& reports_;
    const executor_ref home_;  // Has the clock.
    const executor_ref callbacks_;
    supply supply_;
    list_waiters list_waiters_;
    std::uint64_t lists_ = 0;  // Of endpoints, without a registry.
    bool closed_ = false;
};

}  // namespace futon::detail
