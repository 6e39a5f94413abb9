// SPDX-License-Identifier: Apache-2.0
#include <futon/async/map_concurrent.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::for_each_concurrent;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::map_concurrent;
using futon::map_settled;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;

std::vector<int> numbers(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

TEST_CASE(
    "map_concurrent: as many as the limit are under way, the order is kept, and each item is taken when there is room") {
    constexpr int count = tests::is_instrumented ? 10'000 : 100'000;
    constexpr int limit = 64;
    manual_executor place;
    int taken = 0;
    int under_way = 0;
    int peak = 0;
    auto items = std::views::iota(0, count) | std::views::transform([&](int i) {
                     ++taken;
                     return i;
                 });
    auto f = map_concurrent(place, items, limit, [&](int i) {
        peak = std::max(peak, ++under_way);
        CHECK(taken - i <= 1);
        // Later ones answer earlier.
        return futon::delay(place, std::chrono::microseconds{limit - i % limit}).then([&, i] {
            --under_way;
            return i * 2;
        });
    });
    CHECK(taken == limit);
    place.advance(1h);
    REQUIRE(f.is_ready());
    const auto got = std::move(f).get();
    CHECK(peak == limit);
    REQUIRE(got.size() == count);
    for (int i = 0; i < count; ++i) REQUIRE(got[static_cast<std::size_t>(i)] == i * 2);
}

TEST_CASE("map_concurrent: the first failure cancels what is under way before its stage runs, and no more is taken") {
    manual_executor place;
    std::vector<promise<int>> calls;
    auto f = map_concurrent(place, numbers(100), 3, [&](int) { return calls.emplace_back(place).get_future(); });
    calls[1].set_value(1);
    place.run_ready();
    REQUIRE(calls.size() == 4);
    bool cancelled_before = false;
    auto seen = std::move(f).recover([&](const futon::error&) {
        cancelled_before = calls[0].cancel_requested() && calls[3].cancel_requested();
        return std::vector<int>{};
    });
    calls[2].set_error(errc::unavailable);
    place.run_ready();
    CHECK(seen.is_ready());
    CHECK(cancelled_before);
    CHECK(calls.size() == 4);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("map_settled: goes on after failures and holds every result in order") {
    manual_executor place;
    auto f = map_settled(place, numbers(5), 2, [&](int i) {
        return i % 2 ? make_failed<int>(place, errc::unavailable) : make_ready(place, i);
    });
    place.run_ready();
    const auto got = std::move(f).get();
    REQUIRE(got.size() == 5);
    for (int i = 0; i < 5; ++i) CHECK(got[static_cast<std::size_t>(i)].has_value() == (i % 2 == 0));
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("for_each_concurrent: runs for every item, whatever that yields, and fails with the first failure") {
    manual_executor place;
    int sum = 0;
    auto f = for_each_concurrent(place, numbers(10), 4, [&](int i) {
        sum += i;
        return std::make_unique<int>(i);
    });
    auto g = for_each_concurrent(place, numbers(10), 4, [](int i) -> result<void> {
        if (i == 5) return errc::unavailable;
        return {};
    });
    place.run_ready();
    std::move(f).get();
    CHECK(sum == 45);
    CHECK(std::move(g).get_result().error() == errc::unavailable);
}

TEST_CASE("map_concurrent: takes what stages may return, move-only values, nothing, and coroutines") {
    manual_executor place;
    auto owners = map_concurrent(place, numbers(3), 2, [](int i) { return std::make_unique<int>(i); });
    future<void> nothing = map_concurrent(place, numbers(3), 2, [](int) {});
    auto coroutines =
        map_concurrent(place, numbers(3), 2, [&place, big = std::string(100, 'x')](int i) -> futon::task<std::size_t> {
            auto pause = futon::delay(place, 1ms);
            co_await std::move(pause);
            co_return big.size() + static_cast<std::size_t>(i);
        });
    place.advance(1s);
    CHECK(*std::move(owners).get()[2] == 2);
    std::move(nothing).get();
    CHECK(std::move(coroutines).get() == std::vector<std::size_t>{100, 101, 102});
}

TEST_CASE("map_concurrent: of none is empty at once, a limit of none is one, and a view is not copied") {
    manual_executor place;
    CHECK(map_concurrent(place, std::vector<int>{}, 4, [](int i) { return i; }).get().empty());
    int calls = 0;
    promise<int> first{place};
    auto f = map_concurrent(place, numbers(2), 0, [&](int) {
        ++calls;
        return calls == 1 ? first.get_future() : make_ready(place, 2);
    });
    CHECK(calls == 1);
    first.set_value(1);
    place.run_ready();
    CHECK(std::move(f).get() == std::vector<int>{1, 2});
    auto all = numbers(3);
    auto g = map_concurrent(place, std::span{all}, 1, [](int& i) { return ++i; });
    place.run_ready();
    CHECK(std::move(g).get() == std::vector<int>{1, 2, 3});
    CHECK(all == std::vector<int>{1, 2, 3});
}

TEST_CASE("map_concurrent: what the range or the callable throws is the result") {
    manual_executor place;
    auto bad_items = std::views::iota(0, 10) | std::views::transform([](int i) {
                         if (i == 3) throw std::out_of_range{"item"};
                         return i;
                     });
    auto f = map_concurrent(place, bad_items, 2, [](int i) { return i; });
    auto g = map_concurrent(place, numbers(5), 2, [](int i) -> int {
        if (i == 3) throw std::length_error{"call"};
        return i;
    });
    place.run_ready();
    CHECK_THROWS_AS(std::move(f).get(), std::out_of_range);
    CHECK_THROWS_AS(std::move(g).get(), std::length_error);
}

TEST_CASE("map_concurrent: cancelled, it cancels what is under way and takes no more") {
    manual_executor place;
    std::vector<promise<int>> calls;
    auto f = map_concurrent(place, numbers(100), 3, [&](int) {
                 return calls.emplace_back(place).get_future();
             }).then([](const auto&) {});
    f.cancel();
    for (auto& each : calls) CHECK(each.cancel_requested());
    place.run_ready();
    CHECK(calls.size() == 3);
    CHECK(std::move(f).get_result().error() == errc::cancelled);
    // Between two items, with nothing under way.
    int taken = 0;
    auto g = map_concurrent(place, numbers(100), 1, [&](int i) {
        ++taken;
        return i;
    });
    g.cancel();
    place.run_ready();
    CHECK(taken == 1);
    CHECK(std::move(g).get_result().error() == errc::cancelled);
}

TEST_CASE("map_concurrent: on a thread of the user's it goes on where the first future lives, else says so") {
    manual_executor place;
    auto f = map_concurrent(numbers(5), 2, [&](int i) { return make_ready(place, i); });
    CHECK(f.executor() == place.ref());
    place.run_ready();
    CHECK(std::move(f).get().size() == 5);
    CHECK(map_concurrent(numbers(5), 2, [](int i) { return i; }).get_result().error() == errc::no_executor);
    CHECK(map_concurrent(numbers(2), 3, [](int i) { return i; }).get().size() == 2);
    auto closed = std::make_unique<manual_executor>();
    promise<int> last{nullptr};
    auto g = map_concurrent(*closed, numbers(2), 1, [&](int) { return last.get_future(); });
    closed = nullptr;
    last.set_value(1);
    CHECK(std::move(g).get_result().error() == errc::executor_rejected);
}

TEST_CASE(
    "map_concurrent: callable, range and context go when the last call has ended, also while its result is kept") {
    manual_executor place;
    const auto request = futon::detail::make_intrusive<futon::context>();
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> alive = owned;
    std::vector<promise<void>> gates;
    for (int i = 0; i < 2; ++i) gates.emplace_back(place);
    std::vector<futon::context*> seen;
    future<std::vector<int>> f;
    {
        const futon::detail::context_scope scope{request.get()};
        auto body = [&, owned = std::move(owned)](int i) -> futon::task<int> {
            seen.push_back(futon::current_context().get());
            auto gate = gates[static_cast<std::size_t>(i)].get_future().shield();
            auto got = co_await futon::no_throw(std::move(gate));
            if (!got && i == 0) co_return errc::unavailable;
            co_return *owned;
        };
        f = map_concurrent(place, numbers(2), 2, std::move(body));
    }
    place.run_ready();
    gates[0].set_error(errc::unavailable);
    place.run_ready();
    CHECK(f.is_ready());
    CHECK(seen == std::vector<futon::context*>(2, request.get()));
    CHECK(alive.expired());
    CHECK(request->unique());
    CHECK(std::move(f).get_result().error() == errc::unavailable);
}

TEST_CASE("map_concurrent: a million answers that are there at once take no stack, and neither do maps of maps") {
    tests::on_small_stack([] {
        manual_executor place;
        auto f =
            for_each_concurrent(place, std::views::iota(0, tests::deep), 3, [&](int) { return make_ready(place); });
        place.run_ready();
        REQUIRE(f.is_ready());
        std::move(f).get();
    });
    for (const bool cancel : {false, true}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<void> p{place};
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i)
                nested = for_each_concurrent(place, std::views::single(0), 1,
                                             [inner = std::move(nested)](int) mutable { return std::move(inner); });
            cancel ? nested.cancel() : p.set_value();
            place.run_ready();
            CHECK(std::move(nested).get_result().has_value() == !cancel);
        });
    }
}

