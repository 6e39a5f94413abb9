// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a channel's calls end, or are made again where a failed attempt may be repeated.

#include <futon/client/detail/channel_class.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

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
            waited = waiting_.take(which);
            if (!waited) waited = pausing_.take(which);
        }
    }
    if (at) return static_cast<connection&>(*at).cancel(intrusive_ptr<call>{&which});
    if (waited) complete(std::move(waited), error{errc::cancelled, "the caller cancelled the call", executed::no});
    for (const auto& each : under_way) cancel(*each);
}

inline void channel::failed(intrusive_ptr<call> which, error why) noexcept {
    intrusive_ptr<carrier> at;
    std::optional<duration> pause;
    {
        const auto at_time = now();
        // What surely did not run comes from the connection's own executor.
        const bool gone =
            why.ran() == executed::no && !(which->at && static_cast<connection&>(*which->at).is_serving());
        const std::lock_guard lock{mutex_};
        fleet::tried(*which);
        fleet_.ended(*which, &why, at_time, gone);
        if (!closed_) pings_.plan();
        at = std::exchange(which->at, nullptr);
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
        const auto peer = at ? std::string_view{at->peer()} : std::string_view{};
        say_where(why, *which, peer);
        return complete(std::move(which), std::move(why), peer);
    }
    books_.retried();
    if (*pause == duration{}) return route(std::move(which));
    // It is over.
    if (!pausing_.begin(which, *pause, [&](const call& it) { return !closed_ && !it.cancel_requested.load(); }))
        route(std::move(which));
}

inline void channel::pause_over(intrusive_ptr<call> which, bool due) noexcept {
    if (due) return route(std::move(which));
    complete(std::move(which), error{errc::client_closed, "the client was closed", executed::no});
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
    if (books_.has_hook())
        books_.report(which, which.at ? std::string_view{which.at->peer()} : std::string_view{}, bad, reply.headers,
                      now());
}

inline void channel::complete(intrusive_ptr<call> which, error why, std::string_view peer) noexcept {
    if (which->request.oneway) return lost_oneway(*which, std::move(why));
    if (which->hedge && !hedge_of(*which)->is_asked(*which)) [[unlikely]]
        return hedging_.complete_attempt(std::move(which), std::move(why), peer);
    books_.failed();
    if (why.where().empty()) say_where(why, *which);
    // An earlier attempt counts, too.
    if (which->ran > why.ran()) why = why.with_executed(which->ran);
    if (books_.has_hook()) books_.report(*which, peer, &why, nullptr, now());
    which->fail(std::move(why));
}

// Its caller was told that it is queued; nobody else hears that it was not sent after all.
inline void channel::lost_oneway(const call& which, error why) noexcept {
    books_.failed();
    if (why.where().empty()) say_where(why, which);
    runtime_->reports().unhandled(why);
}

}  // namespace futon::detail
