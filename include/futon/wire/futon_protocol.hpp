// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// futon's own protocol, version 1: every byte as `docs/wire.md`
/// has it. Pure functions, no state, no allocation on reading.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/wire/detail/frame_parts.hpp>
#include <futon/wire/frame.hpp>
#include <futon/wire/limits.hpp>
#include <futon/wire/metadata_codec.hpp>
#include <futon/wire/protocol.hpp>
#include <futon/wire/varint.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace futon {

/// Frames of a 32-bit little-endian length, a type, flags and the rest.
///
/// Source: docs/wire.md.
struct futon_protocol {
    static constexpr std::byte first_byte{0xC1};
    static constexpr std::uint8_t version = 1;
    static constexpr bool has_preface = true;
    static constexpr bool has_binds = true;

    /// Of a frame's text in an error or a goodbye; longer texts are cut.
    static constexpr std::size_t max_text_bytes = 1024;
    static constexpr std::size_t max_head_bytes = 64;  ///< Of a frame's fields beside metadata and body.

    /// The longest frame that a side with these limits reads, by its length field.
    [[nodiscard]] static std::size_t max_frame_bytes(const limits& bounds) noexcept;

    [[nodiscard]] static parsed parse_preface(bytes_view in, peer_limits& peer, frame_fault& fault) noexcept;
    [[nodiscard]] static parsed parse(bytes_view in, const limits& bounds, frame& out, frame_fault& fault) noexcept;

    static void write_preface(byte_buffer& out, const limits& bounds);
    // Called at one place: inlined there, the many fields of the head stay in registers.
    [[gnu::always_inline]] static std::size_t begin_request(byte_buffer& out, const request_head& head);
    static std::size_t begin_reply(byte_buffer& out, const reply_head& head);
    static void end_frame(byte_buffer& out, std::size_t start, std::size_t detached) noexcept;
    static bool withdraw(std::byte* whole, std::size_t size) noexcept;
    static void write_error(byte_buffer& out, std::uint64_t id, const error& why, duration handler_time);
    /// `mine`: the id was made on this side. The item's value follows, as in a request.
    static std::size_t begin_item(byte_buffer& out, std::uint64_t id, bool mine);
    static void write_items_end(byte_buffer& out, std::uint64_t id) {
        detail::write_number(out, detail::frame_type::items_end, detail::flag::mine, id);
    }
    static void write_credit(byte_buffer& out, std::uint64_t id, bool mine, std::uint64_t more) {
        detail::write_window(out, detail::frame_type::credit, mine ? detail::flag::mine : std::uint8_t{0}, id, more);
    }
    static void write_accepted(byte_buffer& out, std::uint64_t id, std::uint64_t window) {
        detail::write_window(out, detail::frame_type::accepted, 0, id, window);
    }
    static void write_cancel(byte_buffer& out, std::uint64_t id) {
        detail::write_number(out, detail::frame_type::cancel, detail::flag::mine, id);
    }
    [[nodiscard]] static bool can_bind(const method_info& method) noexcept;
    static void write_bind(byte_buffer& out, const method_info& method);
    static void write_ping(byte_buffer& out, std::uint64_t token) {
        detail::write_number(out, detail::frame_type::ping, 0, token);
    }
    static void write_pong(byte_buffer& out, std::uint64_t token) {
        detail::write_number(out, detail::frame_type::pong, 0, token);
    }
    static void write_goodbye(byte_buffer& out, std::uint64_t accepted, const error& why);
    static void write_load_query(byte_buffer& out, std::uint64_t token) {
        detail::write_number(out, detail::frame_type::load_query, 0, token);
    }
    static void write_load(byte_buffer& out, std::uint64_t token, const load_report& load) {
        detail::write_report(out, token, load);
    }
};

inline std::size_t futon_protocol::max_frame_bytes(const limits& bounds) noexcept {
    // No side may break over what a peer may send before it knows the limits.
    const peer_limits least;
    const auto body = std::max(bounds.max_body_bytes, least.max_body_bytes);
    const auto headers = std::max(bounds.max_metadata_bytes, least.max_metadata_bytes);
    constexpr std::size_t most = 0xFFFFFFFF;
    return body > most - max_head_bytes || headers > most - max_head_bytes - body ? most
                                                                                  : body + headers + max_head_bytes;
}

