// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The lock of a channel's routing, with the one answer that calls may have without it.

#include <atomic>
#include <mutex>

namespace futon::detail {

class connection;

/// Whoever holds it may offer a connection to all plain calls that come next; whoever takes it withdraws that, for all
/// that it guards may change. So an offer holds until somebody looks at the routing or changes it, whatever for, and no
/// change can forget to withdraw it.
///
/// Thread-safety: safe. A connection is offered only to calls made inside its own executor, where alone it is closed:
/// what is seen there is alive, and a withdrawal that is not seen yet comes from a thread that has not been waited for.
class routing_mutex {
public:
    void lock() {
        mutex_.lock();
        offered_.store(nullptr, std::memory_order_relaxed);
    }
    void unlock() noexcept { mutex_.unlock(); }

    /// With the lock held.
    void offer(connection& to_all) noexcept { offered_.store(&to_all, std::memory_order_relaxed); }
    /// Without it, inside the connection's executor; null if there is none.
    [[nodiscard]] connection* offered() const noexcept { return offered_.load(std::memory_order_relaxed); }

private:
    std::mutex mutex_;
    std::atomic<connection*> offered_{nullptr};
};

}  // namespace futon::detail
