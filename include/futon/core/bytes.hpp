// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Raw bytes: a view, an owner, and the growing buffer that messages are written into and read from.

#include <futon/core/recycling.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// A blob as a parameter: points into the received message, see `docs/contracts.md` for how long.
using bytes_view = std::span<const std::byte>;
/// A blob as a value; `bin` on the wire.
using bytes = std::vector<std::byte>;

[[nodiscard]] inline bytes_view as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::string_view as_text(bytes_view blob) noexcept {
    return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

/// A queue of bytes: written at the back, consumed from the front. Memory is never zero-filled.
///
/// Lifetime: views are good until the next non-const call.
class byte_buffer {
public:
    byte_buffer() = default;
    byte_buffer(byte_buffer&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)},
          begin_{std::exchange(other.begin_, 0)},
          end_{std::exchange(other.end_, 0)},
          capacity_{std::exchange(other.capacity_, 0)},
          lent_{std::exchange(other.lent_, false)} {}
    byte_buffer& operator=(byte_buffer&& other) noexcept {
        byte_buffer taken{std::move(other)};
        swap(taken);
        return *this;
    }
    ~byte_buffer() {
        if (!lent_) detail::free_block(data_, capacity_);
    }

    /// Begins in memory of the caller's, and takes some of its own when that is full. Only before anything is written.
    ///
    /// Lifetime: `memory` must outlive the use of this buffer, and of any that it is moved into.
    void begin_in(std::span<std::byte> memory) noexcept {
        data_ = memory.data();
        capacity_ = memory.size();
        lent_ = true;
    }

    void swap(byte_buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
        std::swap(capacity_, other.capacity_);
        std::swap(lent_, other.lent_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::byte* data() noexcept { return data_ + begin_; }
    [[nodiscard]] const std::byte* data() const noexcept { return data_ + begin_; }
    [[nodiscard]] bytes_view view() const noexcept { return {data(), size()}; }

    /// Room for at least `count` more bytes behind the written ones; may be larger. Follow with `commit`.
    [[nodiscard]] std::span<std::byte> prepare(std::size_t count) {
        if (capacity_ - end_ < count) make_room(count);
        return {data_ + end_, capacity_ - end_};
    }
    void commit(std::size_t count) noexcept { end_ += count; }

    void append(const void* from, std::size_t count) {
        if (count == 0) return;
        if (capacity_ - end_ < count) make_room(count);
        std::memcpy(data_ + end_, from, count);
        end_ += count;
    }
    void append(bytes_view blob) { append(blob.data(), blob.size()); }
    void push_back(std::byte one) {
        if (capacity_ == end_) make_room(1);
        data_[end_++] = one;
    }

    /// Drops `count` bytes from the front.
    void consume(std::size_t count) noexcept {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    /// Shortens to the first `count` bytes.
    void truncate(std::size_t count) noexcept { end_ = begin_ + count; }
    void clear() noexcept { begin_ = end_ = 0; }
    /// Gives the memory back; the buffer stays usable.
    void reset() noexcept { byte_buffer{}.swap(*this); }

    // msgpack-cxx writes through this member.
    void write(const char* from, std::size_t count) { append(from, count); }

private:
    void make_room(std::size_t count) {
        if (begin_ > 0 && capacity_ - size() >= count && begin_ >= size()) {
            std::memcpy(data_, data_ + begin_, size());
        } else {
            std::size_t wanted = capacity_ < 256 ? 256 : capacity_ * 2;
            while (wanted - size() < count) wanted *= 2;
            auto* grown = static_cast<std::byte*>(detail::allocate_block(wanted));
            if (!empty()) std::memcpy(grown, data_ + begin_, size());
            if (!lent_) detail::free_block(data_, capacity_);
            data_ = grown;
            capacity_ = wanted;
            lent_ = false;
        }
        end_ = size();
        begin_ = 0;
    }

    std::byte* data_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
    bool lent_ = false;  // The memory is another's.
};

}  // namespace futon
