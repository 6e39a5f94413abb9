// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A future whose work must not outlive a scope.

#include <futon/async/future.hpp>

#include <utility>

namespace futon {

/// Cancels what it holds when it goes; what a plain future does not do.
///
/// To chain or to wait, take the future out: `std::move(s).release().then(...)`; then nothing is cancelled any more.
/// It does not wait: code that the work still runs may outlive it by a moment.
/// Thread-safety: as of a future.
template <class T>
class [[nodiscard]] scoped_future {
public:
    using value_type = T;

    scoped_future() = default;
    explicit scoped_future(future<T> held) noexcept : held_{std::move(held)} {}
    scoped_future(scoped_future&&) noexcept = default;
    scoped_future& operator=(scoped_future&& other) noexcept {
        auto before = std::exchange(held_, std::move(other.held_));
        before.cancel();
        return *this;
    }
    scoped_future(const scoped_future&) = delete;
    scoped_future& operator=(const scoped_future&) = delete;
    ~scoped_future() { held_.cancel(); }

    [[nodiscard]] future<T> release() && noexcept { return std::move(held_); }
    operator future<T>() && noexcept { return std::move(held_); }

    [[nodiscard]] bool valid() const noexcept { return held_.valid(); }
    [[nodiscard]] bool is_ready() const noexcept { return held_.is_ready(); }
    void cancel() const noexcept { held_.cancel(); }

private:
    future<T> held_;
};

}  // namespace futon
