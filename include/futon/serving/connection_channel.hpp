// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls over one connection that is there already: how a handler calls back whoever called it.

#include <futon/core/time.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/service_numbers.hpp>
#include <futon/serving/offer.hpp>
#include <futon/transport/connection.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// No waiting and no second try: a call leaves now, or fails as not executed. Of a one-way call that was queued and did
/// not run the runtime is told.
///
/// Thread-safety: safe. Lifetime: stubs may keep it; after the connection's end their calls fail at once.
class connection_channel final : public any_channel {
public:
    /// `counted_by` is whose handlers call. `numbering` is what else makes calls over the connection, and so gives its
    /// methods their numbers; null if nothing does.
    connection_channel(intrusive_ptr<offer> counted_by, intrusive_ptr<connection> over, executor_ref where,
                       duration timeout, intrusive_ptr<any_channel> numbering)
        : counted_by_{std::move(counted_by)},
          where_{std::move(where)},
          timeout_{timeout},
          numbering_{std::move(numbering)},
          over_{std::move(over)} {}

    void submit(intrusive_ptr<call> which) noexcept override {
        if (const auto over = take_on(*which)) return over->submit(std::move(which));
        complete(std::move(which), gone());
    }
    result<void> send_oneway(intrusive_ptr<call> which) noexcept override {
        which->request.oneway = true;
        const auto over = take_on(*which);
        if (!over) return gone();
        over->submit(std::move(which));
        return {};
    }
    const service_info& open(const std::string& key,
                             std::vector<method_info> (*make)(const std::string& key)) override {
        if (numbering_) return numbering_->open(key, make);
        const std::lock_guard lock{mutex_};
        return services_.open(key, make);
    }
    const executor_ref& callback_executor() const noexcept override { return where_; }
    duration default_timeout() const noexcept override { return timeout_; }
    time_point now() const noexcept override { return where_->now(); }
    rough_time rough_now() const noexcept override { return where_->rough_now(); }

    void cancel(call& which) noexcept override {
        which.cancel_requested.store(true);
        intrusive_ptr<carrier> at;
        {
            const std::lock_guard lock{mutex_};
            at = which.at;
        }
        if (at) static_cast<connection&>(*at).cancel(intrusive_ptr<call>{&which});
    }
    void failed(intrusive_ptr<call> which, error why) noexcept override {
        std::string peer;
        {
            const std::lock_guard lock{mutex_};
            if (const auto at = std::exchange(which->at, nullptr)) peer = " at " + at->peer();
            which->id = 0;
        }
        why = why.with_where(which->request.method->full_name() + peer);
        complete(std::move(which), std::move(why));
    }
    bool is_at(const call& which, const carrier& where) const noexcept override {
        const std::lock_guard lock{mutex_};
        return which.at.get() == &where;
    }
    bool needs_this_thread() const noexcept override { return where_->blocked_by_this_thread(); }

    /// The connection has ended, and has given back all its calls.
    void close() noexcept {
        intrusive_ptr<connection> ended;
        const std::lock_guard lock{mutex_};
        std::swap(ended, over_);
    }

private:
    // With its place noted, so that a cancel finds it. Null once the connection has ended.
    intrusive_ptr<connection> take_on(call& which) noexcept {
        const std::lock_guard lock{mutex_};
        if (over_) {
            which.at = over_;
            ++which.attempts;
        }
        return over_;
    }
    void complete(intrusive_ptr<call> which, error why) const noexcept {
        if (why.where().empty()) say_where(why, *which);
        if (which->request.oneway) return counted_by_->lost_oneways(1, why);
        which->fail(std::move(why));
    }
    [[nodiscard]] static error gone() {
        return {errc::connection_lost, "the connection that this stub calls over has ended", executed::no};
    }

    const intrusive_ptr<offer> counted_by_;
    const executor_ref where_;
    const duration timeout_;
    const intrusive_ptr<any_channel> numbering_;
    mutable std::mutex mutex_;
    intrusive_ptr<connection> over_;
    service_numbers services_;
};

}  // namespace futon::detail
