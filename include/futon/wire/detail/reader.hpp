// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads single msgpack values from the received bytes, and remembers why and where that failed.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/wire/detail/chrono.hpp>
#include <futon/wire/detail/format.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace futon::detail {

/// The first thing that did not fit, in words, and the path to it, built from the inside out.
class failure {
public:
    // Each returns false, for the caller to return it.
    [[gnu::cold]] bool say(std::string what);
    [[gnu::cold]] bool inside(std::size_t index);
    [[gnu::cold]] bool inside(std::string_view field);
    [[gnu::cold]] bool inside_key(std::size_t index);
    [[gnu::cold]] bool in_argument(std::size_t number);
    [[gnu::cold]] error as_error() const;

private:
    struct words {
        std::string what;
        std::string path;
    };
    words& own();
    bool prefix(const std::string& step);

    std::unique_ptr<words> words_;  // Null until something does not fit, which for most messages is never.
};

/// Whether a value may point into the message.
enum class views : bool { refused, welcome };

/// An integer as it stands on the wire.
struct wire_integer {
    std::uint64_t bits = 0;
    bool negative = false;
};

/// A cursor over validated bytes. Every function moves past what it read and returns true, or notes a failure and
/// returns false. Bounds are checked again: a byte too few can never be read, even of bytes that nobody validated.
class reader {
public:
    reader(bytes_view input, views allowed, failure& why) noexcept
        : at_{input.data()}, end_{input.data() + input.size()}, why_{&why}, views_{allowed} {}

    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    [[nodiscard]] bool next_is_nil() const noexcept { return at_ != end_ && *at_ == std::byte{0xc0}; }
    [[nodiscard]] kind kind_of_next() const noexcept { return at_ == end_ ? kind::reserved : kind_of(*at_); }
    [[nodiscard]] const std::byte* position() const noexcept { return at_; }
    void rewind(const std::byte* to) noexcept { at_ = to; }
    [[nodiscard]] failure& why() const noexcept { return *why_; }
    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    /// A struct with `MSGPACK_DEFINE` shows that it holds a view only when it is read.
    bool may_view() { return views_ == views::welcome || unfit("a view can only be a parameter"); }

    bool nil() {
        if (!next_is_nil()) return mismatch("nil");
        ++at_;
        return true;
    }

    bool boolean(bool& out) {
        if (at_ == end_ || (*at_ | std::byte{1}) != std::byte{0xc3}) return mismatch("bool");
        out = *at_++ == std::byte{0xc3};
        return true;
    }

    template <std::integral T>
    bool integer(T& out, const char* expected = "integer") {
        if (at_ != end_ && *at_ < std::byte{0x80}) [[likely]] {
            out = static_cast<T>(*at_++);
            return true;
        }
        wire_integer found;
        if (!any_integer(found)) return mismatch(expected);
        if (found.negative ? !fit(static_cast<std::int64_t>(found.bits), out) : !fit(found.bits, out)) {
            return out_of_range(found, std::is_signed_v<T>, sizeof(T) * 8);
        }
        return true;
    }

    /// Integers are welcome where they are exact.
    template <std::floating_point T>
    bool floating(T& out) {
        const auto first = at_ == end_ ? 0u : std::to_integer<unsigned>(*at_);
        if (first == 0xcb && left() >= 9) {
            const auto value = std::bit_cast<double>(load<std::uint64_t>(at_ + 1));
            out = static_cast<T>(value);
            if constexpr (sizeof(T) < sizeof(double)) {
                if (std::isfinite(value) && !std::isfinite(out)) return unfit("a float64 out of range for float32");
            }
            at_ += 9;
            return true;
        }
        if (first == 0xca && left() >= 5) {
            out = static_cast<T>(std::bit_cast<float>(load<std::uint32_t>(at_ + 1)));
            at_ += 5;
            return true;
        }
        return floating_from_integer(out);
    }

    bool text(std::string_view& out) {
        // Those of less than 256 bytes in few steps.
        const auto first = at_ == end_ ? 0u : std::to_integer<unsigned>(*at_);
        if (first == 0xd9 && left() >= 2) {
            const auto size = std::to_integer<std::size_t>(at_[1]);
            if (size <= left() - 2) return take_text(2, size, out);
        } else if (first >> 5 == 0b101) {
            const std::size_t size = first & 0x1f;
            if (size < left()) return take_text(1, size, out);
        }
        return any_text(out);
    }
    bool any_text(std::string_view& out) {
        head next;
        const auto* const start = at_;
        if (!parse_head(at_, end_, next) || next.what != kind::string || next.size > left()) {
            return rewind(start), mismatch("string");
        }
        out = {reinterpret_cast<const char*>(at_), next.size};
        at_ += next.size;
        return true;
    }

