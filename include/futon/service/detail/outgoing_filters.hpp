// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The filters of a call from here: before it is given to its channel, and between its completion and its ending.

#include <futon/async/future.hpp>
#include <futon/core/bodies.hpp>
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

/// Stands between a call and its ending, so that whatever completes the call does so through its filters, once; and
/// before its channel, where a cancel reaches what a filter waits for.
///
/// A call holds it, and it holds the call until the channel has that.
class outgoing_filters final : public operation {
public:
    outgoing_filters(intrusive_ptr<const client_chain> through, call& whose);
    outgoing_filters(const outgoing_filters&) = delete;
    outgoing_filters& operator=(const outgoing_filters&) = delete;
    FUTON_DETAIL_BODY ~outgoing_filters() override;

    /// Of the call that it was made for.
    void submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending, deliver_reply deliver) noexcept;
    /// The same for one that gets no reply. Where a filter has to wait, it is taken; what fails then, nobody sees.
    [[nodiscard]] result<void> send_oneway(intrusive_ptr<call> which) noexcept;

    FUTON_DETAIL_BODY bool fail(error why) noexcept override;
    /// Comes by way of the call.
    FUTON_DETAIL_BODY void cancel() noexcept override;
    [[nodiscard]] FUTON_DETAIL_BODY std::string_view waited_by() const noexcept override;
    FUTON_DETAIL_BODY void run(bool) noexcept override;

private:
    struct continuation;

    [[nodiscard]] any_channel& channel() const noexcept { return static_cast<any_channel&>(call_->router()); }

    void begin(intrusive_ptr<call> which) noexcept;

    // False if a filter waits; another thread may have come further then.
    [[nodiscard]] bool go_on() noexcept;
    void wait_for(future<decision> word) noexcept;
    void heard(result<decision> said) noexcept;

    // All have let it go on.
    void leave() noexcept;
    // One has not: this is what became of the call.
    void end(decision word) noexcept;
    // Of a one-way call.
    void tell(result<void> outcome) noexcept;

    static void deliver_through(intrusive_ptr<operation> ending, const response& reply, const call&) noexcept;
    void come_back(call_outcome& how, const response* reply) noexcept;

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

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/outgoing_filters_bodies.hpp>
#endif
