// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/deadline_wheel.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace std::chrono_literals;

namespace {

TEST_CASE("deadline_wheel: each deadline fires at the first millisecond that is not before it, and once") {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 dice{seed};
        futon::time_point now{5s + 123us};
        futon::detail::deadline_wheel wheel{now};
        const auto origin = now;
        std::map<std::uint32_t, futon::time_point> alive;
        const auto reach = std::uint64_t{1} << (10 + dice() % 40);
        for (int step = 0; step < 2000; ++step) {
            const auto index = static_cast<std::uint32_t>(dice() % 200);
            if (alive.count(index) == 0) {
                const auto due = now + std::chrono::nanoseconds{static_cast<std::int64_t>(dice() % reach)};
                wheel.add(index, due, now);
                alive[index] = due;
            } else if (dice() % 4 == 0) {
                wheel.remove(index);
                alive.erase(index);
            }
            if (dice() % 3 == 0) now += std::chrono::nanoseconds{static_cast<std::int64_t>(dice() % (reach / 8 + 1))};
            if (dice() % 50 == 0) {
                if (const auto next = wheel.next()) now = std::max(now, *next);
            }
            bool right = true;
            wheel.advance(now, [&](std::uint32_t fired) {
                right = right && alive.count(fired) == 1 && alive[fired] <= now;
                alive.erase(fired);
            });
            for (const auto& [left, due] : alive) {
                const auto tick = (due - origin + 999'999ns) / 1'000'000ns;
                right = right && origin + tick * 1ms > now && wheel.next() && *wheel.next() <= origin + tick * 1ms;
            }
            if (!right) FAIL("seed " << seed << ", step " << step);
        }
    }
}

TEST_CASE("deadline_wheel: the farthest deadline and the one that has passed are at home too") {
    const futon::time_point start{1s};
    futon::detail::deadline_wheel wheel{start};
    CHECK_FALSE(wheel.next());
    wheel.add(0, futon::no_deadline, start);
    CHECK_FALSE(wheel.next());
    wheel.add(1, futon::no_deadline - 1s, start);
    wheel.add(2, start - 1s, start);
    CHECK(wheel.next() <= start);
    int fired = 0;
    wheel.advance(start, [&](std::uint32_t) { ++fired; });
    CHECK(fired == 1);
    wheel.advance(start + 24h * 365 * 100, [&](std::uint32_t) { ++fired; });
    CHECK(fired == 1);
    wheel.remove(1);
    CHECK_FALSE(wheel.next());
}

TEST_CASE("deadline_wheel: one deadline alone wakes nobody before it, however long there was none") {
    futon::detail::deadline_wheel wheel{futon::time_point{}};
    for (auto now = futon::time_point{1s}; now < futon::time_point{300s}; now += 777ms) {
        // Answered in time each time, so that nothing ever was due.
        wheel.add(0, now + 3s, now);
        CHECK(wheel.next() == now + 3s);
        wheel.remove(0);
    }
    // One that stands there is not passed over, nor one that comes before it.
    const futon::time_point now{300s};
    wheel.add(0, now + 1s, now);
    wheel.add(1, now + 10s, now + 9s);
    int fired = 0;
    wheel.advance(now + 9s, [&](std::uint32_t index) { fired += index == 0 ? 1 : 10; });
    CHECK(fired == 1);
    CHECK(wheel.next() == now + 10s);
    wheel.add(2, now + 9500ms, now + 9s);
    CHECK(wheel.next() <= now + 9500ms);
}

}  // namespace
