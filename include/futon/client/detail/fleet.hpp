// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The providers of one channel: which one a call goes to, and what its end says of that provider.
/// One thing because to choose takes all: whom the registry lists, how they are connected, and how they do.

#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/fleet_absences.hpp>
#include <futon/client/detail/fleet_members.hpp>
#include <futon/client/detail/fleet_rules.hpp>
#include <futon/client/detail/fleet_watch.hpp>
#include <futon/client/detail/hedges.hpp>
#include <futon/client/detail/lane.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/provider_set.hpp>
#include <futon/cluster/route_cache.hpp>
#include <futon/core/error.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>

#include <algorithm>
#include <array>
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
        // Many may wait, each for a provider of its own.
        if (names_one(which) && !may_reach(which)) [[unlikely]]
            return nullptr;
        return choose(which, now, repeats);
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
    [[nodiscard]] error why_not(const call* which = nullptr) const;

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
    [[nodiscard]] static bool names_one(const call& which) noexcept {
        return which.request.towards && !which.request.towards->address.empty();
    }
    [[nodiscard]] node* one_for(const call& which) const {
        return routes_.find_one(*which.request.towards, members_.table());
    }
    [[nodiscard, gnu::cold, gnu::noinline]] bool may_reach(const call& which) const {
        const auto* const n = one_for(which);
        return n && fleet_members::any_ready_of(*n);
    }
    [[nodiscard]] connection* choose(call& which, time_point now, attempts& repeats);
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
    lane_list adopt(const provider_changes& losses, time_point now) {
        if (losses.empty()) return {};
        return adopt(losses, now, [](const endpoint&) { return intrusive_ptr<lane>{}; });
    }
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

inline const std::shared_ptr<cluster_view>& fleet::current_view(const call& which, time_point now) {
    watch_.look(members_.listed(), routes_, now);
    if (absences_.are_due(now)) [[unlikely]]
        look_for_absent(now);
    if (members_.any_idle()) static_cast<void>(wake());
    return view_of(which, now);
}

inline void fleet::look_for_absent(time_point now) {
    if (!absences_.advance(now)) return;
    members_.touch();
    routes_.refresh_all(members_.table());
    watch_.list_changed(now, false);
    static_cast<void>(wake());
}

inline fleet::choice fleet::pick(cluster_view& view, const call& which, pick_context& how) {
    const auto& trace = which.attempt;
    // Behind the nodes that this call has tried, those whose connections are full. Not set past the count.
    std::array<node*, attempt_trace::most_tried + 3> avoid;
    std::size_t avoided = trace.tried_count;
    for (std::size_t i = 0; i < avoided; ++i) avoid[i] = static_cast<node*>(trace.tried[i]);
    while (avoided < avoid.size()) {
        how.tried = {avoid.data(), avoided};
        auto* const picked = view.policy.pick(view.nodes, how);
        if (!picked) break;
        if (auto* const ready = fleet_members::ready_of(*picked)) {
            how.tried = {};
            return {picked, ready};
        }
        avoid[avoided++] = picked;
        if (picked == how.trial) how.trial = nullptr;
    }
    how.tried = {};
    return {};
}

node* fleet::trial_of(const call& which, const cluster_view& view, time_point now, attempts& repeats) {
    const auto& asked = which.request;
    // A key has a node of its own.
    if (which.attempts > 0 || asked.oneway || which.streams || asked.hash_key != 0) return nullptr;
    return watch_.trials().next(view.nodes, now, [&](executed ran) {
        return repeats.would_repeat(retry_of(which, repeats.policy()), ran, asked.method->idempotent, now,
                                    asked.deadline);
    });
}

inline connection* fleet::choose(call& which, time_point now, attempts& repeats) {
    const auto& view = current_view(which, now);
    auto how = context_of(which, now);
    if (watch_.trials().are_due(now)) [[unlikely]]
        how.trial = trial_of(which, *view, now, repeats);
    auto found = pick(*view, which, how);
    if (!found.ready && which.attempt.tried_count > 0) {
        // A call that has tried them all may try them again.
        which.attempt.tried_count = 0;
        found = pick(*view, which, how);
    }
    if (!found.ready) return nullptr;
    if (how.trial != nullptr && how.trial == found.picked) watch_.trials().begun(*found.picked, now);
    return begin_on(which, found, view, how);
}

inline connection* fleet::begin_on(call& which, choice found, const std::shared_ptr<cluster_view>& view,
                                   pick_context& how) {
    if (!which.request.oneway) begin_on(which, *found.picked, view, how.now);
    if (view->policy.probes()) probe(*view, how);
    return found.ready;
}

inline void fleet::begin_on(call& which, node& n, const std::shared_ptr<cluster_view>& view, time_point now) {
    auto& trace = which.attempt;
    trace.on = &n;
    trace.chosen_by = view;
    trace.began = now;
    begin_attempt(view->policy, n, now);
    watch_.started(n, now);
}

