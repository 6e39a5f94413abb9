// SPDX-License-Identifier: Apache-2.0
#include <futon/async/stream.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_stream.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/async/when_any.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Enough to overflow the small stack, in less time.
constexpr int many = tests::deep / 5;

using futon::errc;
using futon::future;
using futon::make_stream;
using futon::promise;
using futon::stream;
using futon::testing::manual_executor;

// Sends what must find room.
template <class Sink, class T>
void put(Sink& out, T item) {
    auto sent = out.send(std::move(item));
    REQUIRE(sent.is_ready());
    CHECK(std::move(sent).get_result().has_value());
}

// 0, 1, 2..., all queued, and closed.
stream<int> counting(const manual_executor& place, int count) {
    auto [out, in] = make_stream<int>(place, static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        if (!out.try_send(i)) FAIL("no room");
    }
    out.close();
    return std::move(in);
}

TEST_CASE("stream: a consumer that waits is woken on its executor, never inside send") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    int seen = 0;
    auto stage = in.next().then([&](std::optional<int> item) { seen = *item; });
    put(out, 7);
    CHECK(seen == 0);
    place.run_ready();
    CHECK(seen == 7);
    // The same for an item that is there already.
    put(out, 8);
    auto ready = in.next().then([&](std::optional<int> item) { seen = *item; });
    CHECK(seen == 7);
    place.run_ready();
    CHECK(seen == 8);
}

TEST_CASE("stream: several waits get the items in their own order, and then the end") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    auto first = in.next();
    auto second = in.next();
    auto third = in.next();
    put(out, 1);
    put(out, 2);
    out.close();
    CHECK(*std::move(first).get() == 1);
    CHECK(*std::move(second).get() == 2);
    CHECK_FALSE(std::move(third).get().has_value());
}

TEST_CASE("stream: items that were queued before an error come before it, and the error stays") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 1);
    put(out, 1);
    auto waiting = out.send(2);
    out.fail({errc::unavailable, "gone"});
    CHECK(*in.next().get() == 1);
    CHECK(*in.next().get() == 2);
    CHECK(std::move(waiting).get_result().has_value());
    CHECK(in.next().get_result().error() == errc::unavailable);
    CHECK(in.next().get_result().error().message() == "gone");
    CHECK(in.result().get_result().error() == errc::unavailable);
}

TEST_CASE("stream: a cancelled or timed out wait loses no item") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    for (int i = 0; i < 3; ++i) {
        auto late = in.next().timeout(1ms);
        place.advance(1ms);
        CHECK(std::move(late).get_result().error() == errc::deadline_exceeded);
    }
    auto given_up = in.next();
    given_up.cancel();
    auto waits = in.next();
    put(out, 1);
    CHECK(std::move(given_up).get_result().error() == errc::cancelled);
    CHECK(*std::move(waits).get() == 1);
}

TEST_CASE("stream: of two streams the one that has nothing loses nothing") {
    manual_executor place;
    auto a = make_stream<int>(place, 4);
    auto b = make_stream<int>(place, 4);
    put(a.out, 1);
    auto either = futon::when_any(a.in.next(), b.in.next());
    CHECK(**std::move(either).get().outcome == 1);
    put(b.out, 2);
    CHECK(*b.in.next().get() == 2);
}

TEST_CASE("stream: cancel drops what is queued at once, tells the producer, and stays") {
    manual_executor place;
    auto [out, in] = make_stream<std::shared_ptr<int>>(place, 1);
    const auto item = std::make_shared<int>(1);
    put(out, item);
    auto waiting = out.send(item);
    CHECK(item.use_count() == 3);
    const auto token = out.stop_token();
    in.cancel();
    CHECK(item.use_count() == 1);
    CHECK(token.stop_requested());
    CHECK(out.is_cancelled());
    const auto why = std::move(waiting).get_result().error();
    CHECK(why == errc::cancelled);
    CHECK(why.ran() == futon::executed::no);
    CHECK(out.send(item).get_result().error() == errc::cancelled);
    CHECK(out.try_send(item).error() == errc::cancelled);
    CHECK(in.next().get_result().error() == errc::cancelled);
    CHECK(in.result().get_result().error() == errc::cancelled);
}

