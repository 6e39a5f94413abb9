// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Units of work that queue without an allocation: the link is part of the object that waits.

namespace futon::detail {

/// Base of whatever an executor can run.
///
/// Stands in at most one queue at a time. `run(accepted)` is called exactly once for each time it was
/// queued; `accepted` is false where the executor refused it or ended first, and then it may be any
/// thread: only complete with an error there, run no user code.
class work {
public:
    work() = default;
    work(const work&) = delete;
    work& operator=(const work&) = delete;

    virtual void run(bool accepted) noexcept = 0;

protected:
    virtual ~work() = default;

private:
    friend class work_queue;
    work* next_ = nullptr;
};

/// A first-in-first-out list of work. Not thread-safe.
class work_queue {
public:
    work_queue() = default;
    work_queue(work_queue&& other) noexcept : first_{other.first_}, last_{other.last_} {
        other.first_ = other.last_ = nullptr;
    }
    work_queue& operator=(work_queue&& other) noexcept {
        first_ = other.first_;
        last_ = other.last_;
        other.first_ = other.last_ = nullptr;
        return *this;
    }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    /// Null when empty.
    [[nodiscard]] const work* first() const noexcept { return first_; }
    void push(work& item) noexcept {
        item.next_ = nullptr;
        (last_ ? last_->next_ : first_) = &item;
        last_ = &item;
    }
    /// Appends all of `other`, which is empty afterwards.
    void splice(work_queue& other) noexcept {
        if (other.empty()) return;
        (last_ ? last_->next_ : first_) = other.first_;
        last_ = other.last_;
        other.first_ = other.last_ = nullptr;
    }
    /// Null when empty.
    [[nodiscard]] work* pop() noexcept {
        auto* item = first_;
        if (item) {
            first_ = item->next_;
            if (!first_) last_ = nullptr;
            item->next_ = nullptr;
        }
        return item;
    }

private:
    work* first_ = nullptr;
    work* last_ = nullptr;
};

}  // namespace futon::detail
