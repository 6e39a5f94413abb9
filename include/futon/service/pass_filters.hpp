// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Sends a call that came in through the filters of its method, on its way to the handler.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/filter/filter_chain.hpp>
#include <futon/service/detail/filter_wait.hpp>
#include <futon/service/incoming_call.hpp>

#include <optional>
#include <utility>

namespace futon::detail {

/// Its port hears when it has passed them all; else it is answered. Inside the port's executor, after `enter_filters`.
inline void pass_filters(intrusive_ptr<incoming_call> call) noexcept;

/// A call whose filter has said its word, in any case, also where the executor of its connection has ended.
class filter_continuation {
public:
    explicit filter_continuation(intrusive_ptr<incoming_call> of) noexcept : call_{std::move(of)} {}
    filter_continuation(filter_continuation&&) noexcept = default;
    filter_continuation& operator=(filter_continuation&&) = delete;
    ~filter_continuation() {
        if (call_)
            go_on(error{errc::connection_lost, "the call could not go on behind a filter that waited", executed::no});
    }
    void operator()(result<decision> said) noexcept { go_on(std::move(said)); }

private:
    void go_on(result<decision> said) noexcept {
        auto call = std::exchange(call_, nullptr);
        std::optional<error> over;
        if (const auto waited = std::exchange(call->filters->waits, nullptr)) {
            waited->end();
            over = waited->why();
        }
        call->waits_no_more();
        auto word = over ? decision{*std::move(over)} : said ? *std::move(said) : decision{std::move(said).error()};
        if (!call->filters->through.heard(word)) return call->answer_decision(std::move(word));
        pass_filters(std::move(call));
    }

    intrusive_ptr<incoming_call> call_;
};

inline void pass_filters(intrusive_ptr<incoming_call> call) noexcept {
    auto& filters = *call->filters;
    first_word word;
    if (filters.through.go_on(filters.view, word)) {
        auto& port = call->port();
        return port.passed_filters(std::move(call));
    }
    if (!word.later.valid()) return call->answer_decision(std::move(word.now));
    const auto home = call->home();
    filter_continuation next{call};
    try {
        filters.waits = make_intrusive<filter_wait>(word.later.get_cancel_handle(), home);
        filters.waits->begin(call->deadline(), {});
        // A caller that gives up cancels what the filter waits for.
        call->waits_for(filters.waits);
        std::move(word.later).on_complete(home, std::move(next));
    } catch (...) {
        // Whatever was left of `next` goes on with an error.
    }
}

}  // namespace futon::detail
