// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/manual_executor.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace std::chrono_literals;

namespace {

using futon::testing::manual_executor;

TEST_CASE("manual_executor: runs what is queued only when it is told to, as much as it is told to") {
    manual_executor place;
    std::string order;
    for (const char letter : {'a', 'b', 'c'})
        futon::make_ready(place).on_complete([&order, letter](auto) { order += letter; });
    CHECK(place.queued() == 3);
    CHECK(order.empty());
    CHECK(place.run_ready(1) == 1);
    CHECK(order == "a");
    CHECK(place.run_ready() == 2);
    CHECK(order == "abc");
    CHECK(place.run_ready() == 0);
}

TEST_CASE("manual_executor: the clock stands still between advances, and timers see their own time") {
    manual_executor place;
    const auto begin = place.now();
    futon::time_point first{};
    futon::time_point second{};
    futon::delay(place, 3ms).then([&] {
        first = place.now();
        return futon::delay(4ms);
    }).on_complete([&](auto) { second = place.now(); });
    CHECK(place.timers() == 1);
    place.advance(10ms);
    CHECK(first == begin + 3ms);
    CHECK(second == begin + 7ms);
    CHECK(place.now() == begin + 10ms);
}

TEST_CASE("manual_executor: blocking on it is would_deadlock, a full or closed one refuses") {
    manual_executor place;
    futon::promise<int> p{place};
    auto f = p.get_future();
    CHECK(std::move(f).get_result().error() == futon::errc::would_deadlock);
    p.set_value(1);
    place.limit_queue(1);
    auto one = futon::make_ready(place).then([] {});
    auto two = futon::make_ready(place).then([] {});
    CHECK(std::move(two).get_result().error() == futon::errc::executor_rejected);
    place.close();
    CHECK(std::move(one).get_result().error() == futon::errc::executor_rejected);
}

}  // namespace
