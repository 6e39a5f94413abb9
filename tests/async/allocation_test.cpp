// SPDX-License-Identifier: Apache-2.0
#include <futon/async.hpp>

#include "support/small_stack.hpp"

#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <ranges>
#include <optional>
#include <utility>
#include <vector>

// Sanitizers have an operator new of their own, which finds more than this one counts.
#if !TESTS_INSTRUMENTED

namespace tests {
static std::atomic<long> allocations{0};
}  // namespace tests

// Counts for the whole executable; behaves as the one it replaces.
[[gnu::noinline]] void* operator new(std::size_t size) {
    tests::allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    tests::allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using futon::detail::intrusive_ptr;
using futon::detail::outcome;
using futon::testing::manual_executor;
using tests::allocations;

// How many allocations one round makes once the blocks are there to be used again.
template <class Round>
long steady(Round round) {
    for (int i = 0; i < 100; ++i) round();
    const long before = allocations.load();
    for (int i = 0; i < 100; ++i) round();
    return allocations.load() - before;
}

TEST_CASE("allocation: in a steady state futures, stages, combinators and callbacks allocate nothing") {
    manual_executor place;
    CHECK(steady([&] {
              futon::promise<int> p{place};
              auto f = p.get_future();
              p.set_value(1);
              CHECK(std::move(f).get() == 1);
          }) == 0);
    CHECK(steady([&] {
              auto f = futon::make_ready(place, 1)
                           .then([](int x) { return x; })
                           .then([](int x) { return futon::make_ready(x); })
                           .finally([] {});
              place.run_ready();
              CHECK(std::move(f).get() == 1);
          }) == 0);
    CHECK(steady([&] {
              auto f = futon::when_all(futon::make_ready(place, 1), futon::make_ready(place, 2))
                           .timeout(std::chrono::seconds{1});
              CHECK(f.is_ready());
          }) == 0);
    CHECK(steady([&] {
              futon::detail::initiate<int>(
                  place, [&](futon::result<int>) {}, [](intrusive_ptr<outcome<int>> ending) { ending->complete(1); });
              place.run_ready();
          }) == 0);
}

futon::task<int> child() { co_return 1; }
futon::task<int> parent(futon::executor_ref place) {
    auto f = futon::make_ready(place).then([] {});
    co_await std::move(f);
    co_return co_await child();
}

TEST_CASE("allocation: in a steady state a task allocates nothing, and neither does use_awaitable") {
    manual_executor place;
    CHECK(steady([&] {
              auto f = futon::spawn(place, parent(place));
              place.run_ready();
              CHECK(std::move(f).get() == 1);
          }) == 0);

    asio::io_context io;
    long made = -1;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            const auto start = [](intrusive_ptr<outcome<int>> ending) { ending->complete(1); };
            for (int i = 0; i < 200; ++i) {
                if (i == 100) made = -allocations.load();
                co_await futon::detail::initiate<int>(nullptr, futon::use_awaitable, start);
                static_cast<void>(co_await futon::detail::initiate<int>(nullptr, asio::use_awaitable, start));
            }
            made += allocations.load();
        },
        asio::detached);
    io.run();
    CHECK(made == 0);
}

TEST_CASE("allocation: in a steady state every combinator and member of a future allocates nothing") {
    manual_executor place;
    const auto ready = [&](int value) { return futon::make_ready(place, value); };
    const auto finish = [&](auto f) {
        place.run_ready();
        CHECK(f.is_ready());
        static_cast<void>(std::move(f).get_result());
    };
    CHECK(steady([&] { finish(futon::all_settled(ready(1), ready(2))); }) == 0);
    CHECK(steady([&] { finish(futon::first_success(ready(1), ready(2))); }) == 0);
    CHECK(steady([&] {
              finish(
                  futon::fallback(futon::make_failed<int>(place, futon::errc::unavailable), [&] { return ready(2); }));
          }) == 0);
    CHECK(steady([&] { finish(futon::retry(place, futon::exponential_backoff{}, [&] { return ready(1); })); }) == 0);
    CHECK(steady([&] {
              finish(futon::for_each_concurrent(place, std::views::iota(0, 100), 8, [&](int i) { return ready(i); }));
          }) == 0);
    CHECK(steady([&] {
              futon::call_group group{{.where = place}};
              for (int i = 0; i < 8; ++i) group.add(ready(i));
              finish(group.join());
          }) == 0);
    CHECK(steady([&] {
              finish(ready(1)
                         .tap([](const auto&) {})
                         .map_error([](const futon::error& why) { return why; })
                         .value_or(2)
                         .shield());
          }) == 0);
    CHECK(steady([&] { finish(ready(1).timeout(std::chrono::seconds{1}, 2)); }) == 0);
    CHECK(steady([&] { ready(1).ignore(); }) == 0);
    CHECK(steady([&] {
              const auto shared = ready(1).share();
              finish(shared.then([](const int& value) { return value; }));
          }) == 0);
    // Its array of attempts; a budget or a result is the user's.
    CHECK(steady([&] { finish(futon::hedge(place, {.idempotent = true}, [&] { return ready(1); })); }) == 100);
}

