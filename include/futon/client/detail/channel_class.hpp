// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The routing of a client's calls: its parts, and the one lock under which they are moved about. What is chosen, and
/// why, is the fleet's.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/call_books.hpp>
#include <futon/client/detail/calls_to_move.hpp>
#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/hedging_path.hpp>
#include <futon/client/detail/pausing_calls.hpp>
#include <futon/client/detail/pending_list.hpp>
#include <futon/client/detail/provider_feed.hpp>
#include <futon/client/detail/provider_pings.hpp>
#include <futon/client/detail/ready_waiters.hpp>
#include <futon/client/detail/routing_mutex.hpp>
#include <futon/client/detail/standing_rules.hpp>
#include <futon/client/detail/waiting_calls.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/service_numbers.hpp>

#include <atomic>
#include <cstdint>
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
class channel final : public any_channel,
                      public lane_owner,
                      private pause_owner,
                      private hedging_owner,
                      private feed_owner,
                      private timer {
public:
    channel(std::shared_ptr<const client_options> how, intrusive_ptr<runtime_state> runtime,
            intrusive_ptr<client_offer> offered)
        : options_{std::move(how)},
          runtime_{std::move(runtime)},
          offered_{std::move(offered)},
          home_{runtime_->next_place()},
          callbacks_{options_->callbacks ? options_->callbacks : home_.where},
          fleet_{rules_of(*options_), seed_for(home_)} {}

    // What stubs see.
    inline void submit(intrusive_ptr<call> which) noexcept override;
    inline result<void> send_oneway(intrusive_ptr<call> made) noexcept override;
    inline const service_info& open(const std::string& key,
                                    std::vector<method_info> (*make)(const std::string& key)) override;
    const executor_ref& callback_executor() const noexcept override { return callbacks_; }
    duration default_timeout() const noexcept override { return rules_.timeout(); }
    time_point now() const noexcept override { return home_.where->now(); }
    rough_time rough_now() const noexcept override {
        return options_->on_call ? exactly(now()) : home_.where->rough_now();
    }
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
    /// Answers `waiter` once: when a connection is ready, or with an error when the channel closes; dropped if it has
    /// been cancelled.
    void when_ready(ready_waiters::waiter waiter);
    void close() noexcept;
    [[nodiscard]] client_stats stats() const noexcept;
    /// Adds every call that is under way; those that connections have are added later, on their threads.
    void inspect(const intrusive_ptr<pending_list>& list) const;
    /// Why no call can be sent now: the last failure of each address.
    [[nodiscard]] error why_not_connected();

    const client_options& options() const noexcept override { return *options_; }
    /// What servers may call back.
    client_offer& offered() const noexcept override { return *offered_; }

private:
    // What lanes tell.
    inline void lane_changed(lane& which) noexcept override;
    inline void lane_lost_oneways(lane& which, std::uint64_t count, const error& why) noexcept override;
    inline void lane_told_load(lane& which, const load_report& report) noexcept override;
    inline bool lane_has_room(lane& which, connection& where) noexcept override;
    inline void lane_parks(intrusive_ptr<call> which) noexcept override;
    inline void lane_replied(intrusive_ptr<call> which, const response& reply) noexcept override;
    inline void lane_alive(lane& which, std::uint64_t token, time_point when) noexcept override;
    inline void lane_counted(const session_stats& counters) noexcept override;

    // What its parts tell.
    inline void pause_over(intrusive_ptr<call> which, bool due) noexcept override;
    void attempt_made(intrusive_ptr<call> attempt) noexcept override { route(std::move(attempt), true); }
    void call_failed(intrusive_ptr<call> asked, error why, std::string_view peer) noexcept override {
        complete(std::move(asked), std::move(why), peer);
    }
    inline intrusive_ptr<lane> make_lane(const endpoint& to, bool first) override;
    bool wants_connections() const noexcept override { return !waiting_.empty() || !ready_waiters_.empty(); }
    inline void lanes_left(const lane_list& leaving) noexcept override;
    inline void providers_changed() noexcept override;

    // The connection of a plain call that is made inside its executor, without the lock; null: it goes the usual way.
    [[nodiscard]] inline connection* begin_quickly(call& which) noexcept;
    // So many were made. As the turn of the latest: whoever knows of a call that was made before has a lower one,
    // whichever way either goes.
    [[nodiscard]] std::uint64_t calls() const noexcept {
        return locked_calls_.load(std::memory_order_relaxed) + attempts_.quick();
    }
    void route(intrusive_ptr<call> which, bool is_new = false) noexcept;
    // What becomes of a call: it goes out at once, or it waits, or it fails.
    struct way {
        connection* ready = nullptr;  // Held by the call.
        bool behind = false;          // Others wait, too: follow with `move_waiting`,
        std::uint64_t provider = 0;   // of those for this one.
        std::optional<error> closed{};
    };
    [[nodiscard]] way find_way(const intrusive_ptr<call>& which, bool is_new) noexcept;
    [[gnu::cold, gnu::noinline]] inline way find_way_locked(const intrusive_ptr<call>& which, bool is_new);
    // Null if no connection takes it now.
    [[nodiscard]] connection* begin_locked(call& which, time_point now) noexcept;
    void begun_locked(call& which, connection& on) noexcept;
    // Puts a new call behind those that wait, if any do and it may: calls keep the order in which they were made.
    // Follow with `move_waiting`, of those for the provider that comes back.
    [[nodiscard]] way goes_behind_locked(const intrusive_ptr<call>& which);
    // Gives these waiting calls to connections, first come first served; those for which there is no hope fail.
    void move_waiting(waiting_calls::part these) noexcept;
    [[nodiscard]] waiting_calls::list take_hopeless_locked(waiting_calls::part these) noexcept;
    // With the lock held, so that a cancel finds the call either here or on its way.
    [[nodiscard]] result<std::uint64_t> enqueue_locked(const intrusive_ptr<call>& which);
    [[nodiscard]] inline bool arm_locked(time_point due) noexcept;
    inline void fire(bool due) noexcept override;
    void complete(intrusive_ptr<call> which, error why, std::string_view peer = {}) noexcept;
    void lost_oneway(const call& which, error why) noexcept;

    const std::shared_ptr<const client_options> options_;
    const intrusive_ptr<runtime_state> runtime_;
    const intrusive_ptr<client_offer> offered_;
    const io_place home_;
    const executor_ref callbacks_;
    std::stop_source closing_;

    mutable routing_mutex mutex_;
    fleet fleet_;
    waiting_calls waiting_;
    bool moving_ = false;    // A thread is inside `move_waiting`;
    calls_to_move to_move_;  // it has to look at these, too.
    time_point alarm_for_ = no_deadline;
    service_numbers services_;
    attempts attempts_{options_->retry, options_->retry_budget};
    ready_waiters ready_waiters_;
    session_stats past_;  // Of connections that are gone.
    std::uint64_t past_connects_ = 0;
    std::atomic<std::uint64_t> locked_calls_{0};  // The others are counted by `attempts_`. One writer at a time.
    bool closed_ = false;

    pausing_calls pausing_{*this, *this, mutex_, home_.where};
    hedging_path hedging_{*this, *this, mutex_, fleet_, attempts_, home_.where, options_->hedge};
    standing_rules rules_{*options_, attempts_, hedging_, fleet_};
    provider_pings pings_{*this, mutex_, fleet_, home_.where};
    provider_feed feed_{*this,          *this,      mutex_,
                        fleet_,         rules_,     runtime_->reports(),
                        home_.where,    callbacks_, options_->reconnect,
                        seed_for(home_)};
    call_books books_{*options_, runtime_->reports()};
};

}  // namespace futon::detail
