// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of reader.hpp: what is said of a message that does not fit, and what few messages need.

#include <futon/core/bodies.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/wire/detail/format.hpp>
#include <futon/wire/detail/reader.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool failure::say(std::string what) {
    own().what = std::move(what);
    return false;
}
[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool failure::inside(std::size_t index) {
    return prefix('[' + std::to_string(index) + ']');
}
[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool failure::inside(std::string_view field) {
    return prefix('.' + std::string{field});
}
[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool failure::inside_key(std::size_t index) {
    return prefix("[key " + std::to_string(index) + ']');
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool failure::in_argument(std::size_t number) {
    own().what.insert(0, "argument " + std::to_string(number) + ": ");
    return false;
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY error failure::as_error() const {
    if (!words_) return {errc::bad_arguments, executed::no};
    const auto& [what, path] = *words_;
    return {errc::bad_arguments, path.empty() ? what : what + " at " + path, executed::no};
}

FUTON_DETAIL_BODY failure::words& failure::own() {
    if (!words_) words_ = std::make_unique<words>();
    return *words_;
}

FUTON_DETAIL_BODY bool failure::prefix(const std::string& step) {
    own().path.insert(0, step);
    return false;
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool reader::mismatch(const char* expected) {
    return why_->say(std::string{"expected "} + expected + ", got " +
                     (at_ == end_ ? "the end of the message" : name(kind_of(*at_))));
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool reader::wrong_count(const char* of, std::size_t expected,
                                                                        std::size_t got) {
    return why_->say("expected " + std::to_string(expected) + ' ' + of + (expected == 1 ? "" : "s") + ", got " +
                     std::to_string(got));
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool reader::unfit(std::string what) {
    return why_->say(std::move(what));
}

[[gnu::cold, gnu::noinline]] FUTON_DETAIL_BODY bool reader::out_of_range(wire_integer found, bool is_signed,
                                                                         std::size_t bits) {
    const auto digits =
        found.negative ? std::to_string(static_cast<std::int64_t>(found.bits)) : std::to_string(found.bits);
    return unfit(digits + " is out of range for " + (is_signed ? 'i' : 'u') + std::to_string(bits));
}

FUTON_DETAIL_BODY bool reader::time(timestamp& out) {
    bytes_view body;
    if (kind_of_next() != kind::extension) return mismatch("timestamp");
    if (!extension(body)) return false;
    if (body.front() != std::byte{0xff}) return unfit("expected timestamp, got an extension of another type");
    const auto* const from = body.data() + 1;
    switch (body.size() - 1) {
        case 4: out = {load<std::uint32_t>(from), 0}; break;
        case 8: {
            const auto both = load<std::uint64_t>(from);
            out = {static_cast<std::int64_t>(both & 0x3'ffff'ffff), static_cast<std::uint32_t>(both >> 34)};
            break;
        }
        case 12: out = {static_cast<std::int64_t>(load<std::uint64_t>(from + 4)), load<std::uint32_t>(from)}; break;
        default: return unfit("a timestamp of " + std::to_string(body.size() - 1) + " bytes");
    }
    return out.nanoseconds < second_in_nanoseconds || unfit("a timestamp with a whole second of nanoseconds");
}

FUTON_DETAIL_BODY bool reader::skip() {
    std::size_t pending = 1;
    while (pending-- != 0) {
        head next;
        if (!parse_head(at_, end_, next) || next.what == kind::reserved) return mismatch("a value");
        if (next.what == kind::array || next.what == kind::map) {
            // What is claimed beyond the bytes left runs into the end soon enough.
            const auto children = next.what == kind::map ? 2 * next.size : next.size;
            if (next.size > left()) return mismatch("a value");
            pending += children;
        } else {
            if (next.size > left()) return mismatch("a value");
            at_ += next.size;
        }
    }
    return true;
}

}  // namespace futon::detail
