// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one path of a client's calls: to a connection that is ready, into the queue until one is, or back
/// with an error that says why; and again, where a failed attempt may be repeated.
/// One thing because each function here moves calls about under the same lock. What is chosen, and why, is the fleet's.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/call_books.hpp>
#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/hedging_path.hpp>
#include <futon/client/detail/pausing_calls.hpp>
#include <futon/client/detail/pending_list.hpp>
#include <futon/client/detail/provider_feed.hpp>
#include <futon/client/detail/provider_pings.hpp>
#include <futon/client/detail/standing_rules.hpp>
#include <futon/client/detail/waiting_calls.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/service_numbers.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// Thread-safety: safe. One lock guards the routing; it is never held while a call completes.
/// Lifetime: lanes and calls keep it alive; `close()` cuts the circle.
class channel final : public any_channel, public lane_owner, private pause_owner, private hedging_owner, private feed_owner, private timer {
public:
    channel(std::shared_ptr<const client_options> how, intrusive_ptr<runtime_state> runtime, intrusive_ptr<client_offer> offered)
        : options_{std::move(how)},
          runtime_{std::move(runtime)},
          offered_{std::move(offered)},
          home_{runtime_->next_place()},
          callbacks_{options_->callbacks ? options_->callbacks : home_.where},
          fleet_{rules_of(*options_), seed_for(home_)} {}

    // What stubs see.
    inline void submit(intrusive_ptr<call> which) noexcept override;
    inline result<void> send_oneway(intrusive_ptr<call> made) noexcept override;
    inline void lost_oneway(const call& which, error why) noexcept;
    inline const service_info& open(const std::string& key, std::vector<method_info> (*make)(const std::string& key)) override;
    const executor_ref& callback_executor() const noexcept override { return callbacks_; }
    duration default_timeout() const noexcept override { return rules_.timeout(); }
    time_point now() const noexcept override { return home_.where->now(); }
    rough_time rough_now() const noexcept override { return options_->on_call ? exactly(now()) : home_.where->rough_now(); }
    bool waits_for_ready() const noexcept override { return options_->wait_for_ready; }
    const client_filters& filters() const noexcept override { return options_->filters; }
    std::stop_token closing() const noexcept override { return closing_.get_token(); }
    future<std::vector<endpoint>> providers(const call& which) override { return feed_.providers(which); }

    // What calls tell.
    inline void cancel(call& which) noexcept override;
    bool is_at(const call& which, const carrier& where) const noexcept override {
        const std::lock_guard lock{mutex_};
        return which.at.get() == &where;
    }
    inline void failed(intrusive_ptr<call> which, error why) noexcept override;
    inline void decoded(const call& which, const response& reply, const error* bad) noexcept override;

    bool needs_this_thread() const noexcept override { return runtime_->needs_this_thread(); }

    // What the client says.
    [[nodiscard]] provider_feed& feed() noexcept { return feed_; }
    /// For new calls.
    void set_rules(const call_rules& own) {
        const std::lock_guard lock{mutex_};
        rules_.set_own(own);
        pings_.plan();
    }
    /// Calls `waiter` once: when a connection is ready, or with an error when the channel closes.
    void when_ready(std::function<void(result<void>)> waiter);
    void close() noexcept;
    [[nodiscard]] client_stats stats() const noexcept;
    /// Adds every call that is under way; those that connections have are added later, on their threads.
    void inspect(const intrusive_ptr<pending_list>& list) const;
    /// Why no call can be sent now: the last failure of each address.
    [[nodiscard]] error why_not_connected() const;

    const client_options& options() const noexcept override { return *options_; }
    /// What servers may call back.
    client_offer& offered() const noexcept override { return *offered_; }

private:
    // What lanes tell.
    inline void lane_changed(lane& which) noexcept override;
    inline void lane_told_load(lane& which, const load_report& report) noexcept override;
    inline bool lane_has_room(lane& which, connection& where) noexcept override;
    inline void lane_parks(intrusive_ptr<call> which) noexcept override;
    inline void lane_replied(intrusive_ptr<call> which, const response& reply) noexcept override;
    inline void lane_alive(lane& which, std::uint64_t token, time_point when) noexcept override;
    inline void lane_counted(const session_stats& counters) noexcept override;

