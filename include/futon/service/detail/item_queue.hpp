// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Encoded items that wait, in one piece of memory.

#include <futon/core/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace futon::detail {

/// First in, first out; each stands behind its size. Not thread-safe.
class item_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    /// Takes the memory for an item, whose `push` then cannot fail.
    void make_room(std::size_t size) { static_cast<void>(bytes_.prepare(size + sizeof(std::uint32_t))); }
    /// Throws `std::bad_alloc`, and nothing has changed.
    void push(bytes_view item) {
        make_room(item.size());
        const auto size = static_cast<std::uint32_t>(item.size());
        bytes_.append(&size, sizeof size);
        bytes_.append(item);
    }
    /// Not when empty.
    [[nodiscard]] bytes_view front() const noexcept {
        std::uint32_t size = 0;
        std::memcpy(&size, bytes_.data(), sizeof size);
        return bytes_.view().subspan(sizeof size, size);
    }
    void pop() noexcept { bytes_.consume(sizeof(std::uint32_t) + front().size()); }
    void swap(item_queue& other) noexcept { bytes_.swap(other.bytes_); }
    void clear() noexcept { bytes_.reset(); }
    /// Gives back what a burst needed.
    void shrink() noexcept {
        constexpr std::size_t kept = 4096;
        if (bytes_.empty() && bytes_.capacity() > kept) bytes_.reset();
    }

private:
    byte_buffer bytes_;
};

}  // namespace futon::detail
