// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Durations as int64 nanoseconds and system time points as timestamps, with every overflow caught.

#include <futon/wire/detail/writer.hpp>

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ratio>
#include <type_traits>

namespace futon::detail {

/// `value * num / den`, rounded to the nearest, halves away from zero; false if a step overflows.
template <std::intmax_t Num, std::intmax_t Den>
[[nodiscard]] constexpr bool scale(std::int64_t value, std::int64_t& out) noexcept {
    static_assert(Num > 0 && Den > 0, "futon: the period of a duration must be positive");
    if constexpr (Num == 1 && Den == 1) {
        out = value;
        return true;
    }
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    // Whole and rest apart, so that only what truly does not fit overflows.
    const std::int64_t whole = value / Den;
    const std::int64_t rest = value % Den;
    if (whole > most / Num || whole < -(most / Num)) return false;
    if constexpr (Den > 1) {
        if (Num > 1 && (rest > most / Num || rest < -(most / Num))) return false;
    }
    const std::int64_t scaled = rest * Num;
    const std::int64_t part = scaled / Den;
    const std::int64_t left = scaled % Den;
    const std::int64_t nudge = left >= Den - left && left > 0 ? 1 : left <= -Den - left && left < 0 ? -1 : 0;
    const std::int64_t sum = whole * Num;
    const std::int64_t more = part + nudge;
    if (more > 0 ? sum > most - more : sum < -most - more) return false;
    out = sum + more;
    return true;
}

template <class To, std::integral From>
[[nodiscard]] constexpr bool fit(From value, To& out) noexcept {
    using limits = std::numeric_limits<To>;
    if constexpr (std::is_signed_v<From>) {
        if constexpr (std::is_signed_v<To>) {
            if (value < limits::min() || value > limits::max()) return false;
        } else {
            if (value < 0 || static_cast<std::make_unsigned_t<From>>(value) > limits::max()) return false;
        }
    } else {
        if (value > static_cast<std::make_unsigned_t<To>>(limits::max())) return false;
    }
    out = static_cast<To>(value);
    return true;
}

/// Rounds; false for what is no number or does not fit.
template <std::floating_point Float>
[[nodiscard]] inline bool fit_floating(Float value, std::int64_t& out) noexcept {
    const auto whole = std::round(value);
    constexpr auto bound = static_cast<Float>(9223372036854775808.0);  // 2^63, exact in every binary float
    if (!(whole >= -bound && whole < bound)) return false;
    out = static_cast<std::int64_t>(whole);
    return true;
}

/// A duration in units of `Unit`, or back; false if it does not fit. What comes back can be sent again.
template <class Unit, class Rep, class Period>
[[nodiscard]] inline bool to_units(std::chrono::duration<Rep, Period> value, std::int64_t& out) noexcept {
    using factor = std::ratio_divide<Period, Unit>;
    if constexpr (std::is_floating_point_v<Rep>) {
        return fit_floating(static_cast<long double>(value.count()) * factor::num / factor::den, out);
    } else {
        std::int64_t count = 0;
        return fit(value.count(), count) && scale<factor::num, factor::den>(count, out);
    }
}
template <class Unit, class Rep, class Period>
[[nodiscard]] inline bool from_units(std::int64_t units, std::chrono::duration<Rep, Period>& out) noexcept {
    using factor = std::ratio_divide<Unit, Period>;
    Rep count{};
    if constexpr (std::is_floating_point_v<Rep>) {
        count = static_cast<Rep>(static_cast<long double>(units) * factor::num / factor::den);
    } else {
        std::int64_t scaled = 0;
        if (!scale<factor::num, factor::den>(units, scaled) || !fit(scaled, count)) return false;
    }
    out = std::chrono::duration<Rep, Period>{count};
    if constexpr (factor::den > 1 && !std::is_floating_point_v<Rep>) {
        // Rounding up to a coarser unit can step out of the range that is sent.
        return to_units<Unit>(out, units);
    }
    return true;
}

/// Seconds since 1970, negative before, and nanoseconds onward from there.
struct timestamp {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;
};
inline constexpr std::uint32_t second_in_nanoseconds = 1'000'000'000;

template <class Duration>
inline constexpr bool whole_seconds = std::ratio_greater_equal_v<typename Duration::period, std::ratio<1>> &&
                                      !std::is_floating_point_v<typename Duration::rep>;

template <class Duration>
[[nodiscard]] inline bool to_timestamp(Duration since_epoch, timestamp& out) noexcept {
    if constexpr (whole_seconds<Duration>) {
        out.nanoseconds = 0;
        return to_units<std::ratio<1>>(since_epoch, out.seconds);
    } else {
        std::int64_t count = 0;
        if (!to_units<std::nano>(since_epoch, count)) return false;
        out.seconds = count / second_in_nanoseconds;
        std::int64_t rest = count % second_in_nanoseconds;
        if (rest < 0) {
            rest += second_in_nanoseconds;
            --out.seconds;
        }
        out.nanoseconds = static_cast<std::uint32_t>(rest);
        return true;
    }
}

template <class Duration>
[[nodiscard]] inline bool from_timestamp(timestamp from, Duration& since_epoch) noexcept {
    if constexpr (whole_seconds<Duration>) {
        return from_units<std::ratio<1>>(from.seconds, since_epoch);
    } else {
        // Towards zero first, so that the earliest nanosecond count does not overflow on the way.
        std::int64_t seconds = from.seconds;
        std::int64_t rest = from.nanoseconds;
        if (seconds < 0 && rest > 0) {
            ++seconds;
            rest -= second_in_nanoseconds;
        }
        constexpr auto most = std::numeric_limits<std::int64_t>::max() / second_in_nanoseconds;
        if (seconds > most || seconds < -most) return false;
        seconds *= second_in_nanoseconds;
        constexpr auto top = std::numeric_limits<std::int64_t>::max();
        constexpr auto bottom = std::numeric_limits<std::int64_t>::min();
        if (rest > 0 ? seconds > top - rest : seconds < bottom - rest) return false;
        return from_units<std::nano>(seconds + rest, since_epoch);
    }
}

/// The extension type -1 in its shortest form.
inline void put_timestamp(byte_buffer& out, timestamp value) {
    constexpr std::uint64_t seconds34 = std::uint64_t{1} << 34;
    const auto seconds = static_cast<std::uint64_t>(value.seconds);
    if (value.seconds < 0 || seconds >= seconds34) {
        put(out, 0xc7, static_cast<std::uint16_t>(0x0cff));
        std::byte* const to = out.prepare(12).data();
        store(to, value.nanoseconds);
        store(to + 4, seconds);
        out.commit(12);
    } else if (value.nanoseconds != 0 || seconds > 0xffff'ffff) {
        put(out, 0xd7, static_cast<std::uint8_t>(0xff));
        store(out.prepare(8).data(), std::uint64_t{value.nanoseconds} << 34 | seconds);
        out.commit(8);
    } else {
        put(out, 0xd6, static_cast<std::uint8_t>(0xff));
        store(out.prepare(4).data(), static_cast<std::uint32_t>(seconds));
        out.commit(4);
    }
}

}  // namespace futon::detail