    // What its parts tell.
    inline void pause_over(intrusive_ptr<call> which, bool due) noexcept override;
    void attempt_made(intrusive_ptr<call> attempt) noexcept override { route(std::move(attempt), true); }
    void call_failed(intrusive_ptr<call> asked, error why, std::string_view peer) noexcept override { complete(std::move(asked), std::move(why), peer); }
    inline intrusive_ptr<lane> make_lane(const endpoint& to, bool first) override;
    bool wants_connections() const noexcept override { return !waiting_.empty() || !ready_waiters_.empty(); }
    inline void lanes_left(const lane_list& leaving) noexcept override;
    inline void providers_changed() noexcept override;

    void route(intrusive_ptr<call> which, bool is_new = false) noexcept;
    // What becomes of a call: it goes out at once, or it waits, or it fails.
    struct way {
        connection* ready = nullptr;  // Held by the call.
        bool behind = false;          // Others wait, too: follow with `move_waiting()`.
        std::optional<error> closed{};
    };
    [[nodiscard]] inline way find_way(const intrusive_ptr<call>& which, bool is_new) noexcept;
    [[gnu::cold, gnu::noinline]] inline way find_way_locked(const intrusive_ptr<call>& which, bool is_new);
    // Null if no connection takes it now.
    [[nodiscard]] connection* begin_locked(call& which, time_point now) noexcept;
    void begun_locked(call& which, connection& on) noexcept;
    // Puts a new call behind those that wait, if any do and it may: calls keep the order in which they were made.
    // Follow with `move_waiting()`.
    [[nodiscard]] bool goes_behind_locked(const intrusive_ptr<call>& which);
    // Gives waiting calls to connections, first come first served; those for which there is no hope fail.
    void move_waiting() noexcept;
    [[nodiscard]] waiting_calls::list take_hopeless_locked() noexcept;
    // With the lock held, so that a cancel finds the call either here or on its way.
    [[nodiscard]] result<void> enqueue_locked(const intrusive_ptr<call>& which);
    inline void fire(bool due) noexcept override;
    void complete(intrusive_ptr<call> which, error why, std::string_view peer = {}) noexcept;

    const std::shared_ptr<const client_options> options_;
    const intrusive_ptr<runtime_state> runtime_;
    const intrusive_ptr<client_offer> offered_;
    const io_place home_;
    const executor_ref callbacks_;
    std::stop_source closing_;

    mutable std::mutex mutex_;
    fleet fleet_;
    waiting_calls waiting_;
    bool moving_ = false;      // A thread is inside `move_waiting`;
    bool move_again_ = false;  // it has to look once more.
    time_point alarm_for_ = no_deadline;
    service_numbers services_;
    attempts attempts_{options_->retry, options_->retry_budget};
    std::vector<std::function<void(result<void>)>> ready_waiters_;
    session_stats past_;  // Of connections that are gone.
    std::uint64_t past_connects_ = 0;
    std::uint64_t calls_ = 0;
    bool closed_ = false;

    pausing_calls pausing_{*this, *this, mutex_, home_.where};
    hedging_path hedging_{*this, *this, mutex_, fleet_, attempts_, home_.where, options_->hedge};
    standing_rules rules_{*options_, attempts_, hedging_, fleet_};
    provider_pings pings_{*this, mutex_, fleet_, home_.where};
    provider_feed feed_{*this, *this, mutex_, fleet_, rules_, runtime_->reports(), home_.where, callbacks_};
    call_books books_{*options_, runtime_->reports()};
};

inline const service_info& channel::open(const std::string& key, std::vector<method_info> (*make)(const std::string& key)) {
    const std::lock_guard lock{mutex_};
    return services_.open(key, make);
}

inline void channel::submit(intrusive_ptr<call> which) noexcept {
    which->wants_times = books_.has_hook();
    if (hedging_.may_concern(*which) && hedging_.submit(which)) [[unlikely]] return;
    route(std::move(which), true);
}

