// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a connection for which there is no place ends: its peer is told why, if that takes neither time nor memory.

#include <futon/core/runtime_state.hpp>
#include <futon/server/detail/open_connection.hpp>
#include <futon/serving/answers.hpp>
#include <futon/session/session.hpp>
#include <futon/transport/byte_stream.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/network.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

namespace futon::detail {

/// Of a connection that takes no calls.
class refused_peer final : public connection_owner {
private:
    void requested(connection&, event&) noexcept override {}
    void cancelled(connection&, std::uint64_t, void*) noexcept override {}
    void replied(connection&, intrusive_ptr<call>, const response&) noexcept override {}
    void park(connection&, intrusive_ptr<call> which) noexcept override { answers::refuse(std::move(which)); }
    void closed(connection&, const error&) noexcept override {}
};

/// Says goodbye for `why`. With `seat`, which is held meanwhile, waits for up to a second until the peer has read it;
/// without one closes at once, and the peer may see nothing but the end.
inline void refuse(io_place place, std::unique_ptr<byte_stream> stream, const error& why,
                   intrusive_ptr<ref_counted> seat) {
    const auto now = place.where->now();
    auto last_words = std::make_unique<session<futon_protocol>>(
        session_options{.role = side::acceptor, .seed = session_seed(place)}, now);
    last_words->begin_drain(why, now);
    if (!seat) {
        std::error_code ignored;
        static_cast<void>(stream->try_write(last_words->to_send(), ignored));
        return stream->close();
    }
    const auto made = make_intrusive<connection>(std::move(place), std::move(stream), std::move(last_words),
                                                 make_intrusive<refused_peer>());
    made->hold(std::move(seat));
    open_connection(made, [] {});
}

}  // namespace futon::detail
