// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The types of the futon protocol: what each may carry, how each is read, and the pieces that they are written from.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/message/metadata.hpp>
#include <futon/wire/detail/byte_reader.hpp>
#include <futon/wire/detail/utf8.hpp>
#include <futon/wire/frame.hpp>
#include <futon/wire/metadata_codec.hpp>
#include <futon/wire/varint.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace futon::detail {

/// 0x20 is kept for pipelining.
enum class frame_type : std::uint8_t {
    request = 0x01,
    oneway,
    reply,
    error,
    cancel,
    bind,
    ping,
    pong,
    goodbye,
    withdrawn,
    item = 0x10,
    items_end,
    credit,
    accepted,
    load_query = 0x81,  // Peers that do not know it skip it, and answer nothing.
    load
};
inline constexpr std::uint8_t skippable = 0x80;

namespace flag {
inline constexpr std::uint8_t mine = 0x01;  ///< The id was made by the sender of this frame.
inline constexpr std::uint8_t has_metadata = 0x02;
inline constexpr std::uint8_t has_deadline = 0x04;
inline constexpr std::uint8_t times = 0x08;    ///< request: asks for the handler's time; reply, error: has it.
inline constexpr std::uint8_t streams = 0x10;  ///< request: of a method with streams.
}  // namespace flag

[[nodiscard]] inline parsed refuse(frame_fault& fault, const char* what, std::uint64_t value, std::uint64_t limit = 0,
                                   errc code = errc::protocol_error) noexcept {
    fault = {what, value, limit, code};
    return {parsed::status::broken, 0};
}

/// A count of microseconds as a duration; what does not fit is "for ever".
[[nodiscard]] constexpr duration from_microseconds(std::uint64_t count) noexcept {
    constexpr auto most =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration::max()).count());
    return count >= most ? duration::max() : std::chrono::microseconds{static_cast<std::int64_t>(count)};
}
/// Rounded down, but not to zero: zero means that nothing is left.
[[nodiscard]] constexpr std::uint64_t microseconds(duration time) noexcept {
    if (time <= duration::zero()) return 0;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(time.count()) / 1000);
}

// Reading: the bytes after the flags. False: malformed.

[[nodiscard]] inline bool read_call(byte_reader in, std::uint8_t flags, frame& out) noexcept {
    if (!in.u64(out.id) || !in.varint32(out.method)) return false;
    if (flags & flag::has_deadline) {
        std::uint64_t left = 0;
        if (!in.varint(left)) return false;
        out.remaining = from_microseconds(left);
    }
    out.has_streams = (flags & flag::streams) != 0;
    if (out.has_streams) [[unlikely]] {
        if (!in.varint(out.window)) return false;
    }
    out.has_metadata = (flags & flag::has_metadata) != 0;
    if (out.has_metadata && !in.block(out.metadata)) return false;
    out.wants_times = (flags & flag::times) != 0;
    out.body = in.rest();
    return (out.id == 0) == (out.what == frame::kind::oneway_request);
}

[[nodiscard]] inline bool read_times(byte_reader& in, std::uint8_t flags, frame& out) noexcept {
    if (!(flags & flag::times)) return true;
    std::uint64_t time = 0;
    if (!in.varint(time)) return false;
    out.handler_time = from_microseconds(time);
    return true;
}

[[nodiscard]] inline bool read_reply(byte_reader in, std::uint8_t flags, frame& out) noexcept {
    if (!in.u64(out.id) || !read_times(in, flags, out)) return false;
    out.has_metadata = (flags & flag::has_metadata) != 0;
    if (out.has_metadata && !in.block(out.metadata)) return false;
    out.body = in.rest();
    return true;
}

[[nodiscard]] inline bool read_error(byte_reader in, std::uint8_t flags, frame& out) noexcept {
    std::uint32_t code = 0;
    std::uint8_t ran = 0;
    std::uint64_t after = 0;
    if (!in.u64(out.id) || !read_times(in, flags, out) || !in.varint32(code) || !in.u8(ran) || !in.varint(after) ||
        !in.text(out.category) || !in.text(out.remote_type) || !in.text(out.text))
        return false;
    out.code = static_cast<std::int32_t>(code);
    out.ran = ran == 0 ? executed::no : ran == 2 ? executed::yes : executed::maybe;
    out.retry_after = from_microseconds(after);
    out.body = in.rest();
    return true;
}

[[nodiscard]] inline bool read_number(byte_reader in, std::uint8_t, frame& out) noexcept {
    return in.u64(out.id) && in.empty();
}

[[nodiscard]] inline bool read_bind(byte_reader in, std::uint8_t, frame& out) noexcept {
    return in.varint32(out.method) && in.text(out.names.service) && in.text(out.names.method) &&
           in.text(out.names.signature) && in.empty();
}

[[nodiscard]] inline bool read_goodbye(byte_reader in, std::uint8_t, frame& out) noexcept {
    std::uint32_t code = 0;
    if (!in.varint(out.id) || !in.varint32(code) || !in.text(out.text)) return false;
    out.code = static_cast<std::int32_t>(code);
    return true;  // Bytes that follow are of a later revision.
}

[[nodiscard]] inline bool read_item(byte_reader in, std::uint8_t flags, frame& out) noexcept {
    out.mine = (flags & flag::mine) != 0;
    if (!in.u64(out.id)) return false;
    out.body = in.rest();
    return true;
}

[[nodiscard]] inline bool read_window(byte_reader in, std::uint8_t flags, frame& out) noexcept {
    out.mine = (flags & flag::mine) != 0;
    return in.u64(out.id) && in.varint(out.window) && in.empty();
}