inline bool fleet::begin_on(call& which, const lane& to, time_point now) {
    if (takes_fast_path(which)) return only_ == &to;
    auto* const n = members_.find(to.address());
    if (!n) return false;
    const auto& view = view_of(which, now);
    const pick_context how{.now = now, .random = random_};
    if (!view->nodes.usable(*n, how) || std::find(view->nodes.begin(), view->nodes.end(), n) == view->nodes.end())
        return false;
    if (!which.request.oneway) begin_on(which, *n, view, now);
    return true;
}

// What tells in good time that it leaves has done nothing wrong.
[[nodiscard]] inline errc judged_as(const error& why, bool gone) noexcept {
    if (gone && why == errc::unavailable && why.ran() == executed::no) return errc::cancelled;
    return errc_of(why);
}

inline void fleet::end_attempt(call& which, const error* why, time_point now, bool gone) {
    auto& trace = which.attempt;
    auto& n = *static_cast<node*>(std::exchange(trace.on, nullptr));
    const auto view = std::static_pointer_cast<cluster_view>(std::exchange(trace.chosen_by, nullptr));
    auto outcome = why ? attempt_outcome::failed(judged_as(*why, gone), trace.began, now)
                       : attempt_outcome::success(trace.began, now);
    if (why) {
        outcome.ran = why->ran();
        outcome.retry_after = why->retry_after();
    }
    if (which.request.deadline != no_deadline)
        outcome.timeout = std::max(which.request.deadline - trace.began, duration{});
    futon::end_attempt(view->policy, n, outcome);
    watch_.ended(n, outcome, members_.size());
    if (absences_.matter() && n.is_held(hold::ejected)) absences_.is_out(n, now);
}

inline void fleet::tried(call& which) noexcept {
    auto& trace = which.attempt;
    if (trace.on && trace.tried_count < trace.tried.size()) trace.tried[trace.tried_count++] = trace.on;
}

inline void fleet::probe(cluster_view& view, pick_context& how) {
    std::array<node*, 8> asked{};
    ask_load({asked.data(), view.policy.next_probes(view.nodes, how, asked)});
    if (!idle_probes_planned_) wants_idle_probes_ = view.policy.idle_probes_due() != no_deadline;
}

inline void fleet::ask_load(std::span<node* const> of) {
    for (const auto* n : of)
        if (auto* const over = fleet_members::ready_of(*n)) over->ask_load();
}

inline time_point fleet::next_idle_probe() noexcept {
    auto next = no_deadline;
    for (const auto& each : routes_.views()) next = std::min(next, each->policy.idle_probes_due());
    wants_idle_probes_ = false;
    idle_probes_planned_ = next != no_deadline;
    return next;
}

inline void fleet::probe_idle(time_point now) {
    std::array<node*, 8> asked{};
    pick_context how{.now = now, .random = random_};
    for (const auto& each : routes_.views())
        if (each->policy.idle_probes_due() <= now)
            ask_load({asked.data(), each->policy.idle_probes(each->nodes, how, asked)});
}

inline void fleet::took_report(const lane& from, const load_report& report, time_point now) {
    auto* const n = members_.find(from.address());
    if (!n) return;
    n->report = report;
    n->reported_at = now;
    const auto& views = routes_.views();
    for (const auto& each : views) {
        // A single view has asked itself; of several only those with that node may hear of it.
        if (views.size() > 1 && std::find(each->nodes.begin(), each->nodes.end(), n) == each->nodes.end()) continue;
        each->policy.probed(*n, report, now);
    }
}

inline void fleet::ping(time_point now) {
    watch_.ping(members_.listed(), routes_, now, [](const node& n, time_point since, auto token) {
        if (n.is_held(hold::draining)) return false;
        auto* const over = fleet_members::open_of(n);
        if (over) {
            over->ask_alive(token(), since);
        } else if (n.is_held(hold::ejected) || n.is_held(hold::on_trial)) {
            fleet_members::wake(n);
        }
        return over != nullptr;
    });
    if (!absences_.matter()) return;
    for (const auto& each : routes_.views())
        for (auto* n : each->nodes)
            if (n->is_held(hold::ejected)) absences_.is_out(*n, now);
}

inline bool fleet::wake() noexcept {
    bool hope = is_awaited();
    members_.none_idles();
    // Those that routers leave out, e.g. because they make a subset, need no connection.
    for (const auto& view : routes_.views()) {
        for (const auto* const n : view->nodes) hope = fleet_members::wake(*n) || hope;
    }
    return hope;
}

inline bool fleet::wake(const call& which) noexcept {
    if (names_one(which) && !empty()) {
        const auto* const n = one_for(which);
        return n && fleet_members::wake(*n);
    }
    static_cast<void>(view_of(which));
    const bool hope = wake();
    if (!hope || !which.request.towards || empty()) return hope;
    const auto& view = view_of(which);
    return std::any_of(view->nodes.begin(), view->nodes.end(),
                       [](const node* n) { return fleet_members::has_hope(*n); });
}

