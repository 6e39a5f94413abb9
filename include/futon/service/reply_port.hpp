// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a call that came in knows of the connection that it came over.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/held_bytes.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/service/any_channel.hpp>

#include <stop_token>

namespace futon::detail {

class incoming_call;

/// Counts handlers that are queued or run elsewhere; lives for as long as it counts one.
class handler_count {
public:
    /// A handler has returned, or was refused, and holds nothing of its call's any more. On any thread.
    virtual void handler_left() noexcept = 0;

protected:
    ~handler_count() = default;
};

/// The way back to the caller: the connection that a call came over. All but `where` only inside `where()`.
class reply_port {
public:
    [[nodiscard]] virtual executor& where() const noexcept = 0;
    /// Opens a reply in the send buffer, for its value to be encoded into; null if nobody can receive it any more.
    [[nodiscard]] virtual byte_buffer* begin_reply(incoming_call& call) noexcept = 0;
    /// Completes it; `rest`, if there is one, stands behind what was encoded.
    virtual void end_reply(incoming_call& call, intrusive_ptr<held_bytes> rest) noexcept = 0;
    virtual void abandon_reply(incoming_call& call) noexcept = 0;
    /// Sends a value that was encoded elsewhere, `rest` behind `body`.
    virtual void reply(incoming_call& call, byte_buffer&& body, intrusive_ptr<held_bytes> rest) noexcept = 0;
    /// Also told of the failure of a one-way call, which nobody hears of on the wire.
    virtual void reply_error(incoming_call& call, const error& why) noexcept = 0;
    /// The call is over: its place in the limits is free again.
    virtual void finished(incoming_call& call) noexcept = 0;
    /// An answer that could not go home, for the connection's executor has ended. The connection may still name the
    /// call when it tells its handlers that it is lost, which comes after: so it stays until then. Thread-safety: safe.
    virtual void strand(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// Where handlers that are queued elsewhere are counted. On any thread.
    [[nodiscard]] virtual handler_count& handlers() noexcept = 0;
    /// Whether the text of a handler's exception stays on this side.
    [[nodiscard]] virtual bool hides_exception_text() const noexcept = 0;
    /// The call has passed its filters: it goes to its handler.
    virtual void passed_filters(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// What calls the caller back. On any thread; null where nothing can.
    [[nodiscard]] virtual intrusive_ptr<any_channel> way_back() = 0;
    /// Stopped when the server begins to stop. On any thread.
    [[nodiscard]] virtual std::stop_token drain_token() const noexcept = 0;

protected:
    ~reply_port() = default;
};

}  // namespace futon::detail
