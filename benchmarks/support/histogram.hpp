// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Counts times by their size, within a sixty-fourth of it, from a nanosecond to a minute.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace benchmark {

/// Each power of two has 64 buckets. Nothing is allocated, and nothing is lost: what is longer counts as the longest.
class histogram {
public:
    void record(std::uint64_t nanoseconds) noexcept {
        ++buckets_[index_of(nanoseconds)];
        ++count_;
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// What so large a part of the times, of 1, does not exceed; in nanoseconds.
    [[nodiscard]] std::uint64_t quantile(double part) const noexcept {
        const auto wanted = static_cast<double>(count_) * part;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen > 0 && static_cast<double>(seen) >= wanted) return most_of(i);
        }
        return 0;
    }

private:
    static constexpr unsigned bits = 6;
    static constexpr std::size_t per_power = std::size_t{1} << bits;
    static constexpr std::size_t powers = 31;

    static std::size_t index_of(std::uint64_t value) noexcept {
        if (value < per_power) return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
        const auto index = (shift + 1) * per_power + static_cast<std::size_t>((value >> shift) - per_power);
        return index < per_power * powers ? index : per_power * powers - 1;
    }
    /// The greatest value that a bucket holds.
    static std::uint64_t most_of(std::size_t index) noexcept {
        if (index < per_power) return index;
        const auto shift = index / per_power - 1;
        return ((per_power + index % per_power + 1) << shift) - 1;
    }

    std::array<std::uint64_t, per_power * powers> buckets_{};
    std::uint64_t count_ = 0;
};

}  // namespace benchmark
