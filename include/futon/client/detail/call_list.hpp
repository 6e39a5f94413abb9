// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that are taken from one place to another, where there may be no memory for a list of them.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/work.hpp>
#include <futon/message/call.hpp>

#include <utility>

namespace futon::detail {

/// First in, first out, linked by the calls themselves: each is in one list at most, and queued nowhere else. Not
/// thread-safe.
class call_list {
public:
    call_list() = default;
    call_list(call_list&&) noexcept = default;
    call_list& operator=(call_list&& other) noexcept {
        call_list old{std::move(*this)};
        calls_ = std::move(other.calls_);
        return *this;
    }
    ~call_list() {
        while (pop()) {
        }
    }

    [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
    void push(intrusive_ptr<call> which) noexcept { calls_.push(*which.detach()); }
    /// Null when empty.
    [[nodiscard]] intrusive_ptr<call> pop() noexcept {
        return intrusive_ptr<call>::adopt(static_cast<call*>(calls_.pop()));
    }
    /// Null when empty.
    [[nodiscard]] const call* first() const noexcept { return static_cast<const call*>(calls_.first()); }

private:
    work_queue calls_;
};

}  // namespace futon::detail