    bool blob(bytes_view& out) {
        head next;
        const auto* const start = at_;
        if (!parse_head(at_, end_, next) || next.what != kind::binary || next.size > left()) {
            return rewind(start), mismatch("binary");
        }
        out = {at_, next.size};
        at_ += next.size;
        return true;
    }

    /// The type byte and the body.
    bool extension(bytes_view& out) {
        head next;
        const auto* const start = at_;
        if (!parse_head(at_, end_, next) || next.what != kind::extension || next.size > left()) {
            return rewind(start), mismatch("extension");
        }
        out = {at_, next.size};
        at_ += next.size;
        return true;
    }

    bool array(std::size_t& count, const char* expected = "array") {
        if (at_ != end_ && (*at_ >> 4) == std::byte{9}) [[likely]] {
            count = std::to_integer<std::size_t>(*at_ & std::byte{0x0f});
            if (count < left()) return ++at_, true;
        }
        return container(kind::array, 1, count, expected);
    }
    bool map(std::size_t& count) { return container(kind::map, 2, count, "map"); }

    bool time(timestamp& out);
    /// As it is; false, without a noted failure, where there is no integer.
    bool any_integer(wire_integer& out) noexcept;

    /// Moves past one whole value, however nested.
    bool skip();
    bool skip(std::size_t count) {
        while (count-- != 0) {
            if (!skip()) return false;
        }
        return true;
    }

    [[gnu::cold]] bool mismatch(const char* expected);
    [[gnu::cold]] bool wrong_count(const char* of, std::size_t expected, std::size_t got);
    [[gnu::cold]] bool unfit(std::string what);

private:
    bool take_text(std::size_t head_size, std::size_t size, std::string_view& out) noexcept {
        out = {reinterpret_cast<const char*>(at_) + head_size, size};
        at_ += head_size + size;
        return true;
    }
    template <class T>
    bool floating_from_integer(T& out);
    [[gnu::cold]] bool out_of_range(wire_integer found, bool is_signed, std::size_t bits);

    bool container(kind wanted, std::size_t bytes_each, std::size_t& count, const char* expected) {
        head next;
        const auto* const start = at_;
        if (!parse_head(at_, end_, next) || next.what != wanted || next.size > left() / bytes_each) {
            return rewind(start), mismatch(expected);
        }
        count = next.size;
        return true;
    }

    const std::byte* at_;
    const std::byte* end_;
    failure* why_;
    views views_;
};

inline bool reader::any_integer(wire_integer& out) noexcept {
    if (at_ == end_) return false;
    const auto first = std::to_integer<std::uint8_t>(*at_);
    if (first < 0x80) {
        out = {first, false};
        ++at_;
        return true;
    }
    if (first >= 0xe0) {
        out = {static_cast<std::uint64_t>(static_cast<std::int8_t>(first)), true};
        ++at_;
        return true;
    }
    if (first < 0xcc || first > 0xd3) return false;
    const std::size_t width = std::size_t{1} << (first & 3);
    if (left() <= width) return false;
    std::uint64_t bits = 0;
    switch (width) {
        case 1: bits = load<std::uint8_t>(at_ + 1); break;
        case 2: bits = load<std::uint16_t>(at_ + 1); break;
        case 4: bits = load<std::uint32_t>(at_ + 1); break;
        default: bits = load<std::uint64_t>(at_ + 1); break;
    }
    at_ += 1 + width;
    const bool is_signed = first >= 0xd0;
    if (is_signed && width < 8) {
        const auto unused = 64 - 8 * width;
        bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
    }
    out = {bits, is_signed && static_cast<std::int64_t>(bits) < 0};
    return true;
}

template <class T>
bool reader::floating_from_integer(T& out) {
    wire_integer found;
    if (!any_integer(found)) return mismatch("float");
    const auto magnitude = found.negative ? std::uint64_t{0} - found.bits : found.bits;
    const auto value = static_cast<T>(magnitude);
    // 2^64 is a value that a magnitude can round up to, and too big to convert back.
    if (value >= static_cast<T>(18446744073709551616.0) || static_cast<std::uint64_t>(value) != magnitude) {
        return unfit("an integer that a float" + std::to_string(sizeof(T) * 8) + " cannot hold exactly");
    }
    out = found.negative ? -value : value;
    return true;
}

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/wire/detail/reader_bodies.hpp>
#endif
