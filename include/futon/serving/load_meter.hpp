// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How busy a server is, for clients that ask.

#include <futon/core/time.hpp>
#include <futon/message/load_report.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <thread>

namespace futon::detail {

/// Remembers how long recent calls took, by how many were in flight when they came: what a call that comes now may
/// expect. Nothing is noted before somebody asks for the first time. What was noted counts for two seconds: a server
/// that was slow gets no calls by which it could show that it is well again, so it must cease to say that it is slow.
///
/// Thread-safety: safe; noting a call takes no lock.
/// Source: Wydrowski et al., "Load is not what you should balance: Introducing Prequal", NSDI 2024.
class load_meter {
public:
    /// Whether somebody has asked, so that calls are to be noted.
    [[nodiscard]] bool is_wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
    /// A call that came while `in_flight` others were there took `latency`.
    void note(std::size_t in_flight, duration latency) noexcept {
        auto& into = levels_[level_of(in_flight)];
        const auto at = into.next.fetch_add(1, std::memory_order_relaxed) % samples;
        const auto us = std::clamp<std::int64_t>(latency.count() / 1000, 1, 0xFFFFFFFF);
        // By the clock of the last question: whoever is asked seldom does not need to know better.
        const std::uint64_t period_now = period_now_.load(std::memory_order_relaxed);
        into.noted[at].store(period_now << 32 | static_cast<std::uint64_t>(us), std::memory_order_relaxed);
    }
    /// What to tell somebody who asks: `answered()` and `failed` are the counts of all calls so far. The first is asked
    /// once a period.
    template <class Answered>
    [[nodiscard]] load_report report(std::size_t in_flight, const Answered& answered, std::uint64_t failed,
                                     time_point now) noexcept {
        load_report made;
        made.in_flight = static_cast<std::uint32_t>(std::min<std::size_t>(in_flight, 0xFFFFFFFF));
        const auto period_now = static_cast<std::uint32_t>(now.time_since_epoch() / period);
        period_now_.store(period_now, std::memory_order_relaxed);
        made.latency = expected(in_flight, period_now);
        const std::lock_guard lock{mutex_};
        wanted_.store(true, std::memory_order_relaxed);
        if (now - since_ >= period) renew(answered(), failed, now);
        made.utilisation = rates_.utilisation;
        made.qps = rates_.qps;
        made.eps = rates_.eps;
        return made;
    }

private:
    static constexpr std::size_t samples = 16;
    // Levels of exactly so many calls in flight; above, four to each doubling.
    static constexpr std::size_t exact = 16;
    static constexpr std::size_t level_count = exact + 4 * 13;
    static constexpr duration period = std::chrono::milliseconds{500};
    static constexpr std::int32_t memory = 4;  // In periods.

    struct level {
        std::atomic<std::uint32_t> next{0};
        std::array<std::atomic<std::uint64_t>, samples> noted{};  // Period and microseconds, 32 bits each.
    };

    [[nodiscard]] static std::size_t level_of(std::size_t in_flight) noexcept {
        if (in_flight < exact) return in_flight;
        const auto doublings = static_cast<std::size_t>(std::bit_width(in_flight)) - 1;  // At least 4.
        const auto quarter = (in_flight >> (doublings - 2)) & 3;
        return std::min(exact + 4 * (doublings - 4) + quarter, level_count - 1);
    }
    // The median at the level, or at the nearest that has samples.
    [[nodiscard]] duration expected(std::size_t in_flight, std::uint32_t period_now) const noexcept {
        const auto here = level_of(in_flight);
        for (std::size_t away = 0; away < level_count; ++away) {
            if (here >= away)
                if (const auto found = median(levels_[here - away], period_now); found > duration{}) return found;
            if (here + away < level_count)
                if (const auto found = median(levels_[here + away], period_now); found > duration{}) return found;
        }
        return duration{};
    }
    [[nodiscard]] static duration median(const level& of, std::uint32_t period_now) noexcept {
        const auto noted = std::min<std::size_t>(of.next.load(std::memory_order_relaxed), samples);
        std::array<std::uint32_t, samples> fresh{};
        std::size_t count = 0;
        for (std::size_t i = 0; i < noted; ++i) {
            const auto one = of.noted[i].load(std::memory_order_relaxed);
            // Below zero: another thread, with a later clock, was asked just before.
            const auto age = static_cast<std::int32_t>(period_now - static_cast<std::uint32_t>(one >> 32));
            // Zero: its place is taken, but it is not written yet.
            if (one != 0 && age < memory) fresh[count++] = static_cast<std::uint32_t>(one);
        }
        if (count == 0) return duration{};
        const auto middle = fresh.begin() + static_cast<std::ptrdiff_t>(count / 2);
        std::nth_element(fresh.begin(), middle, fresh.begin() + static_cast<std::ptrdiff_t>(count));
        return std::chrono::microseconds{*middle};
    }
    // Processor time of the whole process, against all cores: what else runs in it counts, too.
    void renew(std::uint64_t answered, std::uint64_t failed, time_point now) noexcept {
        const auto seconds = std::chrono::duration<double>(now - since_).count();
        const auto cpu = std::clock();
        if (since_ != time_point{}) {
            const auto per_second = [&](std::uint64_t count, std::uint64_t before) {
                return static_cast<float>(static_cast<double>(count - std::min(count, before)) / seconds);
            };
            const auto busy = static_cast<double>(cpu - cpu_) / static_cast<double>(CLOCKS_PER_SEC) / seconds;
            rates_.utilisation = static_cast<float>(std::max(0.001, busy / cores_));
            rates_.qps = per_second(answered, answered_);
            rates_.eps = per_second(failed, failed_);
        }
        since_ = now;
        cpu_ = cpu;
        answered_ = answered;
        failed_ = failed;
    }

    std::array<level, level_count> levels_{};
    std::atomic<bool> wanted_{false};
    std::atomic<std::uint32_t> period_now_{0};

    std::mutex mutex_;
    load_report rates_;  // Only its rates.
    time_point since_{};
    std::clock_t cpu_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t failed_ = 0;
    const double cores_ = std::max(1u, std::thread::hardware_concurrency());
};

}  // namespace futon::detail
