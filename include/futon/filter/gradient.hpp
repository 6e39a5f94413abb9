// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Finds how many calls may be under way at once before they
/// only wait for each other. Pure: durations come in as values.

#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace futon {

/// Between what, and how eagerly, a limit of concurrency is looked for; see `gradient`.
struct gradient_options {
    /// The limit at first.
    std::size_t initial = 20;
    /// It never falls below.
    std::size_t least = 20;
    /// It never grows beyond.
    std::size_t most = 1000;
    /// So many times the usual time a call may take before the limit shrinks; 1 and more.
    double tolerance = 1.5;
    /// How much of a new limit counts at once; above 0, up to 1.
    double smoothing = 0.2;
    /// After so many calls under full load the limit is halved for a moment, to see what is usual.
    std::size_t remeasure = 5000;
};

/// Shrinks the limit by how much longer calls take than usual, and lets it grow by a little while they do not.
///
/// What is usual is learnt from calls while less than half of the limit is under way; where that does not come by
/// itself, the limit dips now and then. A load that lasts so never becomes usual, which would let the limit grow
/// without end, and a place that has become slower for good is recognised.
/// Source: Gradient2 of Netflix' concurrency-limits; the dip is that of brpc's automatic limit. Thread-safety: one
/// thread at a time.
class gradient {
public:
    explicit gradient(const gradient_options& how = {}) noexcept
        : how_{how},
          limit_{std::clamp(static_cast<double>(how.initial), static_cast<double>(how.least),
                            static_cast<double>(how.most))} {}

    [[nodiscard]] std::size_t limit() const noexcept {
        return static_cast<std::size_t>(dip_left_ > 0 ? std::max(1.0, limit_ / 2) : limit_);
    }

    /// A call took so long, while so many were under way, itself included.
    void took(duration time, std::size_t under_way) noexcept {
        const auto now = std::max(std::chrono::duration<double>(time).count(), 1e-9);
        const bool light = static_cast<double>(under_way) <= limit_ / 2;
        if (dip_left_ > 0) {
            // Those that began before it are still among them.
            if (!light) return;
            dip_sum_ += now;
            if (--dip_left_ == 0) usual_ = dip_sum_ / dip_calls;
            return;
        }
        if (usual_ == 0) usual_ = now;
        if (light || now < usual_) usual_ += (now - usual_) / 50;
        // A limit that is not reached says nothing of whether it is right.
        if (light) {
            since_measured_ = 0;
            return;
        }
        if (++since_measured_ >= how_.remeasure) {
            since_measured_ = 0;
            dip_left_ = dip_calls;
            dip_sum_ = 0;
            return;
        }
        const auto slope = std::clamp(how_.tolerance * usual_ / now, 0.5, 1.0);
        const auto wanted = limit_ * slope + room_for_bursts;
        limit_ = std::clamp(limit_ * (1 - how_.smoothing) + wanted * how_.smoothing, static_cast<double>(how_.least),
                            static_cast<double>(how_.most));
    }

private:
    static constexpr double room_for_bursts = 4;
    static constexpr int dip_calls = 16;

    gradient_options how_;
    double limit_;
    double usual_ = 0;  // Seconds; 0 before the first call.
    std::size_t since_measured_ = 0;
    int dip_left_ = 0;
    double dip_sum_ = 0;
};

}  // namespace futon
