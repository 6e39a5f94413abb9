// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A way to cancel a future from elsewhere, after it was moved into a chain.

#include <futon/core/operation.hpp>

#include <utility>

namespace futon {

/// Cancels what a future waits for. Does nothing once that is done, or when empty.
///
/// Thread-safety: safe; copies refer to the same future.
class cancel_handle {
public:
    cancel_handle() = default;
    explicit cancel_handle(detail::intrusive_ptr<detail::cancellable> target) noexcept : target_{std::move(target)} {}

    void cancel() const noexcept {
        if (target_) target_->cancel();
    }

    /// For whoever keeps many, by their common base.
    [[nodiscard]] const detail::intrusive_ptr<detail::cancellable>& target() const noexcept { return target_; }

private:
    detail::intrusive_ptr<detail::cancellable> target_;
};

}  // namespace futon
