// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that may have several attempts under way at once: which
/// there are, which of them counts, and what is left of the others.

#include <futon/client/detail/attempts.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/hedging.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/response.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

class hedged_call;

/// What a hedged call tells the channel that it belongs to. Never called with the channel's lock held.
class hedge_owner {
public:
    /// Its last attempt has not been answered for as long as was planned.
    virtual void hedge_due(hedged_call& which) noexcept = 0;
    /// An attempt was answered, as the first: called once, unless `hedge_failed` is.
    virtual void hedge_answered(hedged_call& which, const call& attempt, const response& reply) noexcept = 0;
    /// The last attempt failed, or one so that the others would fail as well.
    virtual void hedge_failed(hedged_call& which, error why) noexcept = 0;

protected:
    ~hedge_owner() = default;
};

/// The caller's call stays here and is with no connection; each attempt is a call of its own, with this as its ending.
/// So an attempt belongs to one connection at a time, as any call, and whoever claims this may complete the caller's.
///
/// Guarded by the channel's lock, but for what says otherwise.
/// Lifetime: it and its attempts keep each other until it is over.
class hedged_call final : public operation, private timer {
public:
    /// `home` has its timer. `channel` is the owner.
    hedged_call(intrusive_ptr<call_router> channel, hedge_owner& owner, executor_ref home, intrusive_ptr<call> asked,
                const hedging& how, time_point now)
        : operation{nullptr},
          channel_{std::move(channel)},
          owner_{owner},
          home_{std::move(home)},
          asked_for_{asked.get()},
          waited_by_{asked->waited_by()},
          how_{how},
          began_{now},
          asked_{std::move(asked)} {}

    /// Whether `which` is the caller's call, not an attempt. Thread-safety: safe.
    [[nodiscard]] bool is_asked(const call& which) const noexcept { return &which == asked_for_; }
    /// When the caller made the call, exactly. Thread-safety: safe.
    [[nodiscard]] time_point began() const noexcept { return began_; }
    /// Whether the caller wants it no more, or has an answer; else `asked()` is there.
    [[nodiscard]] bool is_over() const noexcept { return claimed() || asked_->cancel_requested.load(); }
    [[nodiscard]] const call& asked() const noexcept { return *asked_; }

    /// One more attempt, which is not under way yet. Not when it is over.
    [[nodiscard]] intrusive_ptr<call> make_attempt() {
        attempts_.reserve(attempts_.size() + 1);  // To add one cannot fail, when its provider counts it already.
        auto made = make_intrusive<call>(channel_, intrusive_ptr<operation>{this}, &hedged_call::deliver);
        made->request = asked_->request.copy();
        made->started = began_;
        made->turn = attempts_.empty() ? 0 : attempts_.front()->turn;
        made->slack = asked_->slack;
        made->stub_made_at = asked_->stub_made_at;
        made->wants_times = asked_->wants_times;
        made->options = asked_->options;
        made->hedge = intrusive_ptr<operation>{this};
        return made;
    }
    /// An attempt goes on its way.
    void add(intrusive_ptr<call> attempt) noexcept {
        if (!first_) first_ = attempt.get();
        attempts_.push_back(std::move(attempt));
    }
    [[nodiscard]] bool is_first(const call& attempt) const noexcept { return &attempt == first_; }
    /// Attempts that are not over.
    [[nodiscard]] const std::vector<intrusive_ptr<call>>& attempts() const noexcept { return attempts_; }
    /// Attempts that have begun, retries of each included.
    [[nodiscard]] int made() const noexcept {
        int all = ended_;
        for (const auto& each : attempts_) all += each->attempts;
        return all;
    }
    /// `to` avoids the providers of all others.
    void share_tried(call& to) const noexcept {
        for (const auto& each : attempts_) {
            if (each.get() == &to) continue;
            if (each->attempt.on) avoid(to, each->attempt.on);
            for (std::size_t i = 0; i < each->attempt.tried_count; ++i) avoid(to, each->attempt.tried[i]);
        }
    }

    /// Another attempt may begin when none of those under way has been answered for `delay`.
    void plan(duration delay, time_point now) noexcept {
        delay_ = delay;
        arm(deadline_after(now, delay));
    }
    /// The time has come: whether another attempt is to be made now. Plans again where it is too early.
    [[nodiscard]] bool is_due(time_point now) noexcept {
        planned_ = false;
        if (is_over() || !has_room() || !delay_) return false;
        // One that waits, for a connection or for the next try, is not slow: there is no provider that could be.
        std::optional<time_point> last;
        for (const auto& each : attempts_) {
            if (each->at && !each->attempt.on) return false;  // There is one provider only.
            if (each->at) last = std::max(last.value_or(each->attempt.began), each->attempt.began);
        }
        const auto due = deadline_after(last.value_or(now), *delay_);
        if (due <= now) return true;
        arm(due);
        return false;
    }
    /// An attempt was made, and perhaps not the last.
    void plan_next(time_point now) noexcept {
        if (delay_ && has_room() && !planned_) arm(deadline_after(now, *delay_));
    }

