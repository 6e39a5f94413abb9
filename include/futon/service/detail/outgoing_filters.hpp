// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The filters of a call from here: before it is given to its channel, and between its completion and its ending.

#include <futon/async/future.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/operation.hpp>
#include <futon/filter/filter_chain.hpp>
#include <futon/filter/filtered_call.hpp>
#include <futon/message/call.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/detail/filter_wait.hpp>

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace futon::detail {

using client_chain = filter_chain<client_call>;

/// Stands between a call and its ending, so that whatever completes the call does so through its filters, once; and before
/// its channel, where a cancel reaches what a filter waits for.
///
/// A call holds it, and it holds the call until the channel has that.
class outgoing_filters final : public operation {
public:
    outgoing_filters(intrusive_ptr<const client_chain> through, call& whose) : operation{nullptr}, call_{&whose}, passage_{std::move(through)} {}

    /// Of the call that it was made for.
    void submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending, deliver_reply deliver) noexcept {
        ending_ = std::move(ending);
        deliver_ = deliver;
        which->begin(intrusive_ptr<operation>{this}, &outgoing_filters::deliver_through);
        begin(std::move(which));
        static_cast<void>(go_on());
    }
    /// The same for one that gets no reply. Where a filter has to wait, it is taken; what fails then, nobody sees.
    [[nodiscard]] result<void> send_oneway(intrusive_ptr<call> which) noexcept {
        const intrusive_ptr<outgoing_filters> keep{this};  // Nobody waits for the call, or for this.
        which->request.oneway = true;
        begin(std::move(which));
        if (!go_on()) return {};
        return std::move(*told_);
    }

    bool fail(error why) noexcept override {
        if (!claim()) return false;
        call_outcome how{std::move(why)};
        come_back(how, nullptr);
        return true;
    }
    /// Comes by way of the call.
    void cancel() noexcept override {
        const intrusive_ptr<outgoing_filters> keep{this};  // The call may end in here, and let go of this.
        call_->router().cancel(*call_);
        intrusive_ptr<filter_wait> waits;
        {
            const std::lock_guard lock{lock_};
            waits = wait_;
        }
        if (waits) waits->cancel();
    }
    [[nodiscard]] std::string_view waited_by() const noexcept override { return ending_ ? ending_->waited_by() : "nobody"; }
    void run(bool) noexcept override { release(); }  // Never queued.

private:
    // Continues the call in any case, also where the executor refuses.
    struct continuation {
        explicit continuation(intrusive_ptr<outgoing_filters> of) noexcept : whose{std::move(of)} {}
        continuation(continuation&&) noexcept = default;
        continuation& operator=(continuation&&) = delete;
        ~continuation() {
            if (whose) whose->heard(error{errc::executor_rejected, "the call could not go on behind a filter that waited", executed::no});
        }
        void operator()(result<decision> said) noexcept { std::exchange(whose, nullptr)->heard(std::move(said)); }
        intrusive_ptr<outgoing_filters> whose;
    };

    [[nodiscard]] any_channel& channel() const noexcept { return static_cast<any_channel&>(call_->router()); }

    void begin(intrusive_ptr<call> which) noexcept {
        out_ = std::move(which);
        view_.emplace(*call_, call_->request.oneway, channel().callback_executor());
    }

    // False if a filter waits; another thread may have come further then.
    [[nodiscard]] bool go_on() noexcept {
        first_word word;
        if (passage_.go_on(*view_, word)) {
            leave();
        } else if (!word.later.valid()) {
            end(std::move(word.now));
        } else {
            wait_for(std::move(word.later));
            return false;
        }
        return true;
    }
    void wait_for(future<decision> word) noexcept {
        continuation next{intrusive_ptr<outgoing_filters>{this}};
        try {
            const auto waits = make_intrusive<filter_wait>(word.get_cancel_handle(), view_->executor());
            {
                const std::lock_guard lock{lock_};
                wait_ = waits;
            }
            waits->begin(view_->deadline(), channel().closing());
            // A cancel that came before could not see it.
            if (call_->cancel_requested.load()) waits->cancel();
            std::move(word).on_complete(view_->executor(), std::move(next));
        } catch (...) {
            // Whatever was left of `next` goes on with an error.
        }
    }
    void heard(result<decision> said) noexcept {
        const intrusive_ptr<outgoing_filters> keep{this};
        intrusive_ptr<filter_wait> waited;
        {
            const std::lock_guard lock{lock_};
            waited = std::exchange(wait_, nullptr);
        }
        std::optional<error> over;
        if (waited) {
            waited->end();
            over = waited->why();
        }
        decision word = over ? decision{*std::move(over)} : said ? *std::move(said) : decision{std::move(said).error()};
        if (!passage_.heard(word)) {
            end(std::move(word));
        } else if (!go_on()) {
            return;
        }
        if (told_ && !*told_) report_unseen(view_->executor(), told_->error());
    }

    // All have let it go on.
    void leave() noexcept {
        auto which = std::move(out_);
        left_ = true;
        if (!call_->request.oneway) {
            auto& to = channel();
            return to.submit(std::move(which));
        }
        auto sent = channel().send_oneway(which);
        tell(std::move(sent));
    }
    // One has not: this is what became of the call.
    void end(decision word) noexcept {
        const auto which = std::move(out_);
        if (const auto* const why = word.failure()) {
            auto failure = why->with_executed(executed::no);
            if (failure.where().empty()) failure = failure.with_where(which->request.method->full_name());
            if (which->request.oneway) return tell(std::move(failure));
            which->fail(std::move(failure));
        } else if (which->request.oneway) {
            tell({});
        } else {
            which->succeed({.body = *word.value()});
        }
    }
    // Of a one-way call.
    void tell(result<void> outcome) noexcept {
        std::optional<call_outcome> how;
        outcome ? how.emplace(bytes_view{}) : how.emplace(std::move(outcome).error());
        passage_.come_back(*view_, *how);
        told_ = how->failure() ? result<void>{*how->failure()} : result<void>{};
    }

    static void deliver_through(intrusive_ptr<operation> ending, const response& reply, const call&) noexcept {
        auto& self = static_cast<outgoing_filters&>(*ending);
        if (!self.claim()) return;
        call_outcome how{reply.body, reply.headers};
        self.come_back(how, &reply);
    }
    void come_back(call_outcome& how, const response* reply) noexcept {
        passage_.come_back(*view_, how);
        auto ending = std::move(ending_);
        if (const auto* const why = how.failure()) {
            if (reply && left_) call_->router().decoded(*call_, *reply, why);
            ending->fail(*why);
        } else {
            // Its channel has no part in this success, or has counted a failure.
            if (!reply || !left_) call_->reported = true;
            deliver_(std::move(ending), {.body = how.value(), .headers = how.headers(), .complexity = reply ? reply->complexity : nullptr}, *call_);
        }
    }

    call* const call_;         // It holds this.
    intrusive_ptr<call> out_;  // Until its channel has it.
    std::optional<client_call> view_;
    passage<client_call> passage_;
    intrusive_ptr<operation> ending_;
    deliver_reply deliver_ = nullptr;
    std::optional<result<void>> told_;
    bool left_ = false;  // Its channel has had it.
    std::mutex lock_;
    intrusive_ptr<filter_wait> wait_;  // Guarded by the lock.
};

}  // namespace futon::detail
