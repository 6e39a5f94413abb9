// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What stubs call through, whatever carries the calls: a client's channel, or the way back from a server.

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/filter/any_filter.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/message/invocation.hpp>
#include <futon/service/call_options.hpp>
#include <futon/service/stub_core.hpp>

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// The methods of one service as one channel numbers them.
struct service_info {
    std::string key;                   ///< The full service name.
    std::vector<method_info> methods;  ///< In the order of the contract.
};

/// Takes calls and completes each exactly once.
///
/// Thread-safety: safe. Lifetime: shared by its client, its stubs and the calls under way; once its client
/// is gone it answers every call with `client_closed`.
class any_channel : public call_router {
public:
    /// Starts a call; its ending is completed in any case. Never runs user code inside.
    virtual void submit(intrusive_ptr<call> which) noexcept = 0;
    /// Queues a call that gets no reply, or says why not.
    virtual result<void> send_oneway(intrusive_ptr<call> which) noexcept = 0;
    /// The channel's numbers for a service; `make` is called once per key.
    virtual const service_info& open(const std::string& key,
                                     std::vector<method_info> (*make)(const std::string& key)) = 0;
    /// Where continuations run unless a call says otherwise.
    [[nodiscard]] virtual const executor_ref& callback_executor() const noexcept = 0;
    /// The deadline of calls whose method and caller say nothing.
    [[nodiscard]] virtual duration default_timeout() const noexcept = 0;
    [[nodiscard]] virtual time_point now() const noexcept = 0;
    /// The same to within a tick of the system, unless somebody measures how long calls take.
    [[nodiscard]] virtual rough_time rough_now() const noexcept = 0;
    /// Whether calls wait out reconnection unless they say otherwise.
    [[nodiscard]] virtual bool waits_for_ready() const noexcept { return false; }
    /// What all calls through it pass, outside of what their stubs add.
    [[nodiscard]] virtual const client_filters& filters() const noexcept {
        static const client_filters none;
        return none;
    }
    /// The providers that such a call might go to, as soon as they are known, within the call's time.
    [[nodiscard]] virtual future<std::vector<endpoint>> providers(const call& which) {
        return make_failed<std::vector<endpoint>>(
            callback_executor(),
            error{errc::bad_arguments, "there is one provider only: call it", executed::no}.with_where(
                which.request.method->full_name()));
    }
    /// Stops when calls can be made no more, for those that it does not have yet.
    [[nodiscard]] virtual std::stop_token closing() const noexcept { return {}; }
};

[[nodiscard]] inline any_channel* channel_of(const stub_core& core) noexcept {
    return static_cast<any_channel*>(core.channel.get());
}

}  // namespace futon::detail
