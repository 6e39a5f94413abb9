// SPDX-License-Identifier: Apache-2.0
#include <futon/core/recycling.hpp>

#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using futon::detail::allocate_block;
using futon::detail::block_allocator;
using futon::detail::block_cache;
using futon::detail::block_size;
using futon::detail::free_block;

TEST_CASE("recycling: a freed block is the next one of its size, on the same thread") {
    void* first = allocate_block(100);
    free_block(first, 100);
    void* second = allocate_block(128);
    CHECK(second == first);
    void* other = allocate_block(129);
    CHECK(other != first);
    free_block(second, 128);
    free_block(other, 129);
}

TEST_CASE("recycling: sizes are rounded up to what is really given, large ones are not kept") {
    CHECK(block_size(1) == block_cache::granule);
    CHECK(block_size(64) == 64);
    CHECK(block_size(65) == 128);
    CHECK(block_size(block_cache::largest) == block_cache::largest);
    CHECK(block_size(block_cache::largest + 1) == block_cache::largest + 1);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, block_cache::largest, block_cache::largest + 1, std::size_t{100'000}}) {
        void* memory = allocate_block(size);
        std::memset(memory, 0x5a, block_size(size));
        free_block(memory, size);
    }
    free_block(nullptr, 10);
}

TEST_CASE("recycling: blocks may be freed on another thread, and more than are kept") {
    std::vector<void*> blocks(block_cache::blocks_per_class + 100);
    for (auto& one : blocks) one = allocate_block(64);
    std::thread{[&] {
        for (auto* one : blocks) free_block(one, 64);
    }}.join();
    // What that thread kept has gone with it; this one keeps as many as it may, and gives those out first.
    for (auto& one : blocks) one = allocate_block(64);
    for (auto* one : blocks) free_block(one, 64);
    auto& kept = futon::detail::this_thread_blocks();
    std::size_t count = 0;
    for (auto& one : blocks) {
        if (!(one = kept.take(0))) break;
        ++count;
    }
    CHECK(count == block_cache::blocks_per_class);
    for (std::size_t i = 0; i < count; ++i) free_block(blocks[i], 64);
}

TEST_CASE("recycling: works as an allocator, and for types with a large alignment") {
    std::list<std::string, block_allocator<std::string>> some;
    for (int i = 0; i < 100; ++i) some.push_back(std::to_string(i));
    CHECK(some.back() == "99");
    struct alignas(128) wide : futon::detail::recycled {
        char bytes[128];
    };
    const auto one = std::make_unique<wide>();
    CHECK(reinterpret_cast<std::uintptr_t>(one.get()) % 128 == 0);
    std::vector<wide, block_allocator<wide>> more(3);
    CHECK(reinterpret_cast<std::uintptr_t>(more.data()) % 128 == 0);
}

}  // namespace
