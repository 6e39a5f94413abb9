// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A counter that many threads add to without sharing it: each adds to a part of its own.

#include <atomic>
#include <cstdint>
#include <mutex>

namespace futon::detail {

/// Thread-safety: safe.
class tally {
public:
    /// What one writer at a time adds to; no locked instruction, no cache line that others write. `of` outlives it.
    class part {
    public:
        explicit part(tally& of) noexcept : of_{of} {
            const std::lock_guard lock{of_.mutex_};
            next_ = of_.first_;
            if (next_) next_->before_ = this;
            of_.first_ = this;
        }
        part(const part&) = delete;
        part& operator=(const part&) = delete;
        ~part() {
            const std::lock_guard lock{of_.mutex_};
            of_.past_ += count_.load(std::memory_order_relaxed);
            (before_ ? before_->next_ : of_.first_) = next_;
            if (next_) next_->before_ = before_;
        }
        void add() noexcept { count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

    private:
        friend class tally;
        tally& of_;
        part* before_ = nullptr;
        part* next_ = nullptr;
        std::atomic<std::uint64_t> count_{0};
    };

    /// Looks at every part.
    [[nodiscard]] std::uint64_t sum() const noexcept {
        const std::lock_guard lock{mutex_};
        auto all = past_;
        for (const auto* each = first_; each; each = each->next_) all += each->count_.load(std::memory_order_relaxed);
        return all;
    }

private:
    mutable std::mutex mutex_;
    part* first_ = nullptr;
    std::uint64_t past_ = 0;  // Of parts that are gone.
};

}  // namespace futon::detail
