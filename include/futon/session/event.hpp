// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a session tells its driver.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/stream_port.hpp>
#include <futon/wire/frame.hpp>

#include <cstdint>

namespace futon {

/// Which end of the connection a session is: who connected. Both may call.
enum class side : std::uint8_t { opener, acceptor };

/// One thing that happened. Lifetime of the views: until the next non-const call that takes input or time
/// (`receive`, `advance`, `lose_connection`), and until the input buffer that held the bytes is written to.
struct event {
    enum class kind : std::uint8_t {
        ready,      ///< The peer's preface came: its limits are known, `may_start` may have changed.
        bound,      ///< The peer will call the method `names` by `method`. Comes before the requests for it.
        request,    ///< A call came in: `id`, `method`, `deadline`, `body`, `headers`. One-way calls have id 0.
        cancelled,  ///< The caller of the incoming call `id` gave up; `any_session::tag(id)` names its handler.
        reply,      ///< `call` succeeded with `body` and `headers`; its slot is free.
        failed,     ///< `call` failed with `why`; its slot is free. Also one-way calls that surely did not run.
        /// As many more as `id` says, at most, did not run either, for `why`: too many were sent to keep them.
        oneways_lost,
        accepted,    ///< The call from here that `streams` belongs to was taken.
        item,        ///< `body`, for `streams`.
        items_end,   ///< No items come any more for `streams`, of a call that came in.
        credit,      ///< More may be sent by `streams`.
        load_query,  ///< The peer asks how busy this side is: answer `id` with `any_session::tell_load`.
        load,        ///< The peer is as busy as `load` says; `id` is what `any_session::ask_load` returned.
        alive,       ///< The peer answered `any_session::ask_alive`, whose token is `id`.
        goodbye,     ///< The peer accepts no further calls, for `why`. What it had not accepted fails by own events.
        draining,    ///< This side said goodbye of its own accord (idle, a flood), for `why`. Close once `drained()`.
        broken,      ///< Nothing more can be received, for `why`: write what is left, close, `lose_connection(why)`.
    };

    kind what{};
    bool oneway = false;       ///< request: nobody waits for a reply.
    bool has_streams = false;  ///< request: take it with `any_session::accept`, or refuse it.
    bool wants_times = false;  ///< request: the caller would like to know how long the handler ran.
    std::uint32_t method = 0;  ///< request, bound: the number that the caller chose for the method.
    /// request, cancelled; also of the call that has streams, of a question for load, and of one for a sign of life.
    /// oneways_lost: their number.
    std::uint64_t id = 0;
    time_point deadline = no_deadline;         ///< request: when its caller gives up.
    bytes_view body{};                         ///< request: an array of arguments; reply, item: one value.
    const metadata* headers = nullptr;         ///< request, reply; null if there are none.
    load_report load{};                        ///< load.
    const method_names* names = nullptr;       ///< bound; also request in protocols that name the method each time.
    detail::intrusive_ptr<detail::call> call;  ///< reply, failed.
    detail::intrusive_ptr<detail::stream_port> streams;  ///< accepted, item, items_end, credit.
    error why{errc::internal};                           ///< failed, oneways_lost, goodbye, draining, broken.
};

}  // namespace futon