TEST_CASE("stream: dropping it cancels, and so does its handle from elsewhere") {
    manual_executor place;
    auto dropped = make_stream<int>(place, 1);
    auto waits = dropped.in.next();
    dropped.in = {};
    CHECK(dropped.out.is_cancelled());
    CHECK(std::move(waits).get_result().error() == errc::cancelled);

    auto handled = make_stream<int>(place, 1);
    const auto handle = handled.in.get_cancel_handle();
    auto done = std::move(handled.in).map([](int i) { return i; }).for_each([](int) {});
    handle.cancel();
    place.run_ready();
    CHECK(handled.out.is_cancelled());
    CHECK(std::move(done).get_result().error() == errc::cancelled);
}

TEST_CASE("stream: cancelling after the end was read changes nothing") {
    manual_executor place;
    auto [out, in] = make_stream<int, int>(place, 1);
    out.close(5);
    CHECK_FALSE(in.next().get().has_value());
    in.cancel();
    CHECK_FALSE(out.is_cancelled());
    CHECK(in.result().get() == 5);
}

TEST_CASE("stream: the result comes after the items, or instead of them") {
    manual_executor place;
    auto kept = make_stream<int, std::unique_ptr<int>>(place, 4);
    put(kept.out, 1);
    kept.out.close(std::make_unique<int>(9));
    auto last = kept.in.result();
    CHECK_FALSE(last.is_ready());
    CHECK(kept.in.result().get_result().error() == errc::already_satisfied);
    CHECK(*kept.in.next().get() == 1);
    CHECK(*std::move(last).get() == 9);

    auto skipped = make_stream<std::shared_ptr<int>, int>(place, 1);
    const auto item = std::make_shared<int>(1);
    put(skipped.out, item);
    auto waiting = skipped.out.send(item);
    auto only = std::move(skipped.in).result();
    CHECK(std::move(waiting).get_result().has_value());
    for (int i = 0; i < 3; ++i) put(skipped.out, item);
    CHECK(item.use_count() == 1);
    CHECK_FALSE(only.is_ready());
    skipped.out.close(3);
    CHECK(std::move(only).get() == 3);
}

TEST_CASE("stream: cancelling the result that was asked for instead of the items cancels the stream") {
    manual_executor place;
    auto [out, in] = make_stream<int, int>(place, 1);
    auto only = std::move(in).result();
    only.cancel();
    CHECK(out.is_cancelled());
    CHECK(std::move(only).get_result().error() == errc::cancelled);
}

TEST_CASE("stream: take ends it, and cancels the producer with the last item") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 8);
    for (int i = 0; i < 5; ++i) put(out, i);
    auto some = std::move(in).take(2);
    CHECK(*some.next().get() == 0);
    CHECK_FALSE(out.is_cancelled());
    CHECK(*some.next().get() == 1);
    CHECK(out.is_cancelled());
    CHECK_FALSE(some.next().get().has_value());
    CHECK(some.result().get_result().has_value());

    auto [unused, none] = make_stream<int, int>(place, 8);
    auto nothing = std::move(none).take(0);
    CHECK(unused.is_cancelled());
    CHECK_FALSE(nothing.next().get().has_value());
    CHECK(nothing.result().get_result().error() == errc::cancelled);
}

TEST_CASE("stream: map keeps the order, and unwraps what its callable returns") {
    manual_executor place;
    const auto all = [&](auto mapped) {
        auto got = std::move(mapped).collect(10);
        place.run_ready();
        return std::move(got).get();
    };
    CHECK(all(counting(place, 3).map([](int i) { return std::to_string(i); })) ==
          std::vector<std::string>{"0", "1", "2"});
    CHECK(all(counting(place, 3).map([](int i) { return futon::result<int>{i + 1}; })) == std::vector{1, 2, 3});
    CHECK(all(counting(place, 3).map([&](int i) { return futon::make_ready(place, i + 1); })) == std::vector{1, 2, 3});
    CHECK(all(counting(place, 3).map([add = 1](int i) -> futon::task<int> { co_return i + add; })) ==
          std::vector{1, 2, 3});
    CHECK(all(counting(place, 9).map([](int i) { return 2 * i; }).map([](int i) { return i + 1; }).take(3)) ==
          std::vector{1, 3, 5});
}