inline bool channel::goes_behind_locked(const intrusive_ptr<call>& which) {
    if (!moving_ && waiting_.empty()) return false;
    return (which->request.wait_for_ready || fleet_.wake(*which)) && enqueue_locked(which).has_value();
}

inline void channel::move_waiting() noexcept {
    using look = waiting_calls::look;
    std::unique_lock lock{mutex_};
    move_again_ = true;
    if (std::exchange(moving_, true)) return;
    while (std::exchange(move_again_, false)) {
        // Where one call finds no connection, others of its route find none either, and where it may go anywhere, none do.
        std::shared_ptr<const futon::route> blocked;
        for (const auto at = now(); !waiting_.empty();) {
            connection* picked = nullptr;
            auto next = waiting_.take_first([&](call& each) {
                const auto& towards = each.request.towards;
                if (blocked && towards == blocked) return look::pass;
                if ((picked = begin_locked(each, at))) return look::take;
                blocked = towards;
                return towards ? look::pass : look::stop;
            });
            if (!next) break;
            lock.unlock();
            picked->submit(std::move(next));
            lock.lock();
        }
        auto hopeless = take_hopeless_locked();
        if (hopeless.empty()) continue;
        std::vector<error> why;
        for (const auto& each : hopeless) why.push_back(fleet_.why_not(each.get()));
        lock.unlock();
        for (auto next = why.begin(); auto& each : hopeless) complete(std::move(each), std::move(*next++));
        lock.lock();
    }
    moving_ = false;
}

inline waiting_calls::list channel::take_hopeless_locked() noexcept {
    if (waiting_.empty()) return {};
    const bool hope = fleet_.wake();
    if (hope && !waiting_.has_routes()) return {};
    return waiting_.take_if([&](const call& each) {
        return !each.request.wait_for_ready && (!hope || (each.request.towards && !fleet_.wake(each)));
    });
}

inline error channel::why_not_connected() const {
    const std::lock_guard lock{mutex_};
    return fleet_.why_not();
}

inline void channel::route(intrusive_ptr<call> which, bool is_new) noexcept {
    if (which->cancel_requested.load())
        return complete(std::move(which), error{errc::cancelled, "the caller cancelled the call", executed::no});
    auto to = find_way(which, is_new);
    if (to.ready) [[likely]] return to.ready->submit(std::move(which));
    if (to.behind) return move_waiting();
    if (to.closed) return complete(std::move(which), *std::move(to.closed));
}

inline connection* channel::begin_locked(call& which, time_point now) noexcept {
    auto* const ready = fleet_.begin(which, now);
    if (ready) [[likely]] begun_locked(which, *ready);
    return ready;
}

inline void channel::begun_locked(call& which, connection& on) noexcept {
    which.at = intrusive_ptr<carrier>{&on};
    if (which.attempts++ == 0) attempts_.begun();
}

inline channel::way channel::find_way(const intrusive_ptr<call>& which, bool is_new) noexcept {
    const std::lock_guard lock{mutex_};
    if (is_new) {
        which->turn = ++calls_;
        if (auto why = fleet_.turns_away(which->started)) [[unlikely]] return {.closed = std::move(why)};
    }
    const bool may_pass = !closed_ && waiting_.empty() && !moving_;
    if (may_pass && is_new) [[likely]] if (auto* const ready = begin_locked(*which, which->started)) return {ready};
    return find_way_locked(which, is_new);
}

channel::way channel::find_way_locked(const intrusive_ptr<call>& which, bool is_new) {
    if (closed_) return {.closed = error{errc::client_closed, "the client was closed", executed::no}};
    if (is_new && goes_behind_locked(which)) return {.behind = true};
    if (auto* const ready = begin_locked(*which, now())) return {ready};
    if (!fleet_.wake(*which) && !which->request.wait_for_ready) return {.closed = fleet_.why_not(which.get())};
    if (auto queued = enqueue_locked(which); !queued) return {.closed = std::move(queued).error()};
    return {};
}

