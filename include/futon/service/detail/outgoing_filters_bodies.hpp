// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of outgoing_filters.hpp.

#include <futon/async/future.hpp>
#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/service/detail/outgoing_filters.hpp>

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace futon::detail {

// Continues the call in any case, also where the executor refuses.
struct outgoing_filters::continuation {
    explicit continuation(intrusive_ptr<outgoing_filters> of) noexcept : whose{std::move(of)} {}
    continuation(continuation&&) noexcept = default;
    continuation& operator=(continuation&&) = delete;
    ~continuation() {
        if (whose)
            whose->heard(
                error{errc::executor_rejected, "the call could not go on behind a filter that waited", executed::no});
    }
    void operator()(result<decision> said) noexcept { std::exchange(whose, nullptr)->heard(std::move(said)); }
    intrusive_ptr<outgoing_filters> whose;
};

FUTON_DETAIL_BODY outgoing_filters::outgoing_filters(intrusive_ptr<const client_chain> through, call& whose)
    : operation{nullptr}, call_{&whose}, passage_{std::move(through)} {}
FUTON_DETAIL_BODY outgoing_filters::~outgoing_filters() = default;

FUTON_DETAIL_BODY void outgoing_filters::submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending,
                                                deliver_reply deliver) noexcept {
    ending_ = std::move(ending);
    deliver_ = deliver;
    which->begin(intrusive_ptr<operation>{this}, &outgoing_filters::deliver_through);
    begin(std::move(which));
    static_cast<void>(go_on());
}

FUTON_DETAIL_BODY result<void> outgoing_filters::send_oneway(intrusive_ptr<call> which) noexcept {
    const intrusive_ptr<outgoing_filters> keep{this};  // Nobody waits for the call, or for this.
    which->request.oneway = true;
    begin(std::move(which));
    if (!go_on()) return {};
    return std::move(*told_);
}

FUTON_DETAIL_BODY bool outgoing_filters::fail(error why) noexcept {
    if (!claim()) return false;
    call_outcome how{std::move(why)};
    come_back(how, nullptr);
    return true;
}

FUTON_DETAIL_BODY void outgoing_filters::cancel() noexcept {
    const intrusive_ptr<outgoing_filters> keep{this};  // The call may end in here, and let go of this.
    call_->router().cancel(*call_);
    intrusive_ptr<filter_wait> waits;
    {
        const std::lock_guard lock{lock_};
        waits = wait_;
    }
    if (waits) waits->cancel();
}

FUTON_DETAIL_BODY void outgoing_filters::begin(intrusive_ptr<call> which) noexcept {
    out_ = std::move(which);
    view_.emplace(*call_, call_->request.oneway, channel().callback_executor());
}

FUTON_DETAIL_BODY bool outgoing_filters::go_on() noexcept {
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

FUTON_DETAIL_BODY void outgoing_filters::wait_for(future<decision> word) noexcept {
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

FUTON_DETAIL_BODY void outgoing_filters::heard(result<decision> said) noexcept {
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

FUTON_DETAIL_BODY void outgoing_filters::leave() noexcept {
    auto which = std::move(out_);
    left_ = true;
    if (!call_->request.oneway) {
        auto& to = channel();
        return to.submit(std::move(which));
    }
    auto sent = channel().send_oneway(which);
    tell(std::move(sent));
}

FUTON_DETAIL_BODY void outgoing_filters::end(decision word) noexcept {
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

FUTON_DETAIL_BODY void outgoing_filters::tell(result<void> outcome) noexcept {
    std::optional<call_outcome> how;
    outcome ? how.emplace(bytes_view{}) : how.emplace(std::move(outcome).error());
    passage_.come_back(*view_, *how);
    told_ = how->failure() ? result<void>{*how->failure()} : result<void>{};
}

FUTON_DETAIL_BODY void outgoing_filters::deliver_through(intrusive_ptr<operation> ending, const response& reply,
                                                         const call&) noexcept {
    auto& self = static_cast<outgoing_filters&>(*ending);
    if (!self.claim()) return;
    call_outcome how{reply.body, reply.headers};
    self.come_back(how, &reply);
}

FUTON_DETAIL_BODY void outgoing_filters::come_back(call_outcome& how, const response* reply) noexcept {
    passage_.come_back(*view_, how);
    auto ending = std::move(ending_);
    if (const auto* const why = how.failure()) {
        if (reply && left_) call_->router().decoded(*call_, *reply, why);
        ending->fail(*why);
    } else {
        // Its channel has no part in this success, or has counted a failure.
        if (!reply || !left_) call_->reported = true;
        deliver_(std::move(ending),
                 {.body = how.value(), .headers = how.headers(), .complexity = reply ? reply->complexity : nullptr},
                 *call_);
    }
}

FUTON_DETAIL_BODY std::string_view outgoing_filters::waited_by() const noexcept {
    return ending_ ? ending_->waited_by() : "nobody";
}

// Never queued.
FUTON_DETAIL_BODY void outgoing_filters::run(bool) noexcept { release(); }

}  // namespace futon::detail
