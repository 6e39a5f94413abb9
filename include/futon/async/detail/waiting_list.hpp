// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Operations that wait in line, linked through themselves.

#include <futon/core/intrusive_ptr.hpp>

#include <utility>

namespace futon::detail {

/// First in, first out; holds a reference to each. Not thread-safe.
///
/// `Node` is an `operation` with a member `Node* next_waiting`. One that was completed from elsewhere, e.g. by a
/// cancel, stays in line until its turn and is passed over then.
template <class Node>
class waiting_list {
public:
    waiting_list() = default;
    waiting_list(waiting_list&& other) noexcept
        : first_{std::exchange(other.first_, nullptr)}, last_{std::exchange(other.last_, nullptr)} {}
    waiting_list& operator=(waiting_list&& other) noexcept {
        waiting_list moved{std::move(other)};
        std::swap(first_, moved.first_);
        std::swap(last_, moved.last_);
        return *this;
    }
    ~waiting_list() {
        while (pop()) continue;
    }

    void push(intrusive_ptr<Node> node) noexcept {
        auto* added = node.detach();
        added->next_waiting = nullptr;
        (last_ ? last_->next_waiting : first_) = added;
        last_ = added;
    }
    /// The first that nothing has completed, claimed for the caller, who completes it; null if there is none.
    [[nodiscard]] intrusive_ptr<Node> claim_first() noexcept {
        while (auto first = pop())
            if (first->claim()) return first;
        return {};
    }
    /// The first in line, completed or not; null if there is none.
    intrusive_ptr<Node> pop() noexcept {
        auto* taken = first_;
        if (!taken) return {};
        first_ = std::exchange(taken->next_waiting, nullptr);
        if (!first_) last_ = nullptr;
        return intrusive_ptr<Node>::adopt(taken);
    }
    /// Lets go of completed ones at the front; whether nobody is left. Whoever polls with a timeout leaves one
    /// behind each time.
    bool drop_completed() noexcept {
        while (first_ && first_->claimed()) pop();
        return !first_;
    }

private:
    Node* first_ = nullptr;
    Node* last_ = nullptr;
};

}  // namespace futon::detail