inline result<void> channel::enqueue_locked(const intrusive_ptr<call>& which) {
    if (which->cancel_requested.load()) return error{errc::cancelled, "the caller cancelled the call", executed::no};
    if (!waiting_.has_room(*which, options_->limits))
        return error{errc::overloaded,
                     "the client's queue is full: " + std::to_string(waiting_.size()) +
                         " calls wait for a connection (limits.max_queued_calls, limits.max_queued_bytes)",
                     executed::no};
    waiting_.push(which);
    if (which->request.deadline < alarm_for_) {
        if (alarm_for_ == no_deadline) add_ref();
        alarm_for_ = which->request.deadline;
        home_.where->arm(*this, alarm_for_);
    }
    return {};
}

inline void channel::fire(bool due) noexcept {
    const auto self = intrusive_ptr<channel>::adopt(this);
    waiting_calls::list expired;
    std::string why;
    {
        const std::lock_guard lock{mutex_};
        // Where it was armed again meanwhile, that is part of this one.
        static_cast<void>(home_.where->disarm(*this));
        alarm_for_ = no_deadline;
        const auto reached = due ? now() : no_deadline;
        expired = waiting_.take_if([&](const call& each) { return each.request.deadline <= reached; });
        if (!expired.empty() && (!fleet_.empty() || !fleet_.is_told())) why = fleet_.why_not(expired.front().get()).message();
        if (const auto next = waiting_.earliest_deadline(); next != no_deadline) {
            add_ref();
            alarm_for_ = next;
            home_.where->arm(*this, next);
        }
    }
    const auto over = due ? error{errc::deadline_exceeded, "no connection took the call in time" + (why.empty() ? "" : "; last: " + why), executed::no}
                          : error{errc::client_closed, "the client's executor has ended", executed::no};
    for (auto& each : expired) complete(std::move(each), over);
}

inline void channel::cancel(call& which) noexcept {
    which.cancel_requested.store(true);
    intrusive_ptr<call> waited;
    intrusive_ptr<carrier> at;
    std::vector<intrusive_ptr<call>> under_way;
    {
        const std::lock_guard lock{mutex_};
        at = which.at;
        if (auto* const hedge = hedge_of(which); hedge && hedge->is_asked(which)) {
            under_way = hedge->attempts();
            at = nullptr;
        } else if (!at) {
            auto taken = waiting_.take_if([&](const call& each) { return &each == &which; });
            waited = taken.empty() ? pausing_.take(which) : std::move(taken.front());
        }
    }
    if (at) return static_cast<connection&>(*at).cancel(intrusive_ptr<call>{&which});
    if (waited) complete(std::move(waited), error{errc::cancelled, "the caller cancelled the call", executed::no});
    for (const auto& each : under_way) cancel(*each);
}

inline void channel::failed(intrusive_ptr<call> which, error why) noexcept {
    std::string peer;
    std::optional<duration> pause;
    {
        const auto at_time = now();
        // What surely did not run comes from the connection's own executor.
        const bool gone = why.ran() == executed::no && !(which->at && static_cast<connection&>(*which->at).is_serving());
        const std::lock_guard lock{mutex_};
        fleet::tried(*which);
        fleet_.ended(*which, &why, at_time, gone);
        if (!closed_) pings_.plan();
        if (const auto at = std::exchange(which->at, nullptr)) peer = at->peer();
        which->id = 0;
        which->ran = std::max(which->ran, why.ran());
        auto* const hedge = hedge_of(*which);
        if (closed_) {
            why = error{errc::client_closed, "the client was closed", why.ran()};
        } else if (hedge && hedge->leaves_it_to_others(*which, why, at_time)) {
            return;
        } else if (!which->streams || !which->streams->taken) {
            pause = attempts_.after(retry_of(*which, attempts_.policy()), why, hedge ? hedge->made() : which->attempts,
                                    which->request.method->idempotent, at_time, which->request.deadline, gone);
        }
    }
    if (!pause) {
        why = why.with_where(which->request.method->full_name() + (peer.empty() ? "" : " at " + peer));
        return complete(std::move(which), std::move(why), peer);
    }
    books_.retried();
    if (*pause == duration{}) return route(std::move(which));
    if (!pausing_.begin(which, *pause, [&](const call& it) { return !closed_ && !it.cancel_requested.load(); })) route(std::move(which));  // It is over.
}

