// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which of the calls that wait a channel has still to look at, because something has changed for them.

#include <futon/client/detail/waiting_calls.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

/// Not thread-safe.
class calls_to_move {
public:
    void add(waiting_calls::part these) noexcept {
        if (all_) return;
        try {
            if (!these.all) {
                if (std::find(providers_.begin(), providers_.end(), these.provider) != providers_.end()) return;
                if (providers_.size() < most) return providers_.push_back(these.provider);
            }
        } catch (const std::bad_alloc&) {  // Then all.
        }
        all_ = true;
        providers_.clear();
    }
    /// What to look at next; empty: nothing.
    [[nodiscard]] std::optional<waiting_calls::part> take() noexcept {
        if (std::exchange(all_, false)) return waiting_calls::part{.all = true};
        if (providers_.empty()) return std::nullopt;
        const auto next = providers_.back();
        providers_.pop_back();
        return waiting_calls::part{.provider = next};
    }

private:
    static constexpr std::size_t most = 64;

    bool all_ = false;
    std::vector<std::uint64_t> providers_;
};

}  // namespace futon::detail
