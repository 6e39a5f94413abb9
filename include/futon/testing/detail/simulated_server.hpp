// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One server of a simulated cluster: workers, a queue, and what it tells of its load.

#include <futon/core/time.hpp>
#include <futon/message/load_report.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/detail/event_queue.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace futon::detail {

/// What requests took lately, by how many were in flight when they arrived: the answer to "how long would one take now".
/// The rules are those of the `load_meter` of real servers; a test holds the two together.
///
/// One class of in-flight counts per number up to 15, then four per doubling; of each the median of those of the last 16 that are not
/// older than two seconds.
class latency_by_load {
public:
    void add(std::uint32_t in_flight, duration took, duration now) noexcept {
        auto& c = classes_[class_of(in_flight)];
        const auto us = std::clamp<duration::rep>(took / std::chrono::microseconds{1}, 1, 0xFFFFFFFF);
        c.recent[c.next] = {static_cast<std::uint32_t>(us), static_cast<std::uint32_t>(now / period)};
        c.next = static_cast<std::uint8_t>((c.next + 1) % c.recent.size());
        if (c.count < c.recent.size()) ++c.count;
        c.good_until = 0;
    }
    /// Of that load, or of the nearest one that has been seen; zero if none has.
    [[nodiscard]] duration median(std::uint32_t in_flight, duration now) noexcept {
        const auto wanted = class_of(in_flight);
        const auto in = static_cast<std::uint32_t>(now / period);
        for (std::size_t far = 0; far < classes_.size(); ++far) {
            if (wanted >= far)
                if (const auto found = median(classes_[wanted - far], in)) return std::chrono::microseconds{found};
            if (wanted + far < classes_.size())
                if (const auto found = median(classes_[wanted + far], in)) return std::chrono::microseconds{found};
        }
        return duration::zero();
    }

private:
    static constexpr duration period = std::chrono::milliseconds{500};
    static constexpr std::uint32_t memory = 4;  // In periods.
    struct sample {
        std::uint32_t us = 0;
        std::uint32_t in = 0;  // Which period.
    };
    struct load_class {
        std::array<sample, 16> recent{};
        std::uint32_t middle = 0;
        std::uint32_t good_until = 0;  // `middle` is right before this period.
        std::uint8_t next = 0;
        std::uint8_t count = 0;
    };
    static std::size_t class_of(std::uint32_t in_flight) noexcept {
        if (in_flight < 16) return in_flight;
        const auto octave = static_cast<std::uint32_t>(std::bit_width(in_flight)) - 1;  // 4 or more
        const auto quarter = (in_flight >> (octave - 2)) & 3;
        return std::min<std::size_t>(16 + (octave - 4) * 4 + quarter, 67);
    }
    static std::uint32_t median(load_class& c, std::uint32_t in) noexcept {
        if (c.count == 0) return 0;
        if (in >= c.good_until) {
            std::array<std::uint32_t, 16> fresh;
            std::size_t count = 0;
            auto oldest = in;
            for (std::size_t i = 0; i < c.count; ++i) {
                if (in - c.recent[i].in >= memory) continue;
                fresh[count++] = c.recent[i].us;
                oldest = std::min(oldest, c.recent[i].in);
            }
            auto* const middle = fresh.data() + count / 2;
            if (count > 0) std::nth_element(fresh.data(), middle, fresh.data() + count);
            if (count == 0) c.count = c.next = 0;
            c.middle = count > 0 ? *middle : 0;
            c.good_until = oldest + memory;
        }
        return c.middle;
    }
    std::array<load_class, 68> classes_{};
};

/// Workers that take requests in the order of arrival. It holds requests by number; whose they are is the cluster's concern.
struct simulated_server {
    int workers = 1;
    double speed = 1;
    double slowdown = 1;        ///< By faults, now.
    double antagonist = 1;      ///< Likewise, by a neighbour.
    const testing::server_fault* fault = nullptr;  ///< By which it may fail a call; null: it does not.
    int downs = 0;              ///< How many reasons keep it down.
    std::uint32_t life = 0;     ///< Which of its processes this is: work of an earlier one is lost.
    int busy = 0;
    ring<std::uint32_t> waiting{};
    std::uint32_t in_flight = 0;  ///< Waiting or being worked on.
    latency_by_load took{};

    // Of the current second; then the rates of the last one.
    duration busy_time{};
    std::uint32_t answered = 0;
    std::uint32_t failed = 0;
    load_report rates{};

    [[nodiscard]] bool up() const noexcept { return downs == 0; }
    [[nodiscard]] double slowness() const noexcept { return slowdown * antagonist / speed; }

    [[nodiscard]] load_report report(duration now) noexcept {
        auto made = rates;
        made.in_flight = in_flight;
        made.latency = took.median(in_flight, now);
        return made;
    }
    /// Each second. Returns how long its workers were busy.
    duration end_second() noexcept {
        const auto was = busy_time;
        rates.utilisation = static_cast<float>(static_cast<double>(was.count()) / 1e9 / workers);
        rates.qps = static_cast<float>(answered);
        rates.eps = static_cast<float>(failed);
        busy_time = {};
        answered = failed = 0;
        return was;
    }
};

}  // namespace futon::detail
