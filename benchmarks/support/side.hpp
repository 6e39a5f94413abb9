// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What is measured: something that serves, and something that keeps calls under way to it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace benchmark {

/// How much of what is under way at once.
struct load {
    std::size_t connections = 1;
    std::size_t in_flight = 1;  ///< On each connection.
    std::size_t body_bytes = 128;
};

/// A client that keeps a load under way until the process ends: whatever completes a call makes the next one.
class caller {
public:
    caller() = default;
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;
    virtual ~caller() = default;
    /// Calls that were completed so far. Thread-safety: safe.
    [[nodiscard]] virtual std::uint64_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

protected:
    /// From one thread.
    void count(std::uint64_t more = 1) noexcept {
        done_.store(done_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> done_{0};
};

/// Called once with the port on which a server listens.
using announcement = std::function<void(std::uint16_t port)>;

/// A server and a client of one kind, each for a process of its own.
struct side {
    std::string_view name;
    std::function<void(const announcement& announce)> serve;  ///< Until the process is killed.
    std::function<std::unique_ptr<caller>(std::uint16_t port, const load& of)> start;
};

/// The raw Asio echo of floor.hpp.
[[nodiscard]] side floor_side();

}  // namespace benchmark
