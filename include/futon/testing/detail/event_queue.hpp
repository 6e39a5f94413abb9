// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a simulation will do next, in order of virtual time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace futon::detail {

/// A queue that grows, in one block.
template <class T>
class ring {
public:
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const T& front() const noexcept { return items_[first_]; }
    [[nodiscard]] const T& back() const noexcept { return items_[(first_ + size_ - 1) & (items_.size() - 1)]; }
    void push(const T& item) { push() = item; }
    /// To be filled in.
    T& push() {
        if (size_ == items_.size()) grow();
        return items_[(first_ + size_++) & (items_.size() - 1)];
    }
    T pop() noexcept {
        T item = items_[first_];
        first_ = (first_ + 1) & (items_.size() - 1);
        --size_;
        return item;
    }
    void clear() noexcept { first_ = size_ = 0; }

private:
    void grow() {
        std::vector<T> larger(items_.empty() ? 16 : items_.size() * 2);
        for (std::size_t i = 0; i < size_; ++i) larger[i] = items_[(first_ + i) & (items_.size() - 1)];
        items_ = std::move(larger);
        first_ = 0;
    }

    std::vector<T> items_;  // a power of two of them
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

/// Events by (time, order of their making): those of one instant happen in the order in which they were planned.
///
/// A heap of four children each. Most events of a cluster come a constant delay after the present (the network, a
/// deadline), so in order: those of one `lane` queue up beside the heap, which then holds only what is unordered. What
/// happens first is the same either way.
template <class Event, std::size_t Lanes>
class event_queue {
public:
    struct planned {
        std::int64_t at = 0;
        std::uint64_t order = 0;
        Event event{};
    };

    event_queue() noexcept { first_.fill(never); }

    void plan(std::int64_t at, const Event& event) {
        planned made;
        set(made, at, event);
        if (top_is_taken_) {
            top_is_taken_ = false;
            sink(made);
        } else {
            rise(made);
        }
        first_[Lanes] = heap_.front().at;
    }
    void plan(std::size_t lane, std::int64_t at, const Event& event) {
        auto& queue = lanes_[lane];
        if (queue.empty()) {
            first_[lane] = at;
        } else if (queue.back().at > at) {
            return plan(at, event);
        }
        set(queue.push(), at, event);
    }
    /// Drops from the front of a lane what need not happen any more.
    template <class Stale>
    void forget(std::size_t lane, const Stale& stale) noexcept {
        while (!lanes_[lane].empty() && stale(lanes_[lane].front().event)) pop(lane);
    }

    /// Takes out what comes first into `next`; false if nothing is planned.
    bool take(planned& next) noexcept {
        if (top_is_taken_) remove_top();
        // Which one it is cannot be predicted: no branches, but for the rare case of two at once.
        std::size_t from = 0;
        auto at = first_[0];
        for (std::size_t i = 1; i <= Lanes; ++i) {
            from = first_[i] < at ? i : from;
            at = first_[i] < at ? first_[i] : at;
        }
        if (at == never) return false;
        for (std::size_t i = from + 1; i <= Lanes; ++i)
            if (first_[i] == at && front(i).order < front(from).order) from = i;
        const auto& first = front(from);
        next.at = at;
        next.order = first.order;
        next.event = first.event;
        if (from == Lanes) {
            top_is_taken_ = true;
        } else {
            pop(from);
        }
        return true;
    }

private:
    static constexpr std::size_t children = 4;
    static constexpr auto never = std::numeric_limits<std::int64_t>::max();

    static bool before(const planned& a, const planned& b) noexcept {
        if (a.at == b.at) [[unlikely]]
            return a.order < b.order;
        return a.at < b.at;
    }
    void set(planned& place, std::int64_t at, const Event& event) noexcept {
        place.at = at;
        place.order = next_order_++;
        place.event = event;
    }
    [[nodiscard]] const planned& front(std::size_t of) const noexcept {
        return of == Lanes ? heap_.front() : lanes_[of].front();
    }
    void pop(std::size_t lane) noexcept {
        auto& queue = lanes_[lane];
        queue.pop();
        first_[lane] = queue.empty() ? never : queue.front().at;
    }
    // What is planned last comes after all others of its time.
    void rise(const planned& last) {
        heap_.emplace_back();
        auto* const items = heap_.data();
        std::size_t hole = heap_.size() - 1;
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / children;
            if (last.at >= items[parent].at) break;
            items[hole] = items[parent];
            hole = parent;
        }
        items[hole] = last;
    }
    // From the top, which is free.
    void sink(const planned& item) noexcept {
        auto* const items = heap_.data();
        const std::size_t size = heap_.size();
        std::size_t hole = 0;
        for (;;) {
            const std::size_t first = children * hole + 1;
            std::size_t least = first;
            if (first + children <= size) {
                // In pairs: the processor compares both at a time.
                static_assert(children == 4);
                const auto left = first + std::size_t{before(items[first + 1], items[first])};
                const auto right = first + 2 + std::size_t{before(items[first + 3], items[first + 2])};
                least = before(items[right], items[left]) ? right : left;
            } else if (first < size) {
                for (std::size_t child = first + 1; child < size; ++child)
                    if (before(items[child], items[least])) least = child;
            } else {
                break;
            }
            if (!before(items[least], item)) break;
            items[hole] = items[least];
            hole = least;
        }
        items[hole] = item;
    }
    void remove_top() noexcept {
        top_is_taken_ = false;
        const planned last = heap_.back();
        heap_.pop_back();
        if (!heap_.empty()) sink(last);
        first_[Lanes] = heap_.empty() ? never : heap_.front().at;
    }

    std::vector<planned> heap_;
    std::array<ring<planned>, Lanes> lanes_;
    std::array<std::int64_t, Lanes + 1> first_;  // Of each lane, and of the heap.
    std::uint64_t next_order_ = 0;
    bool top_is_taken_ = false;  // Often what it is taken for plans the next one, which then has its place.
};

}  // namespace futon::detail
