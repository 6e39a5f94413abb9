// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a client offers to the servers that it calls.

#include <futon/serving/offer.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace futon::detail {

/// Thread-safety: safe.
class client_offer final : public offer {
public:
    using offer::offer;

    void handler_left() noexcept override {
        std::unique_lock lock{mutex_};
        if (handlers_.fetch_sub(1, std::memory_order_acq_rel) == 1) became_idle(lock);
    }
    /// A connection, on which servers may call back, is there, and has ended.
    void joined() noexcept {
        const std::lock_guard lock{mutex_};
        ++connections_;
    }
    void left() noexcept {
        std::unique_lock lock{mutex_};
        if (--connections_ == 0) became_idle(lock);
    }

    /// Whether nobody can run a handler any more, once the client's connections are being closed.
    [[nodiscard]] bool is_idle() noexcept {
        const std::lock_guard lock{mutex_};
        return handlers_.load() == 0 && connections_ == 0;
    }
    /// The client's connections are being closed. Blocks until no handler runs on another thread, and, with
    /// `connections_too`, until none runs on an I/O thread.
    void wait(bool connections_too) noexcept {
        std::unique_lock lock{mutex_};
        idle_.wait(lock, [&] { return handlers_.load() == 0 && (connections_ == 0 || !connections_too); });
    }
    /// The client goes, and its connections are being closed: as
    /// soon as nothing runs any more, so do the implementations.
    void let_go() noexcept {
        std::unique_lock lock{mutex_};
        if (std::exchange(let_go_, true)) return;
        add_ref();
        became_idle(lock);
    }

private:
    // Perhaps. A connection ends outside of its handlers, so
    // without connections there are none on any I/O thread's stack.
    void became_idle(std::unique_lock<std::mutex>& lock) noexcept {
        idle_.notify_all();
        if (!let_go_ || released_ || handlers_.load() != 0 || connections_ != 0) return;
        released_ = true;
        lock.unlock();
        services.release();
        release();
    }

    std::mutex mutex_;
    std::condition_variable idle_;
    std::size_t connections_ = 0;
    bool let_go_ = false;    // The client has gone;
    bool released_ = false;  // so have the implementations.
};

}  // namespace futon::detail
