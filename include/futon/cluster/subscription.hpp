// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The handle of somebody who listens to a registry.

#include <functional>
#include <utility>

namespace futon {

/// Listens as long as it lives.
///
/// When it has ended no call of its listener begins; one that has begun on another thread may still run, and is not
/// waited for. It may be ended inside its own listener, and under locks that the listener takes.
/// Thread-safety: one thread at a time.
class [[nodiscard]] subscription {
public:
    subscription() = default;
    /// For registries. `end` is called once; it must neither wait for a listener nor throw. `refresh` sends the
    /// whole list again, soon; empty: the registry cannot, and who needs the list subscribes anew.
    explicit subscription(std::function<void()> end, std::function<void()> refresh = {})
        : end_{std::move(end)}, refresh_{std::move(refresh)} {}
    subscription(subscription&& other) noexcept
        : end_{std::exchange(other.end_, nullptr)}, refresh_{std::exchange(other.refresh_, nullptr)} {}
    subscription& operator=(subscription&& other) noexcept {
        if (this != &other) {
            end();
            end_ = std::exchange(other.end_, nullptr);
            refresh_ = std::exchange(other.refresh_, nullptr);
        }
        return *this;
    }
    ~subscription() { end(); }

    void end() noexcept {
        refresh_ = nullptr;
        if (const auto ending = std::exchange(end_, nullptr)) ending();
    }
    /// Asks for the whole list, for one that missed a step. False if it must subscribe anew for that.
    bool refresh() {
        if (!refresh_) return false;
        refresh_();
        return true;
    }
    explicit operator bool() const noexcept { return end_ != nullptr; }

private:
    std::function<void()> end_;
    std::function<void()> refresh_;
};

}  // namespace futon
