// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The providers of one channel: which one a call goes to, and what its end says of that provider.
/// To choose takes all: whom the registry lists, how they are connected, and how they do.

#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/fleet_absences.hpp>
#include <futon/client/detail/fleet_members.hpp>
#include <futon/client/detail/fleet_rules.hpp>
#include <futon/client/detail/fleet_watch.hpp>
#include <futon/client/detail/lane.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/provider_set.hpp>
#include <futon/cluster/route_cache.hpp>
#include <futon/core/error.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// What `client_stats` says of providers.
struct fleet_counts {
    std::size_t listed = 0;
    std::size_t usable = 0;
    std::size_t ejected = 0;
    std::size_t suspects = 0;
};

/// Not thread-safe: guarded by its channel's lock.
class fleet {
public:
    fleet(fleet_rules rules, std::uint64_t seed)
        : rules_{std::move(rules)},
          told_{rules_.protection},
          watch_{rules_.health, seed},
          absences_{rules_.routers.absent_after()},
          routes_{rules_.balancer, rules_.routers},
          random_{seed} {}

    // Choosing.

    /// Why a new call is turned away although there are connections: after an outage only as many are let through as
    /// those providers that are back can bear.
    [[nodiscard]] std::optional<error> turns_away(time_point now) {
        if (only_ || !watch_.recovers()) [[likely]]
            return std::nullopt;
        return watch_.not_back_yet(members_.listed(), routes_, random_, now);
    }
    /// Whether nothing is chosen for it, nor noted. Not a call with a route: whether the only provider fits is for the
    /// routers to say.
    [[nodiscard]] bool takes_fast_path(const call& which) const noexcept { return only_ && !which.request.towards; }
    /// A connection for the next attempt of a call, which is noted; null if none takes it now. `now`: about when;
    /// `repeats`: whether the call would be made again.
    [[nodiscard]] connection* begin(call& which, time_point now, attempts& repeats) {
        if (takes_fast_path(which)) [[likely]]
            return only_->ready_connection();
        // Many may wait, each for a provider of its own: nothing that is done for one walks over all providers.
        if (which.request.names_provider()) [[unlikely]]
            return begin_at_one(which, now, repeats);
        return choose(current_view(which, now), which, now, repeats);
    }
    /// The same for an attempt beside others, whose providers it avoids in any case. `may_be_made()` is asked when
    /// there is one.
    template <class Ask>
    [[nodiscard]] connection* begin_beside(call& which, time_point now, Ask may_be_made) {
        if (only_) return nullptr;
        const auto& view = current_view(which, now);
        auto how = context_of(which, now);
        const auto found = pick(*view, which, how);
        if (!found.ready || !may_be_made()) return nullptr;
        return begin_on(which, found, view, how);
    }
    /// Whether a call that waits may be sent to the peer of `to`; then its attempt begins.
    [[nodiscard]] bool begin_on(call& which, const lane& to, time_point now);
    /// An attempt is over. `why` is null if it succeeded; `now`: when; `gone`: its connection takes no more calls.
    void ended(call& which, const error* why, time_point now, bool gone = false) {
        if (which.attempt.on) [[unlikely]]
            end_attempt(which, why, now, gone);
    }
    /// An attempt was not made after all.
    void undone(call& which, time_point now) {
        const error none{errc::cancelled, executed::no};
        ended(which, &none, now);
    }
    /// What the next attempts of a call avoid.
    static void tried(call& which) noexcept;

    // Connections.

    /// Begins to connect where nothing goes on, and says whether a connection for such a call may come of it soon.
    [[nodiscard]] bool wake(const call& which) noexcept;
    /// The same for all kinds of calls that were made so far.
    [[nodiscard]] bool wake() noexcept;
    /// The same for calls that may go anywhere.
    [[nodiscard]] bool wake_any() noexcept {
        static_cast<void>(routes_.find(anywhere_, members_.table()));
        return wake();
    }
    [[nodiscard]] bool any_ready() const noexcept { return members_.any_connected(); }
    /// A connection was made, or lost, or an attempt to make one failed. What comes back is to be retired.
    [[nodiscard]] lane_list changed(const lane& which, time_point now);
    void took_report(const lane& from, const load_report& report, time_point now);

    // Active pings.
    [[nodiscard]] std::optional<time_point> next_ping() const noexcept { return watch_.next_ping(); }
    /// Asks those whose turn it is; what is not connected, and should be tried, is woken.
    void ping(time_point now);
    /// The peer of `from` answered, or was heard `when` anyway.
    void alive(const lane& from, std::uint64_t token, time_point when) {
        if (auto* const n = members_.find(from.address())) watch_.ping_answered(*n, token, when);
    }

    // Probes of policies while no call comes.

    /// When `probe_idle` has something to do; `no_deadline`: nothing.
    [[nodiscard]] time_point next_idle_probe() noexcept;
    /// Whether a call has come since that is to be asked anew.
    [[nodiscard]] bool wants_idle_probes() const noexcept { return wants_idle_probes_; }
    void probe_idle(time_point now);

