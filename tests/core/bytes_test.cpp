// SPDX-License-Identifier: Apache-2.0
#include <futon/core/bytes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <utility>

namespace {

using futon::as_bytes;
using futon::as_text;
using futon::byte_buffer;

TEST_CASE("bytes: what is appended comes out in order, whatever is consumed in between") {
    std::mt19937 dice{3};
    byte_buffer buffer;
    std::string expected;
    for (int step = 0; step < 5000; ++step) {
        const std::string some(dice() % 200, static_cast<char>('a' + step % 26));
        if (dice() % 2 == 0) {
            buffer.append(as_bytes(some));
        } else {
            auto room = buffer.prepare(some.size());
            REQUIRE(room.size() >= some.size());
            for (std::size_t i = 0; i < some.size(); ++i) room[i] = static_cast<std::byte>(some[i]);
            buffer.commit(some.size());
        }
        expected += some;
        const auto taken = std::min<std::size_t>(expected.size(), dice() % 250);
        REQUIRE(as_text(buffer.view()) == expected);
        buffer.consume(taken);
        expected.erase(0, taken);
    }
    CHECK(as_text(buffer.view()) == expected);
}

TEST_CASE("bytes: a buffer that is consumed as it is filled does not grow") {
    byte_buffer buffer;
    for (int i = 0; i < 1000; ++i) {
        buffer.append(as_bytes(std::string(100, 'x')));
        buffer.consume(100);
    }
    CHECK(buffer.capacity() <= 256);
    CHECK(buffer.empty());
}

TEST_CASE("bytes: clear keeps the memory, reset gives it back, a moved-from buffer is empty and usable") {
    byte_buffer buffer;
    buffer.append(as_bytes("hello"));
    buffer.push_back(std::byte{'!'});
    buffer.write("?", 1);
    CHECK(as_text(buffer.view()) == "hello!?");
    buffer.truncate(5);
    CHECK(as_text(buffer.view()) == "hello");
    auto moved = std::move(buffer);
    CHECK(as_text(moved.view()) == "hello");
    CHECK(buffer.empty());
    buffer.append(as_bytes("again"));
    CHECK(as_text(buffer.view()) == "again");
    moved.clear();
    CHECK(moved.empty());
    CHECK(moved.capacity() > 0);
    moved.reset();
    CHECK(moved.capacity() == 0);
    moved.append(nullptr, 0);
    CHECK(moved.capacity() == 0);
}

TEST_CASE("bytes: a buffer begins in lent memory, and takes its own when that is full") {
    std::array<std::byte, 8> lent;
    byte_buffer buffer;
    buffer.begin_in(lent);
    buffer.append(as_bytes("12345678"));
    CHECK(buffer.data() == lent.data());
    SUBCASE("it grows") {
        buffer.append(as_bytes("9"));
        CHECK(buffer.data() != lent.data());
        CHECK(as_text(buffer.view()) == "123456789");
        buffer.reset();
        CHECK(buffer.capacity() == 0);
    }
    SUBCASE("it is moved from, and assigned to") {
        const auto moved = std::move(buffer);
        CHECK(moved.data() == lent.data());
        buffer.append(as_bytes("own"));
        CHECK(as_text(buffer.view()) == "own");
        CHECK(as_text(moved.view()) == "12345678");
        byte_buffer other;
        other.begin_in(lent);
        other = std::move(buffer);
        CHECK(as_text(other.view()) == "own");
    }
    SUBCASE("what is consumed makes room there") {
        buffer.consume(4);
        buffer.append(as_bytes("abcd"));
        CHECK(buffer.data() == lent.data());
        CHECK(as_text(buffer.view()) == "5678abcd");
    }
}

}  // namespace
