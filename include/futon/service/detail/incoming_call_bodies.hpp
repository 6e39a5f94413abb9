// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of incoming_call.hpp. Its ways to end stand side by side here: whichever comes first, the call ends once.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/service/handler_error.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/service/propagation.hpp>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

FUTON_DETAIL_BODY incoming_call::incoming_call(const method_info& method, std::string_view peer, time_point deadline,
                                               bool oneway, intrusive_ptr<ref_counted> keep, reply_port& port,
                                               std::uint64_t call_id)
    : call_context{method, peer, deadline, oneway}, id{call_id}, keep_{std::move(keep)}, port_{&port} {}

FUTON_DETAIL_BODY std::stop_token incoming_call::drain_token() const noexcept { return port_->drain_token(); }
FUTON_DETAIL_BODY intrusive_ptr<any_channel> incoming_call::way_back() const { return port_->way_back(); }

FUTON_DETAIL_BODY incoming_call::~incoming_call() {
    forget_awaited();
    if (filters) [[unlikely]]
        come_back(call_outcome{error{errc::broken_promise, "the call was dropped without an answer"}});
}

FUTON_DETAIL_BODY void incoming_call::set_headers(const metadata* headers) {
    if (!headers) return;
    headers_ = *headers;
    set_trace(read_trace(headers_));
}

FUTON_DETAIL_BODY void incoming_call::abandon(errc why) noexcept {
    const intrusive_ptr<incoming_call> keep{this};  // Closing its streams may answer it.
    request_stop();
    close_streams(why);
    if (auto* const awaited = awaited_.load(std::memory_order_seq_cst)) awaited->cancel();
}

FUTON_DETAIL_BODY void incoming_call::send_error(const error& why) noexcept {
    const bool home = at_home();
    if (!home || filters) {
        failure_ = why;
        return go_home(home);
    }
    port_->reply_error(*this, why);
    port_->finished(*this);
}

FUTON_DETAIL_BODY void incoming_call::go_home(bool home) noexcept {
    if (home) return conclude();
    going_home_ = true;
    add_ref();
    if (!port_->where().post(*this)) refuse(*this);
}

FUTON_DETAIL_BODY void incoming_call::arrive(bool accepted) noexcept {
    auto self = intrusive_ptr<incoming_call>::adopt(this);
    if (!accepted) {
        forget_awaited();
        come_back();
        return port_->strand(std::move(self));
    }
    conclude();
}

FUTON_DETAIL_BODY void incoming_call::conclude() noexcept {
    come_back();
    if (failure_) {
        port_->reply_error(*this, *failure_);
    } else if (!oneway()) {
        port_->reply(*this, std::move(reply_), std::move(reply_rest_));
    }
    port_->finished(*this);
}

FUTON_DETAIL_BODY void incoming_call::come_back() noexcept {
    if (!filters) [[likely]]
        return;
    failure_ ? come_back(call_outcome{*failure_}) : come_back(call_outcome{reply_.view()});
}

FUTON_DETAIL_BODY bool incoming_call::answer_error(const error& why) noexcept {
    if (!claim(at_home())) return false;
    send_failure(why);
    return true;
}

FUTON_DETAIL_BODY void incoming_call::run(bool accepted) noexcept {
    if (going_home_) return arrive(accepted);
    // Queued for its handler, with a reference.
    auto self = intrusive_ptr<incoming_call>::adopt(this);
    auto& handlers = port_->handlers();
    const auto now = port_->where().now();
    if (!accepted) {
        answer_error(
            error{errc::overloaded,
                  "no room for the handler: the server's pool (threads.pool_threads, threads.pool_queue), or the "
                  "executor that runs it, is full or ending",
                  executed::no});
    } else if (stop_requested() && !run_to_end) {
        answer_error(error{errc::cancelled, "the caller gave up before the handler began", executed::no});
    } else if (deadline() != no_deadline && now >= deadline()) {
        answer_error(error{errc::deadline_exceeded, "the call's time ran out before the handler began", executed::no});
    } else {
        if (may_start()) {
            begun = now;
            handler->handle(std::move(self));
        }
    }
    // Whoever waits for the handlers may destroy all that this call stands on.
    self = nullptr;
    handlers.handler_left();
}

FUTON_DETAIL_BODY void incoming_call::send_failure(const error& why) noexcept {
    try {
        const auto thrown = why.exception();
        const auto failure = thrown ? handler_error(thrown, port_->hides_exception_text()) : why;
        // What waited with the drain token ends as cancelled; its caller cancelled nothing, and would take it for that.
        if (failure == errc::cancelled && !stop_requested() && drain_token().stop_requested())
            return send_error(error{errc::unavailable, "the server is stopping", executed::yes});
        send_error(failure);
    } catch (...) {
        send_error(error{errc::resource_exhausted, executed::yes});
    }
}

FUTON_DETAIL_BODY void incoming_call::enter_filters() {
    filters = std::make_unique<call_filtering>(handler->filters, handler->info, headers_, reply_headers_, arguments,
                                               port_->where().now(), oneway(), peer(), *this, home());
}

FUTON_DETAIL_BODY void incoming_call::answer_decision(decision said) noexcept {
    arrived = {};  // It says nothing of how long calls take here.
    if (!claim(at_home())) return;
    if (const auto* const why = said.failure()) return send_error(told(*why).with_executed(executed::no));
    try {
        reply_.clear();
        reply_.append(bytes_view{*said.value()});
        go_home(inside(port_->where()));
    } catch (...) {
        send_error(error{errc::resource_exhausted, executed::no});
    }
}

FUTON_DETAIL_BODY void incoming_call::come_back(call_outcome&& how) noexcept {
    filters->through.come_back(filters->view, how);
    if (const auto* const why = how.failure()) {
        failure_ = told(*why);
    } else if (const auto* const value = how.replaced()) {
        failure_.reset();
        try {
            byte_buffer fresh;
            fresh.append(bytes_view{*value});
            reply_ = std::move(fresh);
        } catch (...) {
            failure_ = error{errc::resource_exhausted, executed::yes};
        }
    }
}

FUTON_DETAIL_BODY error incoming_call::told(const error& why) const noexcept {
    const auto thrown = why.exception();
    if (!thrown) return why;
    try {
        return handler_error(thrown, port_->hides_exception_text()).with_executed(why.ran());
    } catch (...) {
        return error{errc::resource_exhausted, why.ran()};
    }
}

FUTON_DETAIL_BODY void incoming_call::answer_exception() noexcept {
    try {
        answer_error(handler_error(std::current_exception(), port_->hides_exception_text()));
    } catch (...) {
        answer_error(error{errc::resource_exhausted, executed::yes});
    }
}

FUTON_DETAIL_BODY void incoming_call::answer_unpackable() noexcept {
    try {
        const auto why =
            port_->hides_exception_text() ? "" : ": " + error::from_exception(std::current_exception()).message();
        send_error(error{errc::internal, "the result could not be packed" + why, executed::yes});
    } catch (...) {
        send_error(error{errc::resource_exhausted, executed::yes});
    }
}

FUTON_DETAIL_BODY method_handler::method_handler(method_info what) : info{std::move(what)} {}
FUTON_DETAIL_BODY method_handler::~method_handler() = default;

}  // namespace futon::detail