    /// Why no connection takes a call: the last failure of each address that comes into question.
    [[nodiscard]] error why_not(const call* which = nullptr);

    // What the registry says.

    /// What is not wanted any more comes back, to be retired without the lock; it is remembered while calls are in
    /// flight on it. `make(endpoint)` makes lanes.
    template <class Make>
    [[nodiscard]] lane_list apply(provider_update update, time_point now, bool& wants_full, Make make) {
        const auto changes = told_.apply(std::move(update), now);
        wants_full = changes.wants_full;
        if (!wants_full) why_not_told_.reset();
        return adopt(changes, now, make);
    }
    /// All that a call might go to, whatever their health, but for those that are about to stop and, where others are
    /// not, those of weight 0; by address. Or why there are none.
    [[nodiscard]] result<std::vector<endpoint>> providers(const call& which);
    /// Whether the registry has been asked, and has not answered.
    [[nodiscard]] bool is_awaited() const noexcept { return !expected_.empty() && !told_.is_told() && !why_not_told_; }
    /// Why the registry told nothing, if it was asked and could not say.
    void not_told(error why) { why_not_told_ = std::move(why); }
    /// Nothing is known yet, and something will be.
    void expect(std::string whom) { expected_ = std::move(whom); }
    [[nodiscard]] const std::string& expected() const noexcept { return expected_; }
    [[nodiscard]] bool is_told() const noexcept { return told_.is_told(); }
    [[nodiscard]] bool empty() const noexcept { return members_.size() == 0; }
    void set_balancer(any_load_balancer policy) {
        only_ = nullptr;
        plain_ = false;
        routes_.set_policy(std::move(policy));
    }
    void set_health(const health_options& rules) { watch_.set_rules(rules); }

    // The whole.

    [[nodiscard]] lane_list lanes() const { return members_.lanes(); }
    [[nodiscard]] lane_list with_retired() const { return members_.with_retired(); }
    /// Ends it.
    [[nodiscard]] lane_list take_all() {
        only_ = nullptr;
        return members_.take_all();
    }
    [[nodiscard]] fleet_counts counts() const;

private:
    [[nodiscard]] node* one_for(const call& which) const {
        return routes_.find_one(*which.request.towards, members_.table());
    }
    [[nodiscard, gnu::cold, gnu::noinline]] inline connection* begin_at_one(call& which, time_point now,
                                                                            attempts& repeats);
    [[nodiscard]] connection* choose(const std::shared_ptr<cluster_view>& view, call& which, time_point now,
                                     attempts& repeats);
    // What the call should try, as it can go elsewhere; or null.
    [[nodiscard, gnu::cold, gnu::noinline]] inline node* trial_of(const call& which, const cluster_view& view,
                                                                  time_point now, attempts& repeats);
    // Both null if there is none.
    struct choice {
        node* picked = nullptr;
        connection* ready = nullptr;
    };
    // Who is out for long, or back, as routers heed it.
    void look_for_absent(time_point now);
    [[nodiscard]] static choice pick(cluster_view& view, const call& which, pick_context& how);
    [[nodiscard]] const std::shared_ptr<cluster_view>& current_view(const call& which, time_point now);
    [[nodiscard]] pick_context context_of(const call& which, time_point now) noexcept {
        pick_context how{.now = now, .random = random_};
        if (which.request.hash_key != 0) how.hash_key = which.request.hash_key;
        return how;
    }
    connection* begin_on(call& which, choice found, const std::shared_ptr<cluster_view>& view, pick_context& how);
    void begin_on(call& which, node& n, const std::shared_ptr<cluster_view>& view, time_point now);
    void end_attempt(call& which, const error* why, time_point now, bool gone);
    void probe(cluster_view& view, pick_context& how);
    static void ask_load(std::span<node* const> of);
    [[nodiscard]] const std::shared_ptr<cluster_view>& view_of(const call& which, time_point now = no_deadline) {
        return routes_.find(which.request.towards ? *which.request.towards : anywhere_, members_.table(), now);
    }
    template <class Make>
    lane_list adopt(const provider_changes& changes, time_point now, const Make& make);
    lane_list adopt(const provider_changes& losses, time_point now);
    void choose_fast_path() noexcept;
    // The first connection of a provider is back: its others are tried soon, and, where all providers were out, theirs.
    void hurry_beside(const node& back) noexcept;

    const fleet_rules rules_;
    provider_set told_;
    fleet_members members_;
    fleet_watch watch_;
    fleet_absences absences_;
    route_cache routes_;
    dice random_;
    const route anywhere_;
    lane* only_ = nullptr;  // All there is, where nothing is to be chosen: then no attempt is noted.
    bool plain_ = true;     // Nothing was said of balancing, routing or health.
    bool wants_idle_probes_ = false;
    bool idle_probes_planned_ = false;
    std::size_t to_be_freed_ = 0;  // Nodes that are listed no more.
    std::string expected_;         // What will be told of; empty: nothing.
    std::optional<error> why_not_told_;
};

}  // namespace futon::detail
