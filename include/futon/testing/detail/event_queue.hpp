// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a simulation will do next, in order of virtual time.

#include <array>
#include <cstddef>
#include <cstdint>
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
    void push(const T& item) {
        if (size_ == items_.size()) grow();
        items_[(first_ + size_++) & (items_.size() - 1)] = item;
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
/// A binary heap. Most events of a cluster come a constant delay after the present (the network, a deadline), so in order: those
/// of one `lane` queue up beside the heap, which then holds only what is unordered. What happens first is the same either way.
template <class Event, std::size_t Lanes>
class event_queue {
public:
    struct planned {
        std::int64_t at = 0;
        std::uint64_t order = 0;
        Event event{};
    };

    void plan(std::int64_t at, const Event& event) {
        heap_.push_back({});
        auto* const items = heap_.data();
        const planned added{at, next_order_++, event};
        std::size_t hole = heap_.size() - 1;
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / 2;
            if (!before(added, items[parent])) break;
            items[hole] = items[parent];
            hole = parent;
        }
        items[hole] = added;
    }
    void plan(std::size_t lane, std::int64_t at, const Event& event) {
        auto& queue = lanes_[lane];
        if (!queue.empty() && queue.back().at > at) return plan(at, event);
        queue.push({at, next_order_++, event});
    }

    /// Takes out what comes first into `next`; false if nothing is planned.
    bool take(planned& next) {
        const planned* first = heap_.empty() ? nullptr : heap_.data();
        auto lane = Lanes;
        for (std::size_t i = 0; i < Lanes; ++i) {
            if (lanes_[i].empty() || (first && !before(lanes_[i].front(), *first))) continue;
            first = &lanes_[i].front();
            lane = i;
        }
        if (!first) return false;
        if (lane != Lanes) {
            next = lanes_[lane].pop();
            return true;
        }
        next = *first;
        remove_top();
        return true;
    }

private:
    static bool before(const planned& a, const planned& b) noexcept {
        return a.at != b.at ? a.at < b.at : a.order < b.order;
    }
    void remove_top() noexcept {
        const planned last = heap_.back();
        heap_.pop_back();
        const std::size_t size = heap_.size();
        if (size == 0) return;
        auto* const items = heap_.data();
        std::size_t hole = 0;
        for (;;) {
            std::size_t child = 2 * hole + 1;
            if (child >= size) break;
            if (child + 1 < size && before(items[child + 1], items[child])) ++child;
            if (!before(items[child], last)) break;
            items[hole] = items[child];
            hole = child;
        }
        items[hole] = last;
    }

    std::vector<planned> heap_;
    std::array<ring<planned>, Lanes> lanes_;
    std::uint64_t next_order_ = 0;
};

}  // namespace futon::detail