TEST_CASE("stream: a failing map fails its item and all later ones, and cancels the producer") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    put(out, 1);
    put(out, 2);
    auto mapped = std::move(in).map([](int) -> int { throw std::runtime_error{"broken"}; });
    auto first = mapped.next();
    place.run_ready();
    CHECK_THROWS_AS(std::move(first).get(), std::runtime_error);
    CHECK(out.is_cancelled());
    auto second = mapped.next();
    place.run_ready();
    CHECK_THROWS_AS(std::move(second).get(), std::runtime_error);
}

TEST_CASE("stream: collect fails past its bound and cancels the producer") {
    manual_executor place;
    CHECK(counting(place, 3).collect(3).get() == std::vector{0, 1, 2});
    auto [out, in] = make_stream<int>(place, 4);
    for (int i = 0; i < 3; ++i) put(out, i);
    auto all = std::move(in).collect(2);
    CHECK(std::move(all).get_result().error() == errc::resource_exhausted);
    CHECK(out.is_cancelled());

    auto waits = make_stream<int>(place, 4);
    auto rest = std::move(waits.in).collect(2);
    rest.cancel();
    CHECK(std::move(rest).get_result().error() == errc::cancelled);
    CHECK(waits.out.is_cancelled());
}

TEST_CASE("stream: for_each calls in order and at most so many at once") {
    manual_executor place;
    std::vector<promise<void>> calls;
    std::vector<int> seen;
    auto done = counting(place, 6).for_each(2, [&](int i) {
        seen.push_back(i);
        return calls.emplace_back(place).get_future();
    });
    place.run_ready();
    CHECK(seen == std::vector{0, 1});
    calls[1].set_value();
    place.run_ready();
    CHECK(seen == std::vector{0, 1, 2});
    for (const std::size_t next : {0U, 2U, 3U, 4U}) {
        calls[next].set_value();
        place.run_ready();
    }
    CHECK(seen == std::vector{0, 1, 2, 3, 4, 5});
    CHECK_FALSE(done.is_ready());
    calls[5].set_value();
    CHECK(std::move(done).get_result().has_value());
}

TEST_CASE("stream: for_each passes the final result on and lets go of its callable before") {
    manual_executor place;
    auto [out, in] = make_stream<int, std::string>(place, 4);
    const auto held = std::make_shared<int>();
    auto done = std::move(in).for_each([held](int) -> futon::task<void> { co_return; });
    put(out, 1);
    out.close("report");
    place.run_ready();
    CHECK(done.is_ready());
    CHECK(held.use_count() == 1);
    CHECK(std::move(done).get() == "report");
}

TEST_CASE("stream: the first failure in for_each cancels the stream and the other calls") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    std::vector<promise<void>> calls;
    auto done = std::move(in).for_each(3, [&](int) { return calls.emplace_back(place).get_future(); });
    for (int i = 0; i < 3; ++i) put(out, i);
    place.run_ready();
    REQUIRE(calls.size() == 3);
    calls[1].set_error({errc::unavailable});
    CHECK(done.is_ready());
    CHECK(calls[0].cancel_requested());
    CHECK(calls[2].cancel_requested());
    CHECK(out.is_cancelled());
    place.run_ready();
    CHECK(std::move(done).get_result().error() == errc::unavailable);

    auto thrown = counting(place, 3).for_each([](int) { throw std::runtime_error{"broken"}; });
    auto returned = counting(place, 3).for_each([](int) { return futon::result<void>{errc::overloaded}; });
    place.run_ready();
    CHECK_THROWS_AS(std::move(thrown).get(), std::runtime_error);
    CHECK(std::move(returned).get_result().error() == errc::overloaded);
}