inline parsed futon_protocol::parse_preface(bytes_view in, peer_limits& peer, frame_fault& fault) noexcept {
    constexpr std::byte magic[4] = {first_byte, std::byte{'f'}, std::byte{'u'}, std::byte{'t'}};
    for (std::size_t i = 0; i < in.size() && i < 4; ++i)
        if (in[i] != magic[i])
            return detail::refuse(fault, "this is not the futon protocol: byte", std::to_integer<std::uint64_t>(in[i]));
    if (in.size() > 4 && in[4] != std::byte{version})
        return detail::refuse(fault, "unsupported version of the futon protocol, this side speaks 1; the peer's",
                              std::to_integer<std::uint64_t>(in[4]), 0, errc::unsupported_protocol);
    if (in.size() < 6) return {parsed::status::partial, 0};
    const auto size = 6 + std::to_integer<std::size_t>(in[5]);
    if (in.size() < size) return {parsed::status::partial, size};

    // What is missing at the end keeps its initial value, what comes after is of a later revision.
    detail::byte_reader reader{in.subspan(6, size - 6)};
    for (auto* field :
         {&peer.max_body_bytes, &peer.max_metadata_bytes, &peer.max_in_flight, &peer.max_binds, &peer.max_streams}) {
        std::uint64_t value = 0;
        if (reader.empty()) break;
        if (!reader.varint(value))
            return detail::refuse(fault, "malformed number in the preface, byte", size - reader.rest().size());
        *field = static_cast<std::size_t>(std::min<std::uint64_t>(value, 0xFFFFFFFF));
    }
    return {parsed::status::complete, size};
}

inline parsed futon_protocol::parse(bytes_view in, const limits& bounds, frame& out, frame_fault& fault) noexcept {
    using namespace detail;
    if (in.size() < 4) return {parsed::status::partial, 0};
    const auto length = load_little<std::uint32_t>(in.data());
    if (length < 2) return refuse(fault, "a frame shorter than its type and flags: length", length);
    if (const auto most = max_frame_bytes(bounds); length > most)
        return refuse(fault, "frame too long: length", length, most);
    if (in.size() < 6) return {parsed::status::partial, length + std::size_t{4}};

    const auto type = std::to_integer<std::uint8_t>(in[4]);
    const auto flags = std::to_integer<std::uint8_t>(in[5]);
    const auto* rule = find_rule(type);
    if (rule) {
        if (flags & ~rule->flags) return refuse(fault, "reserved flag set in a frame of known type: flags", flags);
        if ((flags & rule->must) != rule->must) return refuse(fault, "initiator bit missing: frame type", type);
        if (length < rule->least) return refuse(fault, "frame too short for its type: length", length);
        if (length > rule->most) return refuse(fault, "frame too long for its type: length", length, rule->most);
    } else if (!(type & skippable)) {
        return refuse(fault, "unknown frame type", type);
    }
    const auto size = length + std::size_t{4};
    if (in.size() < size) return {parsed::status::partial, size};
    out = frame{};
    if (!rule) return {parsed::status::complete, size};
    out.what = rule->kind;
    const byte_reader fields{in.subspan(6, size - 6)};
    // The two that nearly all are, so that they are read in place.
    const bool well_formed = rule->kind == frame::kind::reply     ? read_reply(fields, flags, out)
                             : rule->kind == frame::kind::request ? read_call(fields, flags, out)
                                                                  : rule->read(fields, flags, out);
    if (!well_formed) return refuse(fault, "malformed frame of type", type);
    return {parsed::status::complete, size};
}

inline void futon_protocol::write_preface(byte_buffer& out, const limits& bounds) {
    std::byte whole[6 + 5 * max_varint_bytes] = {first_byte, std::byte{'f'}, std::byte{'u'}, std::byte{'t'},
                                                 std::byte{version}};
    auto* end = whole + 6;
    for (const auto value :
         {bounds.max_body_bytes, bounds.max_metadata_bytes, bounds.max_in_flight, bounds.max_binds, bounds.max_streams})
        end = put_varint(end, std::min<std::uint64_t>(value, 0xFFFFFFFF));
    whole[5] = static_cast<std::byte>(end - whole - 6);
    out.append(whole, static_cast<std::size_t>(end - whole));
}

inline std::size_t futon_protocol::begin_request(byte_buffer& out, const request_head& head) {
    const auto start = out.size();
    const bool has_headers = head.headers && !head.headers->empty();
    const bool has_deadline = head.remaining.count() >= 0;
    std::uint8_t flags = detail::flag::mine;
    if (has_headers) flags |= detail::flag::has_metadata;
    if (has_deadline) flags |= detail::flag::has_deadline;
    if (head.wants_times && head.id != 0) flags |= detail::flag::times;
    if (head.has_streams) [[unlikely]]
        flags |= detail::flag::streams;
    auto* const at = out.prepare(max_head_bytes).data();
    auto* end = detail::put_head(at, head.id == 0 ? detail::frame_type::oneway : detail::frame_type::request, flags);
    end = detail::put_little(end, head.id);
    end = put_varint(end, head.method->number);
    if (has_deadline) end = put_varint(end, detail::microseconds(head.remaining));
    if (head.has_streams) [[unlikely]]
        end = put_varint(end, head.window);
    out.commit(static_cast<std::size_t>(end - at));
    if (has_headers) detail::write_headers(out, *head.headers);
    return start;
}