    /// One was due and could not be made, e.g. as the budget was spent. What has waited twice as long needs it more.
    void plan_again(time_point now) noexcept {
        if (delay_ && has_room() && !planned_) arm(deadline_after(now, std::max(now - began_, *delay_)));
    }

    /// An attempt has failed: true if that is all, because others
    /// are under way and may fare better, or all is over anyway.
    [[nodiscard]] bool leaves_it_to_others(const call& attempt, const error& why, time_point now) noexcept {
        const bool over = claimed();
        if (!over && (attempts_.size() < 2 || !attempts::is_of_one_provider(why, attempt.request.method->idempotent)))
            return false;
        if (!over) {
            for (const auto& each : attempts_)
                if (each.get() != &attempt) share_tried(*each);
        }
        ended_ += attempt.attempts;
        ran_ = std::max(ran_, attempt.ran);
        std::erase_if(attempts_, [&](const auto& each) { return each.get() == &attempt; });
        // Who asks callers to wait is not to get more calls from those that did not.
        if (why.retry_after() > duration{}) delay_.reset();
        if (!over) plan_next(now);
        return true;
    }
    /// An attempt has failed, and so has the call.
    void was_last(const call& attempt, std::string_view peer) {
        last_ = &attempt;
        peer_ = peer;
    }
    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }  ///< Of the last attempt that failed.

    struct rest {
        intrusive_ptr<call> asked;                  ///< To be completed.
        std::vector<intrusive_ptr<call>> attempts;  ///< To be cancelled.
    };
    /// It is over, and its owner has claimed it: with the answer of `answered`, or none.
    [[nodiscard]] rest finish(const call* answered) noexcept {
        if (planned_ && home_->disarm(*this)) release();
        const auto* const last = answered ? answered : last_;
        auto& it = *asked_;
        it.attempts = made();
        it.ran = ran_;
        if (last) it.times = last->times;
        if (answered) it.at = answered->at;
        for (const auto& each : attempts_) {
            if (each.get() == last)
                it.ran = std::max(it.ran, each->ran);
            else if (each->at)
                it.ran = std::max(it.ran, executed::maybe);
        }
        std::erase_if(attempts_, [&](const auto& each) { return each.get() == last; });
        return {std::move(asked_), std::exchange(attempts_, {})};
    }

    // As an ending.

    bool fail(error why) noexcept override {
        if (!claim()) return false;
        owner_.hedge_failed(*this, std::move(why));
        return true;
    }
    void cancel() noexcept override {}               // Nobody has it as what it waits for.
    void run(bool) noexcept override { release(); }  // Never queued.
    [[nodiscard]] std::string_view waited_by() const noexcept override { return waited_by_; }

private:
    static void deliver(intrusive_ptr<operation> ending, const response& reply, const call& attempt) noexcept {
        auto& self = static_cast<hedged_call&>(*ending);
        if (self.claim()) self.owner_.hedge_answered(self, attempt, reply);
    }
    void fire(bool due) noexcept override {
        const auto self = intrusive_ptr<hedged_call>::adopt(this);
        if (due) owner_.hedge_due(*this);
    }
    static void avoid(call& which, void* provider) noexcept {
        auto& trace = which.attempt;
        const auto end = trace.tried.begin() + static_cast<std::ptrdiff_t>(trace.tried_count);
        if (end != trace.tried.end() && std::find(trace.tried.begin(), end, provider) == end)
            trace.tried[trace.tried_count++] = provider;
    }
    [[nodiscard]] bool has_room() const noexcept {
        return attempts_.size() < static_cast<std::size_t>(std::max(how_.max_attempts, 1));
    }
    void arm(time_point due) noexcept {
        if (!std::exchange(planned_, true)) add_ref();
        if (will_fire(*home_, *this, due)) return;
        planned_ = false;
        release();
    }

    const intrusive_ptr<call_router> channel_;
    hedge_owner& owner_;
    const executor_ref home_;
    const call* const asked_for_;
    const std::string_view waited_by_;
    const hedging how_;
    const time_point began_;
    intrusive_ptr<call> asked_;
    std::vector<intrusive_ptr<call>> attempts_;
    const call* first_ = nullptr;
    const call* last_ = nullptr;  // The one that failed last, when all is over.
    std::string peer_;
    int ended_ = 0;  // Attempts that were made by those that are over.
    executed ran_ = executed::no;
    std::optional<duration> delay_;  // Empty: no more attempts are planned.
    bool planned_ = false;
};

/// Null if its attempts are made one after the other.
[[nodiscard]] inline hedged_call* hedge_of(const call& which) noexcept {
    return static_cast<hedged_call*>(which.hedge.get());
}

}  // namespace futon::detail
