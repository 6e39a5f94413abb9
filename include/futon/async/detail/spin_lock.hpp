// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One byte that guards a few pointers for a few instructions.

#include <atomic>
#include <thread>

namespace futon::detail {

/// Never held while anything else is called, so that it cannot be waited for long. Works with `std::lock_guard`.
class spin_lock {
public:
    void lock() noexcept {
        while (taken_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock() noexcept { taken_.store(false, std::memory_order_release); }

private:
    std::atomic<bool> taken_{false};
};

}  // namespace futon::detail
