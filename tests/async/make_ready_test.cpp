// SPDX-License-Identifier: Apache-2.0
#include <futon/async/make_ready.hpp>

#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::testing::manual_executor;

TEST_CASE("make_ready: holds its value, on the given executor or the current one") {
    manual_executor place;
    const char* text = "text";
    auto copied = futon::make_ready(place, text);
    static_assert(std::is_same_v<decltype(copied), futon::future<const char*>>);
    CHECK(std::move(copied).get() == text);
    CHECK(*futon::make_ready(std::make_unique<int>(3)).get() == 3);
    CHECK(futon::make_ready(1).executor() == nullptr);
    futon::executor_ref inside;
    futon::make_ready(place).on_complete([&](futon::result<void>) { inside = futon::make_ready(1).executor(); });
    place.run_ready();
    CHECK(inside == place.ref());
}

TEST_CASE("make_failed: holds its error") {
    auto failed = futon::make_failed<std::string>(futon::error{errc::overloaded, "full", futon::executed::no});
    const auto why = std::move(failed).get_result().error();
    CHECK(why == errc::overloaded);
    CHECK(why.message() == "full");
    CHECK(why.ran() == futon::executed::no);
}

TEST_CASE("delay: completes when its time has come, not before, whatever the order of the delays") {
    manual_executor place;
    std::string order;
    for (const auto &[after, letter] : {std::pair{30ms, 'c'}, std::pair{10ms, 'a'}, std::pair{20ms, 'b'}})
        futon::delay(place, after).on_complete([&order, letter = letter](futon::result<void>) { order += letter; });
    auto zero = futon::delay(place, 0ms);
    place.advance(0ms);
    CHECK(zero.is_ready());
    place.advance(9ms);
    CHECK(order.empty());
    place.advance(100ms);
    CHECK(order == "abc");
}

TEST_CASE("delay: cancelling ends it at once and takes the timer away") {
    manual_executor place;
    auto f = futon::delay(place, 1h);
    f.cancel();
    CHECK(place.timers() == 0);
    CHECK(std::move(f).get_result().error() == errc::cancelled);
}

TEST_CASE("delay: with no executor, and on one that ends, it is an error and never waits") {
    CHECK(futon::delay(1ms).get_result().error() == errc::no_executor);
    manual_executor place;
    auto ends = futon::delay(place, 1h);
    place.close();
    CHECK(std::move(ends).get_result().error() == errc::executor_rejected);
    CHECK(futon::delay(place, 1h).get_result().error() == errc::executor_rejected);
}

TEST_CASE("delay: real timers fire too, on I/O threads and for the pool") {
    futon::runtime threads;
    CHECK(futon::delay(threads.executor(), 1ms).get_result().has_value());
    CHECK(futon::delay(threads.pool(), 1ms).get_result().has_value());
}

TEST_CASE("async: runs the function where it is told and gives its result") {
    futon::runtime threads;
    const auto here = std::this_thread::get_id();
    CHECK(futon::async(threads.pool(), [] { return std::this_thread::get_id(); }).get() != here);
    CHECK(futon::async(threads.executor(), [&] { return futon::delay(1ms); }).get_result().has_value());
    CHECK(futon::async(nullptr, [] {}).get_result().error() == errc::no_executor);
}

}  // namespace