TEST_CASE("map_concurrent: answers from several threads, a failure and a cancel that race leave one ending") {
    futon::runtime threads{{.io_threads = 2}};
    const auto here = threads.executor();
    const auto there = threads.executor();
    const int rounds = tests::is_instrumented ? 200 : 2000;
    for (int round = 0; round < rounds; ++round) {
        std::atomic<int> under_way{0};
        std::atomic<int> most{0};
        auto f = map_concurrent(here, std::views::iota(0, 40), 7, [&, round](int i) {
            const int now = ++under_way;
            if (now > most) most = now;
            return futon::async(i % 2 ? here : there, [&, round, i]() -> result<int> {
                --under_way;
                if (round % 3 == 1 && i == 20) return errc::unavailable;
                return i;
            });
        });
        if (round % 3 == 2) f.cancel();
        const auto got = std::move(f).get_result();
        if (got) {
            REQUIRE(*got == numbers(40));
        } else {
            REQUIRE((got.error() == errc::cancelled || got.error() == errc::unavailable));
        }
        REQUIRE(most <= 7);
        // What was under way when it was cancelled still looks at the counters.
        futon::async(here, [] {}).get();
        futon::async(there, [] {}).get();
    }
}

TEST_CASE("map_concurrent: without an executor it needs none where all items are under way already") {
    const auto twice = [](int i) { return 2 * i; };
    CHECK(map_concurrent(futon::executor_ref{}, numbers(3), 3, twice).get() ==
          std::vector<int>{2 * numbers(3)[0], 2 * numbers(3)[1], 2 * numbers(3)[2]});
    CHECK(map_concurrent(futon::executor_ref{}, numbers(3), 2, twice).get_result().error() == errc::no_executor);
}

TEST_CASE(
    "map_concurrent: an item that its range makes as it goes lives until the coroutine has ended that looks at it") {
    manual_executor place;
    promise<int> gate{place};
    auto opened = gate.get_future();
    const auto words = std::views::iota(0, 3) | std::views::transform([](int i) { return std::make_shared<int>(i); });
    std::weak_ptr<int> seen;
    auto f = map_concurrent(place, words, 1, [&](const std::shared_ptr<int>& item) -> futon::task<int> {
        seen = item;
        if (opened.valid()) co_await std::move(opened);
        co_return *item;
    });
    place.run_ready();
    CHECK(seen.use_count() == 1);
    gate.set_value(0);
    place.run_ready();
    CHECK(std::move(f).get() == std::vector<int>{0, 1, 2});
    CHECK(seen.expired());
}

}  // namespace
