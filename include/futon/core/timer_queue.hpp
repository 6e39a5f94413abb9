// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Timers by due time, as a binary heap whose members know their place. Pure: time is an argument.

#include <futon/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
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
    template <class>
    friend class timer_heap;
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    std::size_t place_ = nowhere;
};

/// Earliest first; those of one instant in the order in which they were added. `Owner`: what is kept beside each.
///
/// Not thread-safe.
template <class Owner>
class timer_heap {
public:
    struct entry {
        time_point due{};
        std::uint64_t order = 0;
        timer* which = nullptr;
        [[no_unique_address]] Owner owner{};
    };

    void add(timer& t, time_point due, Owner owner = {}) {
        entry made{due, next_order_++, &t, std::move(owner)};
        if (t.place_ == timer::nowhere) {
            heap_.emplace_back();
            rise(heap_.size() - 1, std::move(made));
        } else {
            settle(t.place_, std::move(made));
        }
    }
    /// False if it was not queued (any more).
    bool remove(timer& t) noexcept { return static_cast<bool>(take(t)); }
    /// Takes it out; empty if it was not queued (any more).
    [[nodiscard]] std::optional<entry> take(timer& t) noexcept {
        if (t.place_ == timer::nowhere) return std::nullopt;
        const auto place = std::exchange(t.place_, timer::nowhere);
        std::optional<entry> taken{std::move(heap_[place])};
        auto last = std::move(heap_.back());
        heap_.pop_back();
        if (place < heap_.size()) settle(place, std::move(last));
        return taken;
    }

    /// Takes out the earliest timer that is due at `now`; null if there is none.
    [[nodiscard]] timer* pop_due(time_point now) noexcept {
        if (heap_.empty() || heap_.front().due > now) return nullptr;
        auto* const first = heap_.front().which;
        remove(*first);
        return first;
    }
    /// Takes out any timer; null when empty.
    [[nodiscard]] timer* pop_any() noexcept { return pop_due(time_point::max()); }

    [[nodiscard]] std::optional<time_point> next_due() const noexcept {
        return heap_.empty() ? std::nullopt : std::optional{heap_.front().due};
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
    /// Not of an empty one.
    [[nodiscard]] const entry& first() const noexcept { return heap_.front(); }
    /// Null if it is not queued. Until the next change.
    [[nodiscard]] const entry* find(const timer& t) const noexcept {
        return t.place_ == timer::nowhere ? nullptr : &heap_[t.place_];
    }

private:
    [[nodiscard]] static bool before(const entry& a, const entry& b) noexcept {
        return a.due != b.due ? a.due < b.due : a.order < b.order;
    }
    void put(std::size_t place, entry&& what) noexcept {
        heap_[place] = std::move(what);
        heap_[place].which->place_ = place;
    }
    // Each to where it belongs, from a place that is free.
    void settle(std::size_t place, entry&& what) noexcept {
        if (place > 0 && before(what, heap_[(place - 1) / 2])) {
            rise(place, std::move(what));
        } else {
            sink(place, std::move(what));
        }
    }
    void rise(std::size_t place, entry&& what) noexcept {
        while (place > 0) {
            const auto parent = (place - 1) / 2;
            if (!before(what, heap_[parent])) break;
            put(place, std::move(heap_[parent]));
            place = parent;
        }
        put(place, std::move(what));
    }
    void sink(std::size_t place, entry&& what) noexcept {
        for (;;) {
            auto least = 2 * place + 1;
            if (least >= heap_.size()) break;
            if (least + 1 < heap_.size() && before(heap_[least + 1], heap_[least])) ++least;
            if (!before(heap_[least], what)) break;
            put(place, std::move(heap_[least]));
            place = least;
        }
        put(place, std::move(what));
    }

    std::vector<entry> heap_;
    std::uint64_t next_order_ = 0;
};

using timer_queue = timer_heap<std::monostate>;

}  // namespace futon::detail
