// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Memory that comes back: small blocks are kept per thread, so that a call in a steady state allocates nothing.

#include <array>
#include <cstddef>
#include <new>

namespace futon::detail {

/// One thread's free blocks, by size class of 64 bytes.
class block_cache {
public:
    static constexpr std::size_t granule = 64;
    static constexpr std::size_t largest = 2048;
    static constexpr std::size_t blocks_per_class = 512;

    block_cache() = default;
    block_cache(const block_cache&) = delete;
    block_cache& operator=(const block_cache&) = delete;
    ~block_cache() {
        for (auto& list : free_) {
            while (list.first) {
                auto* next = list.first->next;
                ::operator delete(list.first);
                list.first = next;
            }
            // A block freed after this point, by a later thread-local destructor, goes to the heap.
            list.count = blocks_per_class;
        }
    }

    [[nodiscard]] void* take(std::size_t size_class) noexcept {
        auto& list = free_[size_class];
        if (!list.first) return nullptr;
        auto* block = list.first;
        list.first = block->next;
        --list.count;
        return block;
    }
    [[nodiscard]] bool give(void* memory, std::size_t size_class) noexcept {
        auto& list = free_[size_class];
        if (list.count >= blocks_per_class) return false;
        list.first = ::new (memory) node{list.first};
        ++list.count;
        return true;
    }

private:
    struct node {
        node* next;
    };
    struct free_list {
        node* first = nullptr;
        std::size_t count = 0;
    };
    std::array<free_list, largest / granule> free_{};
};

// Not inlined: clang 16 caches a thread-local's address across the suspension of a coroutine.
[[gnu::noinline]] inline block_cache& this_thread_blocks() noexcept {
    thread_local block_cache cache;
    auto* address = &cache;
    asm volatile("" : "+r"(address));
    return *address;
}

/// The size that `allocate_block(size)` really gives.
[[nodiscard]] constexpr std::size_t block_size(std::size_t size) noexcept {
    return size > block_cache::largest
               ? size
               : (size + block_cache::granule - 1) / block_cache::granule * block_cache::granule;
}

/// Thread-safety: safe; a block may be freed on another thread than it came from.
[[nodiscard]] inline void* allocate_block(std::size_t size) {
    const auto rounded = block_size(size == 0 ? 1 : size);
    if (rounded <= block_cache::largest) {
        if (auto* cached = this_thread_blocks().take(rounded / block_cache::granule - 1)) return cached;
    }
    if (auto* fresh = ::operator new(rounded, std::nothrow)) return fresh;
    throw std::bad_alloc{};
}

inline void free_block(void* memory, std::size_t size) noexcept {
    if (!memory) return;
    const auto rounded = block_size(size == 0 ? 1 : size);
    if (rounded <= block_cache::largest && this_thread_blocks().give(memory, rounded / block_cache::granule - 1))
        return;
    ::operator delete(memory);
}

/// The same as an allocator, e.g. for what is posted to an Asio executor.
template <class T>
class block_allocator {
public:
    using value_type = T;

    block_allocator() = default;
    template <class U>
    block_allocator(const block_allocator<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t count) {
        if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
            return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{alignof(T)}));
        } else {
            return static_cast<T*>(allocate_block(count * sizeof(T)));
        }
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
            ::operator delete(memory, std::align_val_t{alignof(T)});
        } else {
            free_block(memory, count * sizeof(T));
        }
    }
    friend bool operator==(const block_allocator&, const block_allocator&) noexcept { return true; }
};
template <>
class block_allocator<void> {
public:
    using value_type = void;

    block_allocator() = default;
    template <class U>
    block_allocator(const block_allocator<U>&) noexcept {}
    friend bool operator==(const block_allocator&, const block_allocator&) noexcept { return true; }
};

/// Base of classes whose objects are made and dropped once per call.
struct recycled {
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_block(memory, size); }
    // For values with an alignment that blocks do not have.
    static void* operator new(std::size_t size, std::align_val_t alignment) { return ::operator new(size, alignment); }
    static void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
        ::operator delete(memory, alignment);
    }
};

}  // namespace futon::detail