inline void channel::pause_over(intrusive_ptr<call> which, bool due) noexcept {
    if (due) return route(std::move(which));
    complete(std::move(which), error{errc::client_closed, "the client was closed", executed::no});
}

inline void channel::complete(intrusive_ptr<call> which, error why, std::string_view peer) noexcept {
    if (which->request.oneway) return lost_oneway(*which, std::move(why));
    if (which->hedge && !hedge_of(*which)->is_asked(*which)) [[unlikely]] return hedging_.complete_attempt(std::move(which), std::move(why), peer);
    books_.failed();
    if (why.where().empty()) why = why.with_where(which->request.method->full_name());
    // An earlier attempt counts, too.
    if (which->ran > why.ran()) why = why.with_executed(which->ran);
    if (books_.has_hook()) books_.report(*which, peer, &why, nullptr, now());
    which->fail(std::move(why));
}

// Its caller was told that it is queued; nobody else hears that it was not sent after all.
inline void channel::lost_oneway(const call& which, error why) noexcept {
    books_.failed();
    runtime_->reports().unhandled(why.where().empty() ? why.with_where(which.request.method->full_name()) : why);
}

inline result<void> channel::send_oneway(intrusive_ptr<call> made) noexcept {
    made->request.oneway = true;
    if (const auto size = made->request.arguments.size(), most = options_->limits.max_body_bytes; size > most)
        return error{errc::message_too_big, "bytes of arguments (limits.max_body_bytes): " + std::to_string(size) + ", limit " + std::to_string(most), executed::no}
            .with_where(made->request.method->full_name());
    auto to = find_way(made, true);
    if (to.closed) {
        books_.failed();
        return to.closed->where().empty() ? to.closed->with_where(made->request.method->full_name()) : *std::move(to.closed);
    }
    if (to.ready) {
        to.ready->submit(std::move(made));
    } else if (to.behind) {
        move_waiting();
    }
    return {};
}

inline void channel::lane_changed(lane& which) noexcept {
    std::vector<std::function<void(result<void>)>> waiters;
    lane_list leaving;
    {
        const std::lock_guard lock{mutex_};
        if (closed_) return;
        leaving = fleet_.changed(which, now());
        pings_.plan();
        if (fleet_.any_ready()) waiters = std::exchange(ready_waiters_, {});
    }
    lanes_left(leaving);
    for (auto& waiter : waiters) waiter({});
    move_waiting();
}

inline void channel::lane_told_load(lane& which, const load_report& report) noexcept {
    const std::lock_guard lock{mutex_};
    fleet_.took_report(which, report, now());
}

inline void channel::lane_alive(lane& which, std::uint64_t token, time_point when) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    fleet_.alive(which, token, when);
    pings_.plan();
}

inline bool channel::lane_has_room(lane& which, connection& where) noexcept {
    using look = waiting_calls::look;
    for (;;) {
        intrusive_ptr<call> next;
        {
            const std::lock_guard lock{mutex_};
            auto* const machine = where.session();
            if (waiting_.empty()) {
                which.not_full();
                return false;
            }
            if (!machine || where.has_inbox()) return true;
            bool full = false;
            next = waiting_.take_first([&](call& each) {
                if (!machine->may_start(each.request)) return full = true, look::stop;
                return fleet_.begin_on(each, which, where.batch_time()) ? look::take : look::pass;
            });
            if (!next) {
                if (!full) which.not_full();
                return full;
            }
            begun_locked(*next, where);
        }
        where.begin(std::move(next));
    }
}

// To another connection that has room, else into the queue.
inline void channel::lane_parks(intrusive_ptr<call> which) noexcept {
    {
        const std::lock_guard lock{mutex_};
        fleet_.undone(*which, now());
        which->at = nullptr;
        --which->attempts;
        if (auto* const hedge = hedge_of(*which); hedge && hedge->leaves_it_to_others(*which, error{errc::overloaded, executed::no}, now())) return;
    }
    route(std::move(which));
}

