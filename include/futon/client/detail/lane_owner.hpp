// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a lane needs of the channel that it belongs to.

#include <futon/client/client_options.hpp>
#include <futon/client/detail/client_offer.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/load_report.hpp>
#include <futon/message/response.hpp>
#include <futon/session/session_stats.hpp>

#include <cstdint>

namespace futon::detail {

class connection;
class lane;

/// What a lane tells the channel that it belongs to. Never called with the lane's lock held.
class lane_owner {
public:
    /// A connection is there or is gone, or the attempt to make one failed: calls that wait may move.
    virtual void lane_changed(lane& which) noexcept = 0;
    /// True if calls still wait.
    virtual bool lane_has_room(lane& which, connection& where) noexcept = 0;
    virtual void lane_parks(intrusive_ptr<call> which) noexcept = 0;
    virtual void lane_replied(intrusive_ptr<call> which, const response& reply) noexcept = 0;
    /// At most so many one-way calls did not run, and are not there any more to be made again.
    virtual void lane_lost_oneways(lane& which, std::uint64_t count, const error& why) noexcept = 0;
    /// The peer said how busy it is.
    virtual void lane_told_load(lane& which, const load_report& report) noexcept = 0;
    /// The peer answered a ping, or was heard `when` anyway.
    virtual void lane_alive(lane& which, std::uint64_t token, time_point when) noexcept = 0;
    /// A connection of the lane ended with these counters.
    virtual void lane_counted(const session_stats& counters) noexcept = 0;
    [[nodiscard]] virtual const client_options& options() const noexcept = 0;
    [[nodiscard]] virtual client_offer& offered() const noexcept = 0;

protected:
    ~lane_owner() = default;
};

}  // namespace futon::detail