inline std::size_t futon_protocol::begin_reply(byte_buffer& out, const reply_head& head) {
    const auto start = out.size();
    const bool has_headers = head.headers && !head.headers->empty();
    const bool has_time = head.handler_time.count() >= 0;
    std::uint8_t flags = 0;
    if (has_headers) flags |= detail::flag::has_metadata;
    if (has_time) flags |= detail::flag::times;
    auto* const at = out.prepare(max_head_bytes).data();
    auto* end = detail::put_head(at, detail::frame_type::reply, flags);
    end = detail::put_little(end, head.id);
    if (has_time) end = put_varint(end, detail::microseconds(head.handler_time));
    out.commit(static_cast<std::size_t>(end - at));
    if (has_headers) detail::write_headers(out, *head.headers);
    return start;
}

inline std::size_t futon_protocol::begin_item(byte_buffer& out, std::uint64_t id, bool mine) {
    const auto start = out.size();
    auto* const at = out.prepare(14).data();
    detail::put_little(detail::put_head(at, detail::frame_type::item, mine ? detail::flag::mine : std::uint8_t{0}), id);
    out.commit(14);
    return start;
}

inline void futon_protocol::end_frame(byte_buffer& out, std::size_t start, std::size_t detached) noexcept {
    const auto length = out.size() - start - 4 + detached;
    detail::put_little(out.data() + start, static_cast<std::uint32_t>(length));
}

inline bool futon_protocol::withdraw(std::byte* whole, std::size_t size) noexcept {
    detail::put_little(whole, static_cast<std::uint32_t>(size - 4));
    whole[4] = static_cast<std::byte>(detail::frame_type::withdrawn);
    return true;
}

inline void futon_protocol::write_error(byte_buffer& out, std::uint64_t id, const error& why, duration handler_time) {
    const auto code = why.code();
    const bool own = code.category() == futon_category();
    const auto start = out.size();
    const bool has_time = handler_time.count() >= 0;
    auto* const at = out.prepare(max_head_bytes).data();
    auto* end = detail::put_head(at, detail::frame_type::error, has_time ? detail::flag::times : std::uint8_t{0});
    end = detail::put_little(end, id);
    if (has_time) end = put_varint(end, detail::microseconds(handler_time));
    end = put_varint(end, static_cast<std::uint32_t>(code.value()));
    *end++ = static_cast<std::byte>(why.ran());
    end = put_varint(end, detail::microseconds(why.retry_after()));
    out.commit(static_cast<std::size_t>(end - at));
    detail::write_text(out, own ? "" : code.category().name(), 128);
    detail::write_text(out, why.remote_type(), 256);
    detail::write_text(out, why.message(), max_text_bytes);
    if (const auto payload = why.payload_bytes(); payload.size() <= max_error_payload_bytes) out.append(payload);
    end_frame(out, start, 0);
}

inline bool futon_protocol::can_bind(const method_info& method) noexcept {
    return method.service.size() + method.name.size() + method.signature.size() <=
           detail::max_bind_bytes - max_head_bytes;
}

inline void futon_protocol::write_bind(byte_buffer& out, const method_info& method) {
    const auto start = out.size();
    auto* const at = out.prepare(max_head_bytes).data();
    out.commit(
        static_cast<std::size_t>(put_varint(detail::put_head(at, detail::frame_type::bind, 0), method.number) - at));
    for (const std::string_view text :
         {std::string_view{method.service}, std::string_view{method.name}, std::string_view{method.signature}})
        detail::write_text(out, text, text.size());
    end_frame(out, start, 0);
}

inline void futon_protocol::write_goodbye(byte_buffer& out, std::uint64_t accepted, const error& why) {
    const auto code = static_cast<int>(detail::errc_of(why));
    const auto start = out.size();
    auto* const at = out.prepare(max_head_bytes).data();
    auto* end = put_varint(detail::put_head(at, detail::frame_type::goodbye, 0), accepted);
    end = put_varint(end, static_cast<std::uint32_t>(code));
    out.commit(static_cast<std::size_t>(end - at));
    detail::write_text(out, why.message(), max_text_bytes);
    end_frame(out, start, 0);
}

static_assert(protocol<futon_protocol>);

}  // namespace futon