inline void channel::lane_replied(intrusive_ptr<call> which, const response& reply) noexcept {
    if (which->attempt.on) {
        const std::lock_guard lock{mutex_};
        fleet_.ended(*which, nullptr, static_cast<connection&>(*which->at).batch_time());
    }
    auto bounded = reply;
    bounded.complexity = &options_->limits.complexity;
    // Where nobody waits any more, nobody decodes it either. Of attempts side by side one counts.
    if (!which->succeed(bounded) && !which->hedge) decoded(*which, reply, nullptr);
}

inline void channel::decoded(const call& which, const response& reply, const error* bad) noexcept {
    bad ? books_.failed() : books_.succeeded();
    if (books_.has_hook()) books_.report(which, which.at ? std::string_view{which.at->peer()} : std::string_view{}, bad, reply.headers, now());
}

inline intrusive_ptr<lane> channel::make_lane(const endpoint& to, bool first) {
    return make_intrusive<lane>(intrusive_ptr<any_channel>{this}, *this, mutex_, to, first ? home_ : runtime_->next_place());
}

inline void channel::providers_changed() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) pings_.plan();
    }
    move_waiting();
}

inline void channel::lanes_left(const lane_list& leaving) noexcept {
    if (leaving.empty()) return;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& each : leaving) past_connects_ += each->connects();
    }
    for (const auto& each : leaving) each->retire(error{errc::unavailable, "the endpoint is no longer listed", executed::no});
}

inline void channel::when_ready(std::function<void(result<void>)> waiter) {
    bool closed = false;
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) {
            static_cast<void>(fleet_.wake_any());
            if (!fleet_.any_ready()) ready_waiters_.push_back(std::exchange(waiter, nullptr));
        }
        closed = closed_;
    }
    if (!waiter) return;
    if (closed) return waiter(error{errc::client_closed, "the client was closed", executed::no});
    waiter({});
}

inline void channel::close() noexcept {
    waiting_calls::list waiting;
    lane_list leaving;
    std::vector<std::function<void(result<void>)>> waiters;
    feed_.end();
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(closed_, true)) return;
        hedging_.close();
        feed_.close();
        pings_.close();
        waiting = waiting_.take_all();
        leaving = fleet_.take_all();
        waiters = std::exchange(ready_waiters_, {});
        pausing_.take_all(waiting);
        if (alarm_for_ != no_deadline && home_.where->disarm(*this)) release();
        alarm_for_ = no_deadline;
    }
    const error why{errc::client_closed, "the client was closed", executed::no};
    for (auto& waiter : waiters) waiter(why);
    closing_.request_stop();
    feed_.settle_lists();
    for (auto& each : waiting) complete(std::move(each), why);
    for (const auto& each : leaving) each->close(why.with_executed(executed::maybe));
}

inline void channel::inspect(const intrusive_ptr<pending_list>& list) const {
    std::vector<intrusive_ptr<connection>> open;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& each : waiting_) list->add(*each, pending_call::state::queued, {});
        pausing_.for_each([&](const call& each) { list->add(each, pending_call::state::pausing, {}); });
        for (const auto& each : fleet_.with_retired()) {
            const auto its = each->connections();
            open.insert(open.end(), its.begin(), its.end());
        }
    }
    for (const auto& each : open)
        each->inspect([list, peer = each->peer()](const call& which) { list->add(which, pending_call::state::sent, peer); });
}

inline client_stats channel::stats() const noexcept {
    client_stats sum;
    books_.add_to(sum);
    sum.threads = runtime_->reports().counted();
    const std::lock_guard lock{mutex_};
    sum.calls = calls_;
    sum.queued = waiting_.size();
    hedging_.add_to(sum);
    const auto counts = fleet_.counts();
    sum.providers = counts.listed;
    sum.usable_providers = counts.usable;
    sum.ejected_providers = counts.ejected;
    sum.suspect_providers = counts.suspects;
    sum.connects = past_connects_;
    sum.wire = past_;
    for (const auto& each : fleet_.lanes()) {
        sum.connections += each->current() == lane::state::ready ? 1u : 0u;
        sum.connects += each->connects();
        sum.wire += each->stats();
    }
    return sum;
}

inline void channel::lane_counted(const session_stats& counters) noexcept {
    const std::lock_guard lock{mutex_};
    past_ += counters;
    past_.in_flight_sent = past_.in_flight_received = 0;
}

}  // namespace futon::detail
