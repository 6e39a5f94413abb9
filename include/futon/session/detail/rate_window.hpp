// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How often something happened within the current second.

#include <futon/core/time.hpp>

#include <chrono>
#include <cstdint>

namespace futon::detail {

/// Seconds begin with the first hit after the last one ended.
class rate_window {
public:
    /// How many there were in this second, this one included.
    std::uint64_t hit(time_point now) noexcept {
        if (count_ == 0 || now - start_ >= std::chrono::seconds{1}) {
            start_ = now;
            count_ = 0;
        }
        return ++count_;
    }
    [[nodiscard]] std::uint64_t count(time_point now) const noexcept {
        return now - start_ < std::chrono::seconds{1} ? count_ : 0;
    }

private:
    time_point start_{};
    std::uint64_t count_ = 0;
};

}  // namespace futon::detail
