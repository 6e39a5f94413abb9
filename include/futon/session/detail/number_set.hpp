// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A set of small numbers, one bit each: which methods are bound.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace futon::detail {

class number_set {
public:
    [[nodiscard]] bool contains(std::uint32_t number) const noexcept {
        return number / 64 < words_.size() && (words_[number / 64] >> (number % 64) & 1) != 0;
    }
    /// Afterwards `insert` of the number cannot fail.
    void make_room(std::uint32_t number) {
        if (number / 64 >= words_.size()) words_.resize(number / std::size_t{64} + 1);
    }
    void insert(std::uint32_t number) {
        make_room(number);
        words_[number / 64] |= std::uint64_t{1} << (number % 64);
    }

private:
    std::vector<std::uint64_t> words_;
};

}  // namespace futon::detail
