// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a call ended, as its filters see it on the way back, and may change it.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/message/metadata.hpp>

#include <optional>
#include <utility>

namespace futon {

/// A value, still encoded, or an error. Used by one thread at a time. Lifetime: views in it are good until it is
/// changed, or until the filter returns.
class call_outcome {
public:
    /// Of a success; `headers` are what came beside the value, null if nothing.
    explicit call_outcome(bytes_view value, const metadata* headers = nullptr) noexcept
        : value_{value}, headers_{headers} {}
    explicit call_outcome(error why) noexcept : failure_{std::move(why)} {}
    call_outcome(const call_outcome&) = delete;
    call_outcome& operator=(const call_outcome&) = delete;

    [[nodiscard]] bool succeeded() const noexcept { return !failure_; }
    /// Null where it succeeded.
    [[nodiscard]] const error* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
    /// One msgpack value of the method's result; empty after a failure, and for a one-way call.
    [[nodiscard]] bytes_view value() const noexcept { return failure_ ? bytes_view{} : value_; }
    /// What the server sent beside its value, on the client's side; null if nothing.
    [[nodiscard]] const metadata* headers() const noexcept { return headers_; }

    /// Makes it a failure, or another one. Say with `executed` whether the handler ran: what had succeeded did.
    void fail(error why) {
        failure_ = std::move(why);
        replaced_.reset();
    }
    /// Makes it a success with this value, encoded.
    void succeed(bytes value) {
        replaced_ = std::move(value);
        value_ = *replaced_;
        failure_.reset();
    }
    /// The value if `succeed` gave one; null else.
    [[nodiscard]] const bytes* replaced() const noexcept { return replaced_ ? &*replaced_ : nullptr; }

private:
    bytes_view value_;
    const metadata* headers_ = nullptr;
    std::optional<error> failure_;
    std::optional<bytes> replaced_;
};

}  // namespace futon