[[nodiscard]] inline bool read_load(byte_reader in, std::uint8_t, frame& out) noexcept {
    std::uint64_t latency = 0;
    std::uint32_t thousandths = 0, qps = 0, eps = 0;
    if (!in.u64(out.id) || !in.varint32(out.load.in_flight) || !in.varint(latency) || !in.varint32(thousandths) ||
        !in.varint32(qps) || !in.varint32(eps))
        return false;
    out.load.latency = from_microseconds(latency);
    out.load.utilisation = static_cast<float>(thousandths) / 1000;
    out.load.qps = static_cast<float>(qps);
    out.load.eps = static_cast<float>(eps);
    return true;  // Bytes that follow are of a later revision.
}

[[nodiscard]] inline bool read_nothing(byte_reader, std::uint8_t, frame&) noexcept { return true; }

/// One line of the table of frames.
struct frame_rule {
    frame::kind kind;
    std::uint8_t flags;   ///< That may be set,
    std::uint8_t must;    ///< that must be.
    std::uint32_t least;  ///< Of the length field.
    std::uint32_t most;
    bool (*read)(byte_reader, std::uint8_t, frame&) noexcept;
};

// By their length fields.
inline constexpr std::uint32_t max_bind_bytes = 4096;
inline constexpr std::uint32_t max_goodbye_bytes = 2048;

[[nodiscard]] inline const frame_rule* find_rule(std::uint8_t type) noexcept {
    using namespace flag;
    constexpr std::uint32_t any = 0xFFFFFFFF;
    static constexpr frame_rule rules[] = {
        {frame::kind::request, mine | has_metadata | has_deadline | times | streams, mine, 11, any, read_call},
        {frame::kind::oneway_request, mine | has_metadata | has_deadline, mine, 11, any, read_call},
        {frame::kind::reply, has_metadata | times, 0, 10, any, read_reply},
        {frame::kind::error, times, 0, 16, any, read_error},
        {frame::kind::cancel, mine, mine, 10, 10, read_number},
        {frame::kind::bind, 0, 0, 6, max_bind_bytes, read_bind},
        {frame::kind::ping, 0, 0, 10, 10, read_number},
        {frame::kind::pong, 0, 0, 10, 10, read_number},
        {frame::kind::goodbye, 0, 0, 5, max_goodbye_bytes, read_goodbye},
        {frame::kind::withdrawn, mine | has_metadata | has_deadline | times | streams, mine, 2, any, read_nothing},
    };
    static constexpr frame_rule stream_rules[] = {
        {frame::kind::item, mine, 0, 11, any, read_item},
        {frame::kind::items_end, mine, mine, 10, 10, read_number},
        {frame::kind::credit, mine, 0, 11, 20, read_window},
        {frame::kind::accepted, 0, 0, 11, 20, read_window},
    };
    static constexpr frame_rule load_rules[] = {
        {frame::kind::load_query, 0, 0, 10, 10, read_number},
        {frame::kind::load, 0, 0, 15, 256, read_load},
    };
    if (type >= 1 && type <= std::size(rules)) return &rules[type - 1];
    if (type > skippable && type <= skippable + std::size(load_rules)) return &load_rules[type - skippable - 1];
    const auto of_streams = static_cast<std::uint8_t>(type - static_cast<std::uint8_t>(frame_type::item));
    return of_streams < std::size(stream_rules) ? &stream_rules[of_streams] : nullptr;
}

// Writing.

/// Room for the length, then type and flags.
[[nodiscard]] inline std::byte* put_head(std::byte* to, frame_type type, std::uint8_t flags) noexcept {
    to += 4;
    *to++ = static_cast<std::byte>(type);
    *to++ = static_cast<std::byte>(flags);
    return to;
}

/// A whole frame of an id and a varint.
inline void write_window(byte_buffer& out, frame_type type, std::uint8_t flags, std::uint64_t id,
                         std::uint64_t window) {
    auto* const at = out.prepare(14 + max_varint_bytes).data();
    auto* const end = put_varint(put_little(put_head(at, type, flags), id), window);
    put_little(at, static_cast<std::uint32_t>(end - at - 4));
    out.commit(static_cast<std::size_t>(end - at));
}

/// A whole frame of one 64-bit number.
inline void write_number(byte_buffer& out, frame_type type, std::uint8_t flags, std::uint64_t number) {
    auto* const at = out.prepare(14).data();
    put_little(at, std::uint32_t{10});
    put_little(put_head(at, type, flags), number);
    out.commit(14);
}

/// A whole frame of a load report.
inline void write_report(byte_buffer& out, std::uint64_t token, const load_report& load) {
    auto* const at = out.prepare(14 + 5 * max_varint_bytes).data();
    auto* end = put_little(put_head(at, frame_type::load, 0), token);
    const auto whole = [](float number) { return static_cast<std::uint64_t>(std::clamp(number + 0.5f, 0.0f, 1e9f)); };
    for (const std::uint64_t field : {std::uint64_t{load.in_flight}, microseconds(load.latency),
                                      whole(1000 * load.utilisation), whole(load.qps), whole(load.eps)})
        end = put_varint(end, field);
    static_cast<void>(put_little(at, static_cast<std::uint32_t>(end - at - 4)));
    out.commit(static_cast<std::size_t>(end - at));
}

inline void write_text(byte_buffer& out, std::string_view text, std::size_t most) {
    text = cut_utf8(text, most);
    write_varint(out, text.size());
    out.append(text.data(), text.size());
}

/// Their size, then the map.
inline void write_headers(byte_buffer& out, const metadata& headers) {
    std::size_t size = headers.size() < 16 ? 1 : 3;
    for (const auto& [key, value] : headers) size += str_size(key.size()) + str_size(value.size());
    write_varint(out, size);
    encode_metadata(out, headers);
}

}  // namespace futon::detail
