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
#include <cstddef>
#include <cstdint>

namespace futon::detail {

/// What requests took lately, by how many were in flight when they arrived: the answer to "how long would one take
/// now". The rules are those of the `load_meter` of real servers; a test holds the two together.
///
/// One class of in-flight counts per number up to 15, then four per doubling; of each the median of those of the last
/// 16 that are not older than two seconds.
class latency_by_load {
public:
    void add(std::uint32_t in_flight, duration took, duration now) noexcept {
        auto& c = classes_[class_of(in_flight)];
        const auto us = std::clamp<duration::rep>(took / std::chrono::microseconds{1}, 1, 0xFFFFFFFF);
        if (c.count == most) c.drop_oldest();
        c.push({static_cast<std::uint32_t>(us), static_cast<std::uint32_t>(now / period)});
    }
    /// Of that load, or of the nearest one that has been seen; zero if none has.
    [[nodiscard]] duration median(std::uint32_t in_flight, duration now) noexcept {
        const auto wanted = class_of(in_flight);
        const auto in = static_cast<std::uint32_t>(now / period);
        for (std::size_t far = 0; far < classes_.size(); ++far) {
            if (wanted >= far)
                if (const auto found = classes_[wanted - far].median(in)) return std::chrono::microseconds{found};
            if (wanted + far < classes_.size())
                if (const auto found = classes_[wanted + far].median(in)) return std::chrono::microseconds{found};
        }
        return duration::zero();
    }

private:
    static constexpr duration period = std::chrono::milliseconds{500};
    static constexpr std::uint32_t memory = 4;  // In periods.
    static constexpr std::uint32_t most = 16;
    struct sample {
        std::uint32_t us = 0;
        std::uint32_t in = 0;  // Which period.
    };
    struct load_class {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        std::array<std::uint32_t, most> sorted{};
        std::array<sample, most> recent{};  // In order of time, from `first` on and round the end.

        void push(sample s) noexcept {
            recent[(first + count) % most] = s;
            auto at = count++;
            for (; at > 0 && sorted[at - 1] > s.us; --at) sorted[at] = sorted[at - 1];
            sorted[at] = s.us;
        }
        void drop_oldest() noexcept {
            const auto end = sorted.begin() + count--;
            const auto gone = std::lower_bound(sorted.begin(), end, recent[first].us);
            std::copy(gone + 1, end, gone);
            first = (first + 1) % most;
        }
        [[nodiscard]] std::uint32_t median(std::uint32_t in) noexcept {
            while (count > 0 && in - recent[first].in >= memory) drop_oldest();
            return count > 0 ? sorted[count / 2] : 0;
        }
    };
    static std::size_t class_of(std::uint32_t in_flight) noexcept {
        if (in_flight < 16) return in_flight;
        const auto octave = static_cast<std::uint32_t>(std::bit_width(in_flight)) - 1;  // 4 or more
        const auto quarter = (in_flight >> (octave - 2)) & 3;
        return std::min<std::size_t>(16 + (octave - 4) * 4 + quarter, 67);
    }
    std::array<load_class, 68> classes_{};
};

/// Workers that take requests in the order of arrival. It holds
/// requests by number; whose they are is the cluster's concern.
struct simulated_server {
    int workers = 1;
    double speed = 1;
    double slowdown = 1;                           ///< By faults, now.
    double antagonist = 1;                         ///< Likewise, by a neighbour.
    const testing::server_fault* fault = nullptr;  ///< By which it may fail a call; null: it does not.
    int downs = 0;                                 ///< How many reasons keep it down.
    std::uint32_t life = 0;                        ///< Which of its processes this is: work of an earlier one is lost.
    int busy = 0;
    ring<std::uint32_t> waiting{};
    std::uint32_t in_flight = 0;  ///< Waiting or being worked on.

    // Of the current second; then the rates of the last one.
    duration busy_time{};
    std::uint32_t answered = 0;
    std::uint32_t failed = 0;
    load_report rates{};

    [[nodiscard]] bool up() const noexcept { return downs == 0; }
    [[nodiscard]] double slowness() const noexcept { return slowdown * antagonist / speed; }

    [[nodiscard]] load_report report(latency_by_load& took, duration now) const noexcept {
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
