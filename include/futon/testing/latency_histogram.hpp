// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Many latencies in little memory.

#include <futon/core/time.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace futon::testing {

/// Counts durations in buckets 0.8 % wide, from 128 ns to 9 minutes; percentiles are right to half of that.
class latency_histogram {
public:
    void add(duration latency) noexcept {
        ++counts_[index_of(latency)];
        ++size_;
        largest_ = std::max(largest_, latency);
    }
    void add(const latency_histogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        size_ += other.size_;
        largest_ = std::max(largest_, other.largest_);
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// The latency that this share of all does not exceed; zero if there is none.
    [[nodiscard]] duration percentile(double share) const noexcept {
        const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(size_)));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= std::max<std::uint64_t>(rank, 1)) return i == index_of(largest_) ? largest_ : middle(i);
        }
        return duration::zero();
    }

private:
    static constexpr unsigned bits = 7;  // of each latency that are kept
    static constexpr std::uint64_t smallest = std::uint64_t{1} << bits;
    static constexpr std::size_t buckets = (40 - bits) << bits;

    static std::size_t index_of(duration latency) noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max<duration::rep>(latency.count(), 0)) | smallest;
        const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - bits;
        return std::min((std::size_t{shift} << bits) + static_cast<std::size_t>(ns >> shift) - smallest, buckets - 1);
    }
    static duration middle(std::size_t i) noexcept {
        const auto shift = i >> bits;
        const auto low = (smallest + (i & (smallest - 1))) << shift;
        return duration{static_cast<duration::rep>(low + (std::uint64_t{1} << shift) / 2)};
    }

    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(buckets);
    std::uint64_t size_ = 0;
    duration largest_{};
};

}  // namespace futon::testing
