// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A quantile of the last numbers of a stream.

#include <algorithm>
#include <array>
#include <cstddef>

namespace futon::detail {

/// Of the last 64. Exact, and cheap for numbers that are small and often the same, as requests in flight are: only how
/// many are less than it and as large is kept, and the numbers are looked at where it moves.
class recent_quantile {
public:
    /// 0.5: the median; 1 or more: the largest; 0 or less, or no number: the least.
    explicit recent_quantile(double share) noexcept : share_{share >= 0 ? share : 0} {}

    void take(float number) noexcept {
        auto& place = numbers_[next_];
        if (count_ == numbers_.size()) {
            less_ -= place < value_;
            equal_ -= place == value_;
        } else {
            ++count_;
        }
        place = number;
        next_ = (next_ + 1) % numbers_.size();
        less_ += number < value_;
        equal_ += number == value_;
        const auto last = count_ - 1;
        const auto rank = std::min(static_cast<std::size_t>(share_ * static_cast<double>(last)), last);
        while (rank < less_) move<false>();
        while (rank >= less_ + equal_) move<true>();
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// 0 where it is empty.
    [[nodiscard]] float value() const noexcept { return value_; }

private:
    // To the next larger or smaller number, of which there is one.
    template <bool Up>
    void move() noexcept {
        const auto from = value_;
        bool found = false;
        std::size_t as_large = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const auto each = numbers_[i];
            if (Up ? each <= from : each >= from) continue;
            if (!found || (Up ? each < value_ : each > value_)) {
                value_ = each;
                found = true;
                as_large = 0;
            }
            as_large += each == value_;
        }
        less_ = Up ? less_ + equal_ : less_ - as_large;
        equal_ = as_large;
    }

    double share_;
    std::array<float, 64> numbers_{};
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    float value_ = 0;
    std::size_t less_ = 0;   // Numbers that are less than `value_`...
    std::size_t equal_ = 0;  // ...and as large.
};

}  // namespace futon::detail
