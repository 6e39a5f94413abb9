// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a connection tells whoever it belongs to: a client's lane, or a server.

#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>
#include <futon/message/load_report.hpp>
#include <futon/session/event.hpp>

#include <cstdint>
#include <optional>

namespace futon::detail {

class connection;

/// Whose connection it is. Called inside the connection's executor; runs no user code itself but handlers
/// that were registered to run there.
class connection_owner : public ref_counted {
public:
    /// The peer's preface arrived, and with it its limits.
    virtual void ready(connection&) noexcept {}
    virtual void bound(connection&, const event&) noexcept {}
    virtual void requested(connection&, event&) noexcept = 0;
    /// The caller of an incoming call gave up, or the connection was lost.
    virtual void cancelled(connection&, std::uint64_t id, void* tag) noexcept = 0;
    virtual void replied(connection&, intrusive_ptr<call> which, const response& reply) noexcept = 0;
    /// The peer takes no more calls now: keep this one for later, see `room`.
    virtual void park(connection&, intrusive_ptr<call> which) noexcept = 0;
    /// Calls that were parked may be submitted again. True if some must still wait.
    virtual bool room(connection&) noexcept { return false; }
    /// How busy this side is; nothing if it does not tell.
    [[nodiscard]] virtual std::optional<load_report> load() noexcept { return std::nullopt; }
    /// The peer answered `connection::ask_load`.
    virtual void load_told(connection&, std::uint64_t /*id*/, const load_report&) noexcept {}
    /// The peer answered `connection::ask_alive`, or was heard `when`, since the time that was asked for.
    virtual void alive(connection&, std::uint64_t /*token*/, time_point /*when*/) noexcept {}
    /// No new calls on this connection: the peer said goodbye, or this side did.
    virtual void leaving(connection&, const error&) noexcept {}
    /// One-way calls surely did not run, at most so many, and could not be given back.
    virtual void oneways_lost(connection&, std::uint64_t /*count*/, const error& /*why*/) noexcept {}
    /// The end, once; every call that the connection had was given back before.
    virtual void closed(connection&, const error& why) noexcept = 0;
};

}  // namespace futon::detail
