// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of start_call.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/message/call.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/call_options.hpp>
#include <futon/service/detail/outgoing_filters.hpp>
#include <futon/service/propagation.hpp>
#include <futon/service/start_call.hpp>
#include <futon/service/stub_core.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <utility>

namespace futon::detail {

FUTON_DETAIL_BODY error unfit_reply(const error& why, const call& which) {
    return error{errc::bad_reply, "the reply does not fit the method's result: " + why.message(), executed::yes}
        .with_where(which.place());
}

/// Calls that may take as long do not ask the exact clock; they may then take a tick of the system longer.
inline constexpr duration long_timeout = std::chrono::milliseconds{250};

/// Says of a call that is made now through this stub when that was, and when it must be over.
inline void set_deadline(call& which, const any_channel& channel, const call_options* options) {
    const auto& method = *which.request.method;
    auto after = method.timeout > duration{} ? method.timeout : channel.default_timeout();
    if (options && options->timeout) after = *options->timeout;
    const bool is_long = after >= long_timeout && !method.has_streams;
    const auto now = is_long ? channel.rough_now() : exactly(channel.now());
    which.started = now.earliest;
    const auto timed_out = deadline_after(now.latest, after);
    auto deadline = options && options->deadline && !options->timeout ? *options->deadline : timed_out;
    if (options && options->deadline) deadline = std::min(deadline, *options->deadline);
    if (const auto* here = this_thread().current) deadline = std::min(deadline, here->deadline());
    which.request.deadline = deadline;
    if (deadline == timed_out) which.slack = now.latest - now.earliest;
}

FUTON_DETAIL_BODY intrusive_ptr<call> make_call(const stub_core& core, std::size_t index) {
    auto* const channel = channel_of(core);
    const auto* const options = core.options.get();
    auto made = make_intrusive<call>(intrusive_ptr<call_router>{channel});
    made->stub_made_at = core.made_at;
    auto& request = made->request;
    request.method = &core.service->methods[index];
    set_deadline(*made, *channel, options);
    request.wait_for_ready = options && options->wait_for_ready ? *options->wait_for_ready : channel->waits_for_ready();
    if (options) {
        if (!options->headers.empty()) request.headers = options->headers;
        if (!options->hash_key.empty()) request.hash_key = hash_of(options->hash_key);
        if (options->retry || options->hedge) made->options = core.options;
        if (!options->route.empty()) request.towards = std::shared_ptr<const route>{core.options, &options->route};
    }
    if (const auto* here = this_thread().current; here && here->trace()) write_trace(*here->trace(), request.headers);
    if (core.filters) [[unlikely]]
        made->filters = make_intrusive<outgoing_filters>(
            intrusive_ptr<const client_chain>{static_cast<const client_chain*>(core.filters.get())}, *made);
    return made;
}

FUTON_DETAIL_BODY executor_ref executor_for(const stub_core& core) {
    if (!core.channel) return nullptr;
    return core.options && core.options->on ? core.options->on : channel_of(core)->callback_executor();
}

FUTON_DETAIL_BODY error empty_stub() {
    return {errc::no_state, "this stub is empty: get one from client.stub<Contract>()", executed::no};
}

FUTON_DETAIL_BODY error cannot_pack(const method_info& method) {
    return error{errc::bad_arguments,
                 "the arguments could not be packed: " + error::from_exception(std::current_exception()).message(),
                 executed::no}
        .with_where(method.full_name());
}

FUTON_DETAIL_BODY void submit(intrusive_ptr<call> which, intrusive_ptr<operation> ending,
                              deliver_reply deliver) noexcept {
    try {
        if (const auto* here = this_thread().current) which->follow(*here);
    } catch (const std::bad_alloc&) {
        ending->fail(error{errc::resource_exhausted, executed::no});
        return;
    }
    if (which->filters) [[unlikely]] {
        auto& filters = static_cast<outgoing_filters&>(*which->filters);
        return filters.submit(std::move(which), std::move(ending), deliver);
    }
    which->begin(std::move(ending), deliver);
    auto& channel = static_cast<any_channel&>(which->router());
    channel.submit(std::move(which));
}

FUTON_DETAIL_BODY result<void> submit_oneway(intrusive_ptr<call> which) {
    if (which->filters) [[unlikely]] {
        auto& filters = static_cast<outgoing_filters&>(*which->filters);
        return filters.send_oneway(std::move(which));
    }
    auto& channel = static_cast<any_channel&>(which->router());
    return channel.send_oneway(std::move(which));
}

FUTON_DETAIL_BODY stub_core lay_over(const stub_core& core, const call_options& options,
                                     const std::source_location& where) {
    auto made = core;
    made.options = std::make_shared<const call_options>(core.options ? combine(*core.options, options) : options);
    if (!options.filters.empty() && core.channel)
        made.filters = client_chain::make({&channel_of(core)->filters(), &made.options->filters});
    made.made_at = where;
    return made;
}

}  // namespace futon::detail
