// SPDX-License-Identifier: Apache-2.0
#include <futon/filter/queue_delay.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

TEST_CASE("queue_delay: a burst waits, and nothing of it is dropped") {
    futon::queue_delay rule{{.target = 5ms, .interval = 100ms}};
    futon::time_point now{1h};
    for (int burst = 0; burst < 20; ++burst, now += 70ms) {
        // The first waits hardly, the last for long.
        for (int i = 0; i < 50; ++i) CHECK(!rule.drops(1ms * i, now + 1ms * i));
    }
    CHECK(!rule.is_standing());
}

TEST_CASE("queue_delay: in a queue that stands for an interval, what waited more than twice the target is dropped") {
    futon::queue_delay rule{{.target = 5ms, .interval = 100ms}};
    const futon::time_point start{1h};
    for (int i = 0; i < 100; ++i) CHECK(!rule.drops(30ms, start + 1ms * i));
    CHECK(rule.drops(30ms, start + 100ms));
    CHECK(rule.is_standing());
    CHECK(rule.drops(11ms, start + 101ms));
    CHECK(!rule.drops(10ms, start + 102ms));
    CHECK(!rule.drops(1ms, start + 103ms));
    // One that hardly waited shows that the queue was empty: with the next interval all is well.
    CHECK(rule.drops(30ms, start + 199ms));
    CHECK(!rule.drops(30ms, start + 200ms));
    CHECK(!rule.is_standing());
}

TEST_CASE("queue_delay: after a silence the queue of before is forgotten") {
    futon::queue_delay rule{{.target = 5ms, .interval = 100ms}};
    const futon::time_point start{1h};
    for (int i = 0; i <= 100; ++i) static_cast<void>(rule.drops(30ms, start + 1ms * i));
    CHECK(rule.is_standing());
    CHECK(!rule.drops(30ms, start + 10s));
}

}  // namespace