inline result<std::vector<endpoint>> fleet::providers(const call& which) {
    std::vector<endpoint> all;
    const auto& view = view_of(which);
    for (const auto takes : {true, false}) {
        for (const auto* n : view->nodes)
            if (!n->is_held(hold::draining) && (!takes || !n->is_held(hold::drained))) all.push_back(n->told.address);
        if (!all.empty()) break;
    }
    if (all.empty()) return why_not(&which);
    std::sort(all.begin(), all.end(), [](const endpoint& a, const endpoint& b) { return a.text() < b.text(); });
    return all;
}

inline lane_list fleet::changed(const lane& which, time_point now) {
    if (which.current() == lane::state::idle) members_.one_idles();
    auto* const n = members_.find(which.address());
    if (!n) return {};
    const bool connected = fleet_members::is_connected(*n);
    if (connected && !n->connected()) hurry_beside(*n);
    watch_.connected(*n, connected, now);
    if (connected) {
        absences_.may_be_back(*n, now);
        return {};
    }
    if (absences_.matter() && fleet_members::fails_to_connect(*n)) absences_.is_out(*n, now);
    // Those that the registry does not list any more are used only while they answer, and not for ever.
    auto over = adopt(told_.lost(n->told.address), now);
    if (const auto when = told_.next_wakeup(); when && *when <= now) {
        const auto more = adopt(told_.advance(now), now);
        over.insert(over.end(), more.begin(), more.end());
    }
    return over;
}

inline void fleet::hurry_beside(const node& back) noexcept {
    const auto& all = members_.listed();
    if (std::any_of(all.begin(), all.end(), [](const node* n) { return n->connected(); }))
        return fleet_members::hurry(back);
    for (const auto* n : all) fleet_members::hurry(*n);
}

inline error fleet::why_not(const call* which) const {
    if (empty()) {
        if (why_not_told_)
            return {errc::no_provider, "no provider of " + expected_ + " is known: " + why_not_told_->message(),
                    executed::no};
        if (!expected_.empty())
            return {errc::no_provider,
                    told_.is_told() ? "nobody has registered " + expected_ +
                                          "; version and unique id must be the same in stub() and provide()"
                                    : "no provider of " + expected_ + " is known yet",
                    executed::no};
        return {errc::no_provider,
                "no endpoint is known: give the client one; server.addresses() is empty until start()", executed::no};
    }
    const bool routed = which && which->request.towards;
    if (routed || !routes_.routers().empty()) {
        const auto none = routes_.routers().why_none(routed ? *which->request.towards : anywhere_, members_.listed());
        if (!none.empty())
            return {errc::no_provider,
                    "of " + std::to_string(members_.size()) + " providers none comes into question: " + none,
                    executed::no};
    }
    std::string text;
    auto code = errc::connect_failed;
    for (const auto* n : members_.listed()) {
        for (const auto& each : fleet_members::lanes_of(*n)) {
            const auto& why = each->last_error();
            if (why == errc::unsupported_protocol || why == errc::bad_address || why == errc::protocol_error)
                code = errc_of(why);
            if (text.size() < 512) text += (text.empty() ? "" : "; ") + why.message();
        }
    }
    return {code, std::move(text), executed::no};
}

template <class Make>
lane_list fleet::adopt(const provider_changes& changes, time_point now, const Make& make) {
    const bool first = members_.table().version() == 0;
    lane_list dropped;
    for (const auto& address : changes.removed) members_.remove(address, now, dropped);
    for (const auto& each : changes.added)
        watch_.added(members_.add(*each, std::max<std::size_t>(1, rules_.connections_per_endpoint), now, make), first);
    for (const auto& each : changes.changed) members_.update(*each, now);
    watch_.list_changed(now, !changes.changed.empty());
    // Large sets are brought up to date as calls need them, and all at once only where much is to be freed.
    if (members_.size() <= 1000 || to_be_freed_ > members_.size() / 10) routes_.refresh_all(members_.table());
    to_be_freed_ = members_.collect(routes_.oldest_version(), [&](node& n) {
        watch_.removed(n);
        absences_.removed(n);
    });
    members_.retired(dropped);
    choose_fast_path();
    return dropped;
}

inline void fleet::choose_fast_path() noexcept {
    only_ = nullptr;
    if (!plain_ || !rules_.plain || members_.size() != 1) return;
    const auto& all = fleet_members::lanes_of(*members_.listed().front());
    if (all.size() == 1) only_ = all.front().get();
}

inline fleet_counts fleet::counts() const {
    fleet_counts all;
    for (const auto* n : members_.listed()) all.ejected += n->is_held(hold::ejected);
    all.usable = fleet_watch::usable_of(members_.listed());
    all.listed = members_.size();
    all.suspects = told_.suspects();
    return all;
}

}  // namespace futon::detail
