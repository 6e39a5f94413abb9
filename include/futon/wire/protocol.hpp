// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a session asks of a protocol: pure functions between bytes and `frame`s.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/wire/frame.hpp>
#include <futon/wire/limits.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace futon {

/// A protocol as a set of functions without state; `session<P>` keeps what there is to remember.
///
/// Reading: `parse` looks at the front of the received bytes and checks every length against the limits before it
/// says `partial`, so that nobody waits or makes room for what will be refused.
/// Writing: `begin_...` appends the front of a frame and returns where it starts, the session appends the body, and
/// `end_frame` puts the length in; `detached` counts bytes of the body that follow outside of the buffer.
/// What a protocol cannot say it leaves out: `has_preface` and `has_binds` tell the session not to expect it, the
/// `write_` functions of frames that it lacks append nothing, `withdraw` returns false.
template <class P>
concept protocol = requires(byte_buffer& out, bytes_view in, const limits& bounds, frame& frame_out, frame_fault& fault,
                            peer_limits& peer, const request_head& request, const reply_head& reply, const error& why,
                            const method_info& method, std::byte* whole, std::size_t size, std::uint64_t number,
                            bool flag, duration time, const load_report& load) {
    { P::has_preface } -> std::convertible_to<bool>;  // Both sides begin with a preface that tells their limits.
    { P::has_binds } -> std::convertible_to<bool>;    // A method is named once, in a frame of its own.
    { P::parse_preface(in, peer, fault) } -> std::same_as<parsed>;
    { P::parse(in, bounds, frame_out, fault) } -> std::same_as<parsed>;
    { P::write_preface(out, bounds) };
    { P::begin_request(out, request) } -> std::same_as<std::size_t>;
    { P::begin_reply(out, reply) } -> std::same_as<std::size_t>;
    { P::end_frame(out, size, size) };
    // Makes a request, of which the first `size` bytes stay, one to be skipped.
    { P::withdraw(whole, size) } -> std::same_as<bool>;
    { P::write_error(out, number, why, time) };
    { P::begin_item(out, number, flag) } -> std::same_as<std::size_t>;
    { P::write_items_end(out, number) };
    { P::write_credit(out, number, flag, number) };
    { P::write_accepted(out, number, number) };
    { P::write_cancel(out, number) };
    { P::can_bind(method) } -> std::same_as<bool>;  // Its names are not too long for `write_bind`.
    { P::write_bind(out, method) };
    { P::write_ping(out, number) };
    { P::write_pong(out, number) };
    { P::write_goodbye(out, number, why) };
    // The question how busy the peer is, and the answer.
    { P::write_load_query(out, number) };
    { P::write_load(out, number, load) };
};

}  // namespace futon