TEST_CASE("stream: cancelling for_each reaches the producer and what was begun") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    promise<void> call{place};
    auto done = std::move(in).for_each(2, [&](int) { return call.get_future(); });
    put(out, 1);
    place.run_ready();
    done.cancel();
    CHECK(out.is_cancelled());
    CHECK(call.cancel_requested());
    place.run_ready();
    CHECK(std::move(done).get_result().error() == errc::cancelled);
}

TEST_CASE("stream: where the executor refuses, a loop fails and cancels the producer") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    auto done = std::move(in).for_each([](int) {});
    place.close();
    put(out, 1);
    CHECK(std::move(done).get_result().error() == errc::executor_rejected);
    CHECK(out.is_cancelled());

    auto [other, nowhere] = make_stream<int>(nullptr, 4);
    put(other, 1);
    CHECK(std::move(nowhere).for_each([](int) {}).get_result().error() == errc::no_executor);
}

TEST_CASE("stream: an empty one answers no_state") {
    stream<int> none;
    CHECK_FALSE(none.valid());
    CHECK(none.next().get_result().error() == errc::no_state);
    CHECK(none.result().get_result().error() == errc::no_state);
    CHECK(stream<int>{}.collect(1).get_result().error() == errc::no_state);
    CHECK(stream<int>{}.for_each([](int) {}).get_result().error() == errc::no_state);
    CHECK(stream<int>{}.map([](int i) { return i; }).next().get_result().error() == errc::no_state);
}

futon::task<long> add_up(stream<int> in) {
    long sum = 0;
    while (auto item = co_await in.next()) sum += *item;
    co_return sum;
}

TEST_CASE("stream: a task awaits one item after another, and cancelling it cancels the stream") {
    manual_executor place;
    auto sum = futon::spawn(place, add_up(counting(place, 100)));
    place.run_ready();
    CHECK(std::move(sum).get() == 4950);

    auto [out, in] = make_stream<int>(place, 4);
    auto waits = futon::spawn(place, add_up(std::move(in)));
    place.run_ready();
    waits.cancel();
    place.run_ready();
    CHECK(std::move(waits).get_result().error() == errc::cancelled);
    CHECK(out.is_cancelled());
}

TEST_CASE("stream: a million items take no stack, in each kind of loop") {
    tests::on_small_stack([] {
        manual_executor place;
        long sum = 0;
        const long expected = static_cast<long>(tests::deep) * (tests::deep - 1) / 2;
        auto each = counting(place, tests::deep).for_each([&](int i) { sum += i; });
        place.run_ready();
        CHECK(std::move(each).get_result().has_value());
        CHECK(sum == expected);

        sum = 0;
        auto async = counting(place, many).for_each(4, [&](int i) {
            sum += i;
            return futon::make_ready(place).then([] {});
        });
        place.run_ready();
        CHECK(std::move(async).get_result().has_value());
        CHECK(sum == static_cast<long>(many) * (many - 1) / 2);

        auto mapped = counting(place, many).map([](int i) { return i; }).map([](int i) { return i; }).collect(many);
        place.run_ready();
        CHECK(std::move(mapped).get().back() == many - 1);

        CHECK(counting(place, many).collect(many).get().size() == static_cast<std::size_t>(many));

        auto awaited = futon::spawn(place, add_up(counting(place, many)));
        place.run_ready();
        CHECK(std::move(awaited).get_result().has_value());
    });
}

TEST_CASE("stream: many items that come while a loop waits take no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        auto [out, in] = make_stream<int>(place, 0);
        auto all = std::move(in).map([](int i) { return i; }).collect(many);
        for (int i = 0; i < many; ++i) {
            if (!out.try_send(i)) FAIL("nobody waits");
            place.run_ready();
        }
        out.close();
        place.run_ready();
        CHECK(std::move(all).get().size() == static_cast<std::size_t>(many));
    });
}

