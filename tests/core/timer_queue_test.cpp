// SPDX-License-Identifier: Apache-2.0
#include <futon/core/timer_queue.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::time_point;
using futon::detail::timer;
using futon::detail::timer_queue;

struct silent final : timer {
    void fire(bool) noexcept override {}
};

TEST_CASE("timer_queue: gives what is due, earliest first, and nothing before its time") {
    timer_queue queue;
    std::array<silent, 3> timers;
    queue.add(timers[0], time_point{30ms});
    queue.add(timers[1], time_point{10ms});
    queue.add(timers[2], time_point{20ms});
    CHECK(queue.next_due() == time_point{10ms});
    CHECK(queue.pop_due(time_point{10ms - 1ns}) == nullptr);
    CHECK(queue.pop_due(time_point{25ms}) == &timers[1]);
    CHECK(queue.pop_due(time_point{25ms}) == &timers[2]);
    CHECK(queue.pop_due(time_point{25ms}) == nullptr);
    CHECK(queue.pop_any() == &timers[0]);
    CHECK(queue.pop_any() == nullptr);
    CHECK(queue.next_due() == std::nullopt);
}

TEST_CASE("timer_queue: adding again moves, removing twice is false the second time") {
    timer_queue queue;
    silent one;
    queue.add(one, time_point{10ms});
    queue.add(one, time_point{5ms});
    CHECK(queue.size() == 1);
    CHECK(queue.next_due() == time_point{5ms});
    CHECK(queue.remove(one));
    CHECK_FALSE(queue.remove(one));
    CHECK(queue.size() == 0);
}

TEST_CASE("timer_queue: those of one instant come in the order in which they were added, or added again") {
    timer_queue queue;
    std::array<silent, 8> timers;
    for (auto& each : timers) queue.add(each, time_point{10ms});
    queue.add(timers[2], time_point{10ms});
    for (const std::size_t expected : {0u, 1u, 3u, 4u, 5u, 6u, 7u, 2u}) {
        CAPTURE(expected);
        CHECK(queue.pop_any() == &timers[expected]);
    }
}

TEST_CASE("timer_heap: keeps something beside each timer") {
    futon::detail::timer_heap<int> heap;
    std::array<silent, 3> timers;
    heap.add(timers[0], time_point{30ms}, 1);
    heap.add(timers[1], time_point{10ms}, 2);
    heap.add(timers[0], time_point{20ms}, 3);
    CHECK(heap.find(timers[2]) == nullptr);
    REQUIRE(heap.find(timers[0]) != nullptr);
    CHECK(heap.find(timers[0])->owner == 3);
    CHECK(heap.first().which == &timers[1]);
    const auto taken = heap.take(timers[0]);
    REQUIRE(taken.has_value());
    CHECK(taken->owner == 3);
    CHECK(taken->due == time_point{20ms});
    CHECK_FALSE(heap.take(timers[0]).has_value());
    CHECK(heap.size() == 1);
}

TEST_CASE("timer_queue: stays in order under any mix of adding and removing") {
    std::mt19937 dice{7};
    timer_queue queue;
    std::vector<silent> timers(200);
    std::vector<std::optional<time_point>> expected(timers.size());
    for (int step = 0; step < 20000; ++step) {
        const auto which = dice() % timers.size();
        if (dice() % 3 != 0) {
            const time_point due{std::chrono::microseconds{dice() % 1000}};
            queue.add(timers[which], due);
            expected[which] = due;
        } else {
            CHECK(queue.remove(timers[which]) == expected[which].has_value());
            expected[which].reset();
        }
    }
    std::optional<time_point> before;
    while (auto* first = static_cast<silent*>(queue.pop_any())) {
        const auto which = static_cast<std::size_t>(first - timers.data());
        REQUIRE(expected[which].has_value());
        CHECK((!before || *before <= *expected[which]));
        before = expected[which];
        expected[which].reset();
    }
    for (const auto& left : expected) CHECK_FALSE(left.has_value());
}

}  // namespace
