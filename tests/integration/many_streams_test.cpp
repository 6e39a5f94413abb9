// SPDX-License-Identifier: Apache-2.0
// Streams in numbers and sizes: ten thousand at once, readers that do not keep up, neighbours that want their turn.

#include "integration/support/served.hpp"
#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using tests::is_instrumented;

namespace {

struct Crowd {
    futon::stream<int> two();
    futon::stream<int> echo(futon::stream<int> numbers);
    futon::stream<std::string> fill(int bytes);
    futon::stream<int> forever();
    int plain(int value);
};
FUTON_SERVICE(Crowd, two, echo, fill, forever, plain)

struct Ask {
    int sum_of_mine();
};
FUTON_SERVICE(Ask, sum_of_mine)

struct crowd {
    // One item at once, one when the test says so.
    futon::task<void> two(futon::sink<int> out) {
        co_await out.send(1);
        co_await waiting.wait();
        co_await out.send(2);
    }
    futon::task<void> echo(futon::stream<int> numbers, futon::sink<int> out) {
        while (auto number = co_await numbers.next()) co_await out.send(*number);
    }
    // As much as there is room for, then what is asked for.
    futon::task<void> fill(int bytes, futon::sink<std::string> out) {
        const std::string item(static_cast<std::size_t>(bytes), 'x');
        while (out.try_send(item)) sent.fetch_add(1);
        full.add();
        for (;;) {
            co_await out.send(item);
            sent.fetch_add(1);
        }
    }
    futon::task<void> forever(futon::sink<int> out) {
        for (int i = 0;; ++i) co_await out.send(i);
    }
    int plain(int value) { return value; }

    gate waiting;
    tally full;
    std::atomic<std::uint64_t> sent{0};
};

// Of the whole process, as the allocator has it; meaningless where a sanitizer has one of its own.
std::int64_t held_bytes() {
    const auto now = ::mallinfo2();
    return static_cast<std::int64_t>(now.uordblks + now.hblkhd);
}

TEST_CASE("streams: ten thousand at once on one connection, with bounded memory, and each ends") {
    const int count = is_instrumented ? 2000 : 10'000;
    auto implementation = std::make_shared<crowd>();
    served<Crowd> all{implementation};
    CHECK(all.stub.plain(1).get() == 1);
    const auto before = held_bytes();
    std::vector<futon::stream<int>> open;
    for (int i = 0; i < count; ++i) open.push_back(all.stub.two());
    for (auto& each : open) CHECK(each.next().get() == 1);
    CHECK(implementation->waiting.arrived.reaches(static_cast<std::size_t>(count)));
    const auto each = (held_bytes() - before) / count;
    MESSAGE("both ends of a stream that waits: " << each << " bytes");
    if (!is_instrumented) CHECK(each < 6000);
    CHECK(all.client->stats().wire.in_flight_sent == static_cast<std::uint64_t>(count));
    CHECK(all.stub.plain(2).get() == 2);
    implementation->waiting.open();
    for (auto& it : open) {
        CHECK(it.next().get() == 2);
        CHECK_FALSE(it.next().get().has_value());
    }
}

TEST_CASE("streams: a reader that takes nothing makes its producer wait, with no more than its window in memory") {
    auto implementation = std::make_shared<crowd>();
    served<Crowd> all{implementation};
    CHECK(all.stub.plain(1).get() == 1);
    const auto before = held_bytes();
    auto slow = all.stub.fill(968);  // Counts as 1000.
    REQUIRE(implementation->full.reaches(1));
    CHECK(implementation->sent == 66);  // The one that passes 65 536 included.
    CHECK(soon([&] { return all.client->stats().wire.items_received == 66; }));
    MESSAGE("held for a stream of 64 KiB that nobody reads: " << (held_bytes() - before) << " bytes");
    if (!is_instrumented) CHECK(held_bytes() - before < 512 * 1024);
    for (int i = 0; i < 10'000; ++i) CHECK(slow.next().get()->size() == 968);
    CHECK(implementation->sent >= 10'000);
    CHECK(implementation->sent < 10'000 + 2 * 67);
}

TEST_CASE("streams: a window holds few items where each is small") {
    auto implementation = std::make_shared<crowd>();
    served<Crowd> all{implementation};
    auto slow = all.stub.fill(0);  // One byte each; counts as 33.
    REQUIRE(implementation->full.reaches(1));
    CHECK(implementation->sent == 1986);
    for (int i = 0; i < 5000; ++i) CHECK(slow.next().get() == "");
}

TEST_CASE("streams: items larger than the window pass one at a time") {
    auto implementation = std::make_shared<crowd>();
    served<Crowd> all{implementation};
    auto slow = all.stub.fill(1'000'000);
    REQUIRE(implementation->full.reaches(1));
    CHECK(implementation->sent == 1);
    for (int i = 0; i < 20; ++i) CHECK(slow.next().get()->size() == 1'000'000);
    // Larger than any message may be: the stream fails, the connection does not.
    auto huge = all.stub.fill(9'000'000);
    CHECK(error_of(huge.next()) == futon::errc::message_too_big);
    CHECK(all.stub.plain(3).get() == 3);
}

TEST_CASE("streams: those that never end leave plain calls and each other their turn") {
    auto implementation = std::make_shared<crowd>();
    served<Crowd> all{implementation};
    std::vector<std::shared_ptr<std::atomic<int>>> seen;
    std::vector<futon::future<void>> loops;
    for (int i = 0; i < 4; ++i) {
        seen.push_back(std::make_shared<std::atomic<int>>(0));
        loops.push_back(all.stub.forever().for_each([count = seen.back()](int) { count->fetch_add(1); }));
    }
    for (int i = 0; i < 200; ++i) CHECK(all.stub.plain(i).get() == i);
    CHECK(soon([&] { return std::all_of(seen.begin(), seen.end(), [](const auto& each) { return *each > 10'000; }); }));
    for (auto& each : loops) each.cancel();
    for (auto& each : loops) CHECK(error_of(std::move(each)) == futon::errc::cancelled);
}

TEST_CASE("streams: a million items through both directions, by threads and by coroutines") {
    const int count = is_instrumented ? 20'000 : 300'000;
    served<Crowd> all{std::make_shared<crowd>()};
    auto [out, in] = futon::make_stream<int>(64);
    auto back = all.stub.echo(std::move(in));
    std::thread producer{[&, out = std::move(out)]() mutable {
        for (int i = 0; i < count; ++i) out.send(i).get();
        out.close();
    }};
    int next = 0;
    while (auto item = back.next().get()) CHECK(*item == next++);
    producer.join();
    CHECK(next == count);
}

TEST_CASE("streams: a server opens them on the connection of its caller, too") {
    struct ask {
        futon::task<int> sum_of_mine(futon::call_context& from) {
            auto mine = from.caller<Crowd>();
            auto [out, in] = futon::make_stream<int>(1);
            auto back = mine.echo(std::move(in));
            int sum = 0;
            for (int i = 1; i <= 100; ++i) {
                co_await out.send(i);
                auto item = co_await back.next();
                sum += item.value();
            }
            out.close();
            const auto last = co_await back.next();
            co_return last ? -1 : sum;
        }
    };
    futon::server server{quiet_server()};
    server.provide<Ask>(ask{});
    server.start();
    futon::client client{to(server.addresses())};
    client.provide<Crowd>(std::make_shared<crowd>());
    CHECK(client.stub<Ask>().sum_of_mine().get() == 5050);
}

}  // namespace