TEST_CASE("stream: many waits and sends end without stack, by cancel and by drop") {
    tests::on_small_stack([] {
        manual_executor place;
        int refused = 0;
        {
            auto [out, in] = make_stream<int>(place, 0);
            for (int i = 0; i < many; ++i) out.send(i).on_complete([&](futon::result<void> sent) { refused += !sent; });
            in.cancel();
        }
        place.run_ready();
        CHECK(refused == many);

        int ended = 0;
        {
            auto [out, in] = make_stream<int>(place, 0);
            for (int i = 0; i < many; ++i) {
                in.next().on_complete(
                    [&](futon::result<std::optional<int>> item) { ended += item.error() == errc::broken_promise; });
            }
            out = {};
            place.run_ready();
        }
        CHECK(ended == many);
        auto dropped = counting(place, many);
    });
}

TEST_CASE("stream: a map that fails on the very last item fails all later waits and the result") {
    manual_executor place;
    auto [out, in] = make_stream<int, int>(place, 4);
    put(out, 1);
    put(out, 2);
    out.close(3);
    auto mapped =
        std::move(in).map([](int i) { return i == 2 ? futon::result<int>{errc::internal} : futon::result<int>{i}; });
    auto first = mapped.next();
    auto second = mapped.next();
    auto asked_before = mapped.next();
    place.run_ready();
    CHECK(*std::move(first).get() == 1);
    CHECK(std::move(second).get_result().error() == errc::internal);
    CHECK(std::move(asked_before).get_result().error() == errc::internal);
    CHECK(mapped.next().get_result().error() == errc::internal);
    CHECK(mapped.result().get_result().error() == errc::internal);
}

TEST_CASE("stream: an item lives until the coroutine has ended that looks at it, in loops and in maps") {
    manual_executor place;
    promise<void> gate{place};
    auto opened = gate.get_future();
    auto [out, in] = make_stream<std::shared_ptr<int>>(place, 4);
    auto sent = std::make_shared<int>(4);
    const std::weak_ptr<int> seen = sent;
    CHECK(out.try_send(std::move(sent)));
    out.close();
    int sum = 0;
    auto ends = std::move(in)
                    .map([&](const std::shared_ptr<int>& item) -> futon::task<std::shared_ptr<int>> {
                        co_await std::move(opened);
                        co_return item;
                    })
                    .for_each([&](const std::shared_ptr<int>& item) -> futon::task<void> {
                        co_await futon::make_ready(place.ref());
                        sum += *item;
                    });
    place.run_ready();
    CHECK_FALSE(seen.expired());
    gate.set_value();
    place.run_ready();
    CHECK(std::move(ends).get_result());
    CHECK(sum == 4);
    CHECK(seen.expired());
}

TEST_CASE("stream: a result that was given up can be asked for again, before the end and after it") {
    manual_executor place;
    for (const bool ended : {false, true}) {
        auto [out, in] = make_stream<int, std::unique_ptr<int>>(place, 4);
        auto late = in.result().timeout(1ms);
        place.advance(2ms);
        CHECK(std::move(late).get_result().error() == errc::deadline_exceeded);
        if (ended) out.close(std::make_unique<int>(4));
        auto again = in.result();
        if (!ended) out.close(std::make_unique<int>(4));
        CHECK(*std::move(again).get() == 4);
    }
}

TEST_CASE("stream: blocking for a loop looks at what its callable began") {
    manual_executor loops;
    manual_executor never;
    futon::runtime threads{{.io_threads = 1}};
    auto [out, in] = make_stream<int>(threads.executor(), 4);
    promise<void> begun{loops};
    auto has_begun = begun.get_future();
    promise<void> gate{never};
    auto f = std::move(in).for_each([&](int) {
        begun.set_value();
        return gate.get_future();
    });
    put(out, 1);
    {
        const futon::blocking_allowed test_waits_for_threads;
        has_begun.wait();
        futon::async(threads.executor(), [] {}).get();
    }
    CHECK(std::move(f).get_result().error() == errc::would_deadlock);
}

}  // namespace
