// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Decides whether a client that was refused a lot should send another call at all. Pure: time and dice are arguments.

#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace futon {

/// How a client holds back; see `client_throttle`.
struct throttle_options {
    /// So many times as many calls are tried as were accepted lately; 1 and more. Smaller holds back sooner.
    double tries_per_accept = 2.0;
    /// How far back is looked.
    duration window = std::chrono::seconds{30};
    /// Share of calls that is rejected at most; the rest finds out when the other side has recovered. 1: the bare
    /// formula, by which a client of 1000 calls a second needs minutes for that.
    double most_rejected = 0.9;
};

/// Counts calls and those that the other side accepted, and rejects with probability max(0, (calls - K accepts) /
/// (calls + 1)).
///
/// Calls that are rejected here count as calls, so that ever fewer get through while the other side accepts nothing.
/// Source: "Handling Overload" in Google's SRE book; that a part is always let through, so that a recovery is seen, is
/// as in Envoy's admission control. Thread-safety: one thread at a time.
class throttle_window {
public:
    explicit throttle_window(const throttle_options& how) noexcept : how_{how} {}

    /// `dice`: equally distributed in [0, 1).
    [[nodiscard]] bool rejects(time_point now, double dice) noexcept {
        move_to(now);
        const auto excess = static_cast<double>(calls_) - how_.tries_per_accept * static_cast<double>(accepts_);
        const bool rejected = dice < std::min(excess / (static_cast<double>(calls_) + 1), how_.most_rejected);
        ++parts_[current_].calls;
        ++calls_;
        return rejected;
    }
    /// A call that was let go on was not refused for overload.
    void accepted(time_point now) noexcept {
        move_to(now);
        ++parts_[current_].accepts;
        ++accepts_;
    }

    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
    [[nodiscard]] std::uint64_t accepts() const noexcept { return accepts_; }

private:
    struct part {
        std::uint64_t calls = 0;
        std::uint64_t accepts = 0;
    };
    static constexpr std::size_t part_count = 10;

    void move_to(time_point now) noexcept {
        const auto length = std::max(how_.window / static_cast<duration::rep>(part_count), duration{1});
        if (begun_ == time_point{}) begun_ = now;
        for (std::size_t moves = 0; now - begun_ >= length; ++moves) {
            if (moves == part_count) {
                begun_ = now;
                return;
            }
            begun_ += length;
            current_ = (current_ + 1) % part_count;
            calls_ -= parts_[current_].calls;
            accepts_ -= parts_[current_].accepts;
            parts_[current_] = {};
        }
    }

    throttle_options how_;
    std::array<part, part_count> parts_{};
    std::size_t current_ = 0;
    time_point begun_{};
    std::uint64_t calls_ = 0;
    std::uint64_t accepts_ = 0;
};

}  // namespace futon
