// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A queue in one block of memory that grows to what was ever needed and then allocates nothing.

#include <futon/core/recycling.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// First in, first out. Not thread-safe. Empty, it owns no memory until the first `push`.
template <class T>
class item_ring {
public:
    item_ring() = default;
    item_ring(item_ring&& other) noexcept
        : slots_{std::exchange(other.slots_, nullptr)},
          room_{std::exchange(other.room_, 0)},
          first_{std::exchange(other.first_, 0)},
          size_{std::exchange(other.size_, 0)} {}
    item_ring& operator=(item_ring&& other) noexcept {
        item_ring moved{std::move(other)};
        std::swap(slots_, moved.slots_);
        std::swap(room_, moved.room_);
        std::swap(first_, moved.first_);
        std::swap(size_, moved.size_);
        return *this;
    }
    ~item_ring() {
        while (size_ > 0) drop_first();
        if (slots_) block_allocator<T>{}.deallocate(slots_, room_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Throws `std::bad_alloc`, and `item` is as it was.
    void push(T&& item) {
        if (size_ == room_) grow();
        std::construct_at(at(size_), std::move(item));
        ++size_;
    }
    /// Not when empty.
    [[nodiscard]] T pop() noexcept {
        T taken{std::move(*at(0))};
        drop_first();
        return taken;
    }

private:
    // Room is a power of two.
    [[nodiscard]] T* at(std::size_t index) noexcept { return slots_ + ((first_ + index) & (room_ - 1)); }
    void drop_first() noexcept {
        std::destroy_at(at(0));
        first_ = (first_ + 1) & (room_ - 1);
        --size_;
    }
    void grow() {
        const auto more = room_ == 0 ? std::size_t{4} : room_ * 2;
        auto* fresh = block_allocator<T>{}.allocate(more);
        for (std::size_t i = 0; i < size_; ++i) {
            std::construct_at(fresh + i, std::move(*at(i)));
            std::destroy_at(at(i));
        }
        if (slots_) block_allocator<T>{}.deallocate(slots_, room_);
        slots_ = fresh;
        room_ = more;
        first_ = 0;
    }

    T* slots_ = nullptr;
    std::size_t room_ = 0;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace futon::detail
