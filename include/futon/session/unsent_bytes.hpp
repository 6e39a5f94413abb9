// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What all connections of a server hold for peers that have not read it.

#include <futon/core/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace futon::detail {

/// A sum to within 64 KiB for each connection. Thread-safety: safe.
class unsent_bytes final : public ref_counted {
public:
    /// From `most` on it is much.
    explicit unsent_bytes(std::size_t most) noexcept : most_{most} {}

    [[nodiscard]] bool is_much() const noexcept { return total_.load(std::memory_order_relaxed) >= most_; }

    /// What one session has. One thread at a time.
    class part {
    public:
        /// Null: nobody adds it up.
        explicit part(intrusive_ptr<unsent_bytes> of) noexcept : of_{std::move(of)} {}
        part(const part&) = delete;
        part& operator=(const part&) = delete;
        ~part() {
            if (told_ != 0) of_->total_.fetch_sub(told_, std::memory_order_relaxed);
        }
        /// Told when it has changed by much, which for most sessions it never does.
        void set(std::size_t now) noexcept {
            constexpr std::size_t much = 64u << 10;
            if ((now < told_ + much && told_ < now + much) || !of_) [[likely]]
                return;
            of_->total_.fetch_add(now - std::exchange(told_, now), std::memory_order_relaxed);
        }

    private:
        const intrusive_ptr<unsent_bytes> of_;
        std::size_t told_ = 0;
    };

private:
    const std::size_t most_;
    std::atomic<std::size_t> total_{0};
};

}  // namespace futon::detail
