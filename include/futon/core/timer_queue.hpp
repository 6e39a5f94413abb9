// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Timers ordered by due time, as a binary heap of nodes that know their place. Pure: time is an argument.

#include <futon/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

/// Something that wants to be woken at a point in time. Stands in at most one queue.
class timer {
public:
    timer() = default;
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    /// Called once per arming: with true when it is due, with false when its executor ended before.
    virtual void fire(bool due) noexcept = 0;

protected:
    virtual ~timer() = default;

private:
    friend class timer_queue;
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    std::size_t place_ = nowhere;
    time_point due_{};
};

/// Not thread-safe.
class timer_queue {
public:
    void add(timer& t, time_point due) {
        if (t.place_ != timer::nowhere) remove(t);
        t.due_ = due;
        heap_.push_back(&t);
        t.place_ = heap_.size() - 1;
        rise(t.place_);
    }

    /// False if it was not queued (any more).
    bool remove(timer& t) noexcept {
        if (t.place_ == timer::nowhere) return false;
        const auto place = std::exchange(t.place_, timer::nowhere);
        auto* last = heap_.back();
        heap_.pop_back();
        if (last != &t) {
            heap_[place] = last;
            last->place_ = place;
            rise(place);
            sink(last->place_);
        }
        return true;
    }

    /// Takes out the earliest timer that is due at `now`; null if there is none.
    [[nodiscard]] timer* pop_due(time_point now) noexcept {
        if (heap_.empty() || heap_.front()->due_ > now) return nullptr;
        auto* first = heap_.front();
        remove(*first);
        return first;
    }
    /// Takes out any timer; null when empty.
    [[nodiscard]] timer* pop_any() noexcept { return pop_due(time_point::max()); }

    [[nodiscard]] std::optional<time_point> next_due() const noexcept {
        return heap_.empty() ? std::nullopt : std::optional{heap_.front()->due_};
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
    void rise(std::size_t place) noexcept {
        while (place > 0) {
            const auto parent = (place - 1) / 2;
            if (heap_[parent]->due_ <= heap_[place]->due_) break;
            exchange(parent, place);
            place = parent;
        }
    }
    void sink(std::size_t place) noexcept {
        for (;;) {
            auto least = place;
            for (const auto child : {2 * place + 1, 2 * place + 2})
                if (child < heap_.size() && heap_[child]->due_ < heap_[least]->due_) least = child;
            if (least == place) return;
            exchange(least, place);
            place = least;
        }
    }
    void exchange(std::size_t a, std::size_t b) noexcept {
        std::swap(heap_[a], heap_[b]);
        heap_[a]->place_ = a;
        heap_[b]->place_ = b;
    }

    std::vector<timer*> heap_;
};

}  // namespace futon::detail