TEST_CASE("allocation: a map keeps as much as its limit, however many items there are") {
    manual_executor place;
    const long before = allocations.load();
    auto f = futon::for_each_concurrent(place, std::views::iota(0, 100'000), 64,
                                        [&](int i) { return futon::make_ready(place, i); });
    place.run_ready();
    CHECK(f.is_ready());
    std::move(f).get();
    CHECK(allocations.load() - before < 400);
}

TEST_CASE("allocation: with 64 under way a future is one block, and each stage one more") {
    manual_executor place;
    std::vector<futon::promise<int>> promises;
    std::vector<futon::future<int>> futures;
    promises.reserve(64);
    futures.reserve(64);
    const auto round = [&](int stages) {
        for (int i = 0; i < 64; ++i) {
            auto f = promises.emplace_back(place).get_future();
            for (int j = 0; j < stages; ++j) f = std::move(f).then([](int x) { return x; });
            futures.push_back(std::move(f));
        }
        for (auto& each : promises) each.set_value(1);
        place.run_ready();
        for (auto& each : futures) CHECK(std::move(each).get() == 1);
        promises.clear();
        futures.clear();
    };
    for (const int stages : {0, 1, 3}) CHECK(steady([&] { round(stages); }) == 0);
}

TEST_CASE("allocation: a fresh future is one block, and each stage one more") {
    manual_executor place;
    // More alive at once than are ever kept for reuse.
    constexpr long many = 5000;
    std::vector<futon::future<int>> kept;
    kept.reserve(many);
    long before = allocations.load();
    for (long i = 0; i < many; ++i) kept.push_back(futon::make_ready(place, 1));
    const long futures = allocations.load() - before;
    CHECK(futures <= many);
    CHECK(futures > many - 1000);

    before = allocations.load();
    for (auto& one : kept) one = std::move(one).then([place = &place](int x) { return x + (place ? 1 : 0); });
    const long stages = allocations.load() - before;
    CHECK(stages <= many);
    CHECK(stages > many - 1000);
    place.run_ready();
}

TEST_CASE("allocation: in a steady state a stream's items allocate nothing, and a send or a next is one block") {
    manual_executor place;
    auto [out, in] = futon::make_stream<int>(place, 4);
    CHECK(steady([&, &out = out, &in = in] {
              auto sent = out.send(1);
              CHECK(sent.is_ready());
              CHECK(*in.next().get() == 1);
              // In the other order, and with a stage.
              auto stage = in.next().then([](std::optional<int> item) { return *item; });
              CHECK(out.try_send(2).has_value());
              place.run_ready();
              CHECK(std::move(stage).get() == 2);
          }) == 0);

    // More alive at once than are ever kept for reuse.
    constexpr std::size_t many = 5000;
    auto [wide, rest] = futon::make_stream<int>(place, many);
    for (std::size_t i = 0; i < many; ++i) CHECK(wide.try_send(1).has_value());
    std::vector<futon::future<std::optional<int>>> items;
    std::vector<futon::future<void>> sends;
    items.reserve(many);
    sends.reserve(many);
    long before = allocations.load();
    for (std::size_t i = 0; i < many; ++i) items.push_back(rest.next());
    const long nexts = allocations.load() - before;
    before = allocations.load();
    for (std::size_t i = 0; i < many; ++i) sends.push_back(wide.send(1));
    const long sending = allocations.load() - before;
    CAPTURE(nexts);
    CAPTURE(sending);
    CHECK(nexts <= static_cast<long>(many));
    CHECK(sending <= static_cast<long>(many));
}

TEST_CASE("allocation: a recursion of futures uses its blocks again, however deep") {
    struct countdown {
        futon::executor_ref place;
        int* left;
        futon::future<int> operator()() const {
            if (--*left == 0) return futon::make_ready(place, 42);
            return futon::make_ready(place).then(countdown{*this});
        }
    };
    manual_executor place;
    int left = tests::deep;
    const long before = allocations.load();
    auto last = countdown{place, &left}();
    place.run_ready();
    CHECK(std::move(last).get() == 42);
    CHECK(allocations.load() - before < 100);
}

}  // namespace

#endif
