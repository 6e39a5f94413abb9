// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of filter_wait.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/service/detail/filter_wait.hpp>

#include <atomic>
#include <optional>
#include <stop_token>
#include <utility>

namespace futon::detail {

FUTON_DETAIL_BODY filter_wait::filter_wait(cancel_handle what, executor_ref where) noexcept
    : what_{std::move(what)}, where_{std::move(where)} {}
FUTON_DETAIL_BODY filter_wait::~filter_wait() = default;

FUTON_DETAIL_BODY void filter_wait::cancel() noexcept { give_up(reason::cancelled); }

FUTON_DETAIL_BODY void filter_wait::begin(time_point deadline, const std::stop_token& closing) {
    if (deadline != no_deadline) {
        add_ref();
        try {
            where_->arm(*this, deadline);
        } catch (...) {
            release();
            throw;
        }
        armed_ = true;
    }
    if (closing.stop_possible()) closing_.emplace(closing, closed{this});
}

FUTON_DETAIL_BODY void filter_wait::end() noexcept {
    closing_.reset();
    if (armed_ && where_->disarm(*this)) release();
}

FUTON_DETAIL_BODY void filter_wait::fire(bool due) noexcept {
    const auto keep = intrusive_ptr<filter_wait>::adopt(this);
    give_up(due ? reason::expired : reason::closed);
}

FUTON_DETAIL_BODY std::optional<error> filter_wait::why() const {
    switch (why_.load(std::memory_order_acquire)) {
        case reason::none: return std::nullopt;
        case reason::cancelled: return error{errc::cancelled, "the caller cancelled the call", executed::no};
        case reason::expired:
            return error{errc::deadline_exceeded, "the call's time ran out while a filter waited", executed::no};
        case reason::closed: return error{errc::client_closed, "the client was closed", executed::no};
    }
    return std::nullopt;
}

FUTON_DETAIL_BODY void filter_wait::give_up(reason why) noexcept {
    const intrusive_ptr<filter_wait> keep{this};  // What waits may go on in here, where its executor refuses.
    auto none = reason::none;
    if (why_.compare_exchange_strong(none, why, std::memory_order_acq_rel)) what_.cancel();
}

}  // namespace futon::detail
