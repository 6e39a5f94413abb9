// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The way of calls that may be hedged: the caller's call stays behind, and what goes out are its attempts.

#include <futon/client/client_options.hpp>
#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/hedged_call.hpp>
#include <futon/client/detail/hedges.hpp>
#include <futon/client/detail/routing_mutex.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>
#include <futon/message/response.hpp>
#include <futon/transport/connection.hpp>

#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// What hedging needs of the channel that it belongs to. Never called with its lock held.
class hedging_owner {
public:
    /// Sends a new attempt on its way.
    virtual void attempt_made(intrusive_ptr<call> attempt) noexcept = 0;
    /// The caller's call has failed.
    virtual void call_failed(intrusive_ptr<call> asked, error why, std::string_view peer) noexcept = 0;

protected:
    ~hedging_owner() = default;
};

/// Shares its channel's lock, and what that guards.
class hedging_path final : private hedge_owner {
public:
    /// `home` has the timers.
    hedging_path(call_router& channel, hedging_owner& owner, routing_mutex& mutex, fleet& providers, attempts& repeats,
                 executor_ref home, const hedging& rule)
        : channel_{channel},
          owner_{owner},
          mutex_{mutex},
          fleet_{providers},
          attempts_{repeats},
          home_{std::move(home)},
          hedges_{rule} {}

    // Without the lock.

    /// Whether `submit` may take it.
    [[nodiscard]] bool may_concern(const call& which) const noexcept { return hedges_.may_concern(which); }
    /// False: it is not hedged, and goes the way of other calls.
    [[nodiscard, gnu::cold, gnu::noinline]] inline bool submit(const intrusive_ptr<call>& asked) noexcept;
    /// A service is going to be called, of which `rule` was asked for all calls: says so where that is for nothing.
    [[gnu::cold]] void look_at(const service_info& opened, const hedging& rule) const noexcept {
        if (rule.max_attempts <= 1 || opened.methods.empty()) return;
        for (const auto& each : opened.methods)
            if (each.idempotent && !each.has_streams) return;
        warn(opened.methods.front().service, opened.methods.data());
    }
    /// An attempt has failed for good.
    [[gnu::cold, gnu::noinline]] inline void complete_attempt(intrusive_ptr<call> which, error why,
                                                              std::string_view peer) noexcept;

    // With the lock held.

    /// Of calls that say nothing else.
    void set_rule(const hedging& rule) noexcept { hedges_.set_rule(rule); }
    /// No more attempts.
    void close() noexcept { closed_ = true; }
    void add_to(client_stats& sum) const noexcept { hedges_.add_to(sum); }

private:
    inline void hedge_due(hedged_call& which) noexcept override;
    inline void hedge_answered(hedged_call& which, const call& attempt, const response& reply) noexcept override;
    inline void hedge_failed(hedged_call& which, error why) noexcept override;
    [[nodiscard]] time_point now() const noexcept { return home_->now(); }
    // `what` is not hedged, though that was asked for: once.
    void warn(const std::string& what, const void* once) const noexcept {
        if (!home_->reports().is_first(once)) return;
        try {
            const auto text = "'" + what +
                              "' is not hedged, though .hedge asks for it: only methods that are futon::idempotent in "
                              "their contract, and have no streams, may run twice side by side";
            home_->reports().log(
                {.level = log_level::warning, .kind = "hedge_without_effect", .text = text, .where = what});
        } catch (const std::bad_alloc&) {  // No memory for words.
        }
    }

    call_router& channel_;
    hedging_owner& owner_;
    routing_mutex& mutex_;
    fleet& fleet_;
    attempts& attempts_;
    const executor_ref home_;
    hedges hedges_;
    bool closed_ = false;
};

bool hedging_path::submit(const intrusive_ptr<call>& asked) noexcept {
    if (!hedges::may_be_hedged(*asked)) {
        const auto& own = asked->options ? asked->options->hedge : std::nullopt;
        if (own && own->max_attempts > 1) warn(asked->request.method->full_name(), asked->request.method);
        return false;
    }
    intrusive_ptr<call> first;
    try {
        const auto at_time = now();
        const std::lock_guard lock{mutex_};
        const auto rule = hedges_.rule_of(*asked, attempts_.policy());
        if (closed_ || !rule) return false;
        const auto made = make_intrusive<hedged_call>(intrusive_ptr<call_router>{&channel_},
                                                      static_cast<hedge_owner&>(*this), home_, asked, *rule, at_time);
        first = made->make_attempt();
        made->add(first);
        if (const auto delay = hedges_.delay(*asked, *rule, at_time)) made->plan(*delay, at_time);
        // From here on a cancel finds the attempt; one that came before stops it when it is routed.
        asked->hedge = made;
        if (asked->cancel_requested.load()) first->cancel_requested.store(true);
    } catch (const std::bad_alloc&) {
        return false;
    }
    owner_.attempt_made(std::move(first));
    return true;
}

inline void hedging_path::hedge_due(hedged_call& which) noexcept {
    intrusive_ptr<call> more;
    connection* to = nullptr;
    try {
        const auto at_time = now();
        const std::lock_guard lock{mutex_};
        if (closed_ || !which.is_due(at_time)) return;
        if (which.made() >= retry_of(which.asked(), attempts_.policy()).max_attempts) return;
        more = which.make_attempt();
        which.share_tried(*more);
        to = fleet_.begin_beside(*more, at_time, [&] { return attempts_.may_hedge(at_time); });
        if (!to) return which.plan_again(at_time);
        more->at = intrusive_ptr<carrier>{to};
        more->attempts = 1;
        which.add(more);
        which.plan_next(at_time);
        hedges_.made();
    } catch (const std::bad_alloc&) {
        return;
    }
    to->submit(std::move(more));
}

inline void hedging_path::hedge_answered(hedged_call& which, const call& attempt, const response& reply) noexcept {
    hedged_call::rest left;
    {
        const auto at_time = now();
        const std::lock_guard lock{mutex_};
        hedges_.answered(which, attempt, at_time);
        left = which.finish(&attempt);
    }
    for (const auto& each : left.attempts) channel_.cancel(*each);
    if (!left.asked->succeed(reply)) channel_.decoded(*left.asked, reply, nullptr);
}

void hedging_path::complete_attempt(intrusive_ptr<call> which, error why, std::string_view peer) noexcept {
    {
        const auto at_time = now();
        const std::lock_guard lock{mutex_};
        auto& hedge = *hedge_of(*which);
        if (hedge.leaves_it_to_others(*which, why, at_time)) return;
        hedge.was_last(*which, peer);
    }
    which->fail(std::move(why));
}

inline void hedging_path::hedge_failed(hedged_call& which, error why) noexcept {
    hedged_call::rest left;
    std::string peer;
    {
        const std::lock_guard lock{mutex_};
        left = which.finish(nullptr);
        peer = which.peer();
    }
    for (const auto& each : left.attempts) channel_.cancel(*each);
    owner_.call_failed(std::move(left.asked), std::move(why), peer);
}

}  // namespace futon::detail
