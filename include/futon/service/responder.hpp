// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The right to answer a call later, from any thread.

#include <futon/core/result.hpp>
#include <futon/service/incoming_call.hpp>

#include <type_traits>
#include <utility>

namespace futon {

/// A handler that takes `responder<R>` keeps it and answers when it can.
///
/// Dropping it unanswered answers with `errc::broken_promise`. An answer after the caller has gone is
/// dropped. Thread-safety: one object is used by one thread at a time, on any thread.
template <class R>
class responder {
public:
    explicit responder(detail::intrusive_ptr<detail::incoming_call> call) noexcept : call_{std::move(call)} {}
    responder(responder&&) noexcept = default;
    responder& operator=(responder&& other) noexcept {
        responder taken{std::move(other)};
        std::swap(call_, taken.call_);
        return *this;
    }
    ~responder() {
        if (call_)
            call_->answer_error(
                error{errc::broken_promise, "the handler dropped its responder without an answer", executed::yes});
    }

    /// Answers with a value or an error; false if the call was answered before.
    bool operator()(result<R> outcome) noexcept {
        const auto call = std::move(call_);
        if (!call) return false;
        // An error is news of a handler that ran, as where a handler returns one.
        return outcome ? call->answer(std::move(outcome))
                       : call->answer_error(outcome.error().with_executed(executed::yes));
    }
    /// That it is done, where the method returns nothing.
    bool operator()() noexcept
        requires std::is_void_v<R>
    {
        return (*this)(result<void>{});
    }
    /// Whether the caller has given up, so that the work can stop.
    [[nodiscard]] bool stop_requested() const noexcept { return !call_ || call_->stop_requested(); }
    /// What is known about the call; only while it is unanswered.
    [[nodiscard]] call_context& context() const noexcept { return *call_; }

private:
    detail::intrusive_ptr<detail::incoming_call> call_;
};

}  // namespace futon
