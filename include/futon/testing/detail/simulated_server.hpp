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
///
/// One class of in-flight counts per number up to 15, then four per doubling; of each the median of the last 16.
class latency_by_load {
public:
    void add(std::uint32_t in_flight, duration took) noexcept {
        auto& c = classes_[class_of(in_flight)];
        c.recent[c.next] = took.count();
        c.next = static_cast<std::uint8_t>((c.next + 1) % c.recent.size());
        if (c.count < c.recent.size()) ++c.count;
        c.sorted = false;
    }
    /// Of that load, or of the nearest one that has been seen; zero if none has.
    [[nodiscard]] duration median(std::uint32_t in_flight) noexcept {
        const auto wanted = class_of(in_flight);
        for (std::size_t far = 0; far < classes_.size(); ++far) {
            if (wanted >= far && classes_[wanted - far].count > 0) return median(classes_[wanted - far]);
            if (wanted + far < classes_.size() && classes_[wanted + far].count > 0) return median(classes_[wanted + far]);
        }
        return duration::zero();
    }

private:
    struct load_class {
        std::array<duration::rep, 16> recent{};
        duration::rep middle = 0;
        std::uint8_t next = 0;
        std::uint8_t count = 0;
        bool sorted = false;  // `middle` is right
    };
    static std::size_t class_of(std::uint32_t in_flight) noexcept {
        if (in_flight < 16) return in_flight;
        const auto octave = static_cast<std::uint32_t>(std::bit_width(in_flight)) - 1;  // 4 or more
        const auto quarter = (in_flight >> (octave - 2)) & 3;
        return std::min<std::size_t>(16 + (octave - 4) * 4 + quarter, 47);
    }
    static duration median(load_class& c) noexcept {
        if (!c.sorted) {
            auto copy = c.recent;
            auto* const middle = copy.data() + c.count / 2;
            std::nth_element(copy.data(), middle, copy.data() + c.count);
            c.middle = *middle;
            c.sorted = true;
        }
        return duration{c.middle};
    }
    std::array<load_class, 48> classes_{};
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

    [[nodiscard]] load_report report() noexcept {
        auto made = rates;
        made.in_flight = in_flight;
        made.latency = took.median(in_flight);
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
