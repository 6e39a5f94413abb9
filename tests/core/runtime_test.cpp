// SPDX-License-Identifier: Apache-2.0
#include <futon/core/runtime.hpp>
#include <futon/core/runtime_state.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::make_ready;
using futon::runtime;

TEST_CASE("runtime: hands out its I/O threads in turn") {
    const runtime threads{{.io_threads = 3}};
    std::set<std::thread::id> seen;
    for (int i = 0; i < 6; ++i)
        seen.insert(make_ready(threads.executor()).then([] { return std::this_thread::get_id(); }).get());
    CHECK(seen.size() == 3);
    CHECK(threads.state()->io_thread_count() == 3);
}

TEST_CASE("runtime: what was queued when it ends still runs; timers end; nothing waits for ever") {
    std::vector<futon::future<int>> queued;
    futon::future<void> sleeping;
    futon::executor_ref kept;
    {
        const runtime threads;
        kept = threads.executor();
        sleeping = futon::delay(kept, 1h);
        for (int i = 0; i < 100; ++i) queued.push_back(make_ready(kept).then([i] { return i; }));
        for (int i = 0; i < 100; ++i) queued.push_back(make_ready(threads.pool()).then([i] { return i; }));
    }
    for (auto& one : queued) CHECK(std::move(one).get_result().has_value());
    CHECK(std::move(sleeping).get_result().error() == errc::executor_rejected);
    CHECK(make_ready(kept).then([] {}).get_result().error() == errc::executor_rejected);
}

// Three I/O threads and the pool.
std::vector<futon::executor_ref> places_of(const runtime& threads) {
    return {threads.executor(), threads.executor(), threads.executor(), threads.pool()};
}

TEST_CASE("runtime: what hops from thread to thread when it ends still arrives, each time where it should") {
    constexpr int walks = 100;
    constexpr int hops = 40;
    std::atomic<int> arrived{0};
    std::atomic<int> elsewhere{0};
    std::atomic<int> rejected{0};
    for (int round = 0; round < 10; ++round) {
        const runtime threads{{.io_threads = 3, .on_unhandled_error = [&](const futon::error&) { ++rejected; }}};
        const auto places = places_of(threads);
        for (std::size_t i = 0; i < walks; ++i) {
            auto walk = make_ready(places[i % 4]).then([] { return 0; });
            for (std::size_t hop = 1; hop <= hops; ++hop) {
                const auto next = places[(i + hop) % 4];
                walk = std::move(walk).on(next).then([&elsewhere, place = next.get()](int n) {
                    if (futon::current_executor().get() != place) ++elsewhere;
                    return n + 1;
                });
            }
            std::move(walk).on_complete([&](futon::result<int> got) { (got && *got == hops ? arrived : rejected)++; });
        }
    }
    CHECK(arrived == 10 * walks);
    CHECK(elsewhere == 0);
    CHECK(rejected == 0);
}

TEST_CASE("runtime: a timer that ends with it is told where its continuation belongs") {
    std::atomic<int> told{0};
    std::atomic<int> otherwise{0};
    for (int round = 0; round < 50; ++round) {
        const runtime threads{{.io_threads = 3, .on_unhandled_error = [&](const futon::error&) { ++otherwise; }}};
        const auto places = places_of(threads);
        for (const auto& from : places) {
            for (const auto& to : places) {
                futon::delay(from, 1h).on_complete(to, [&, place = to.get()](const futon::result<void>& got) {
                    const bool there = futon::current_executor().get() == place;
                    (there && !got && got.error() == errc::executor_rejected ? told : otherwise)++;
                });
            }
        }
    }
    CHECK(told == 50 * 16);
    CHECK(otherwise == 0);
}

TEST_CASE("runtime: ends although its code queues itself again and again, on an I/O thread or on the pool") {
    struct endless final : futon::detail::work {
        explicit endless(futon::executor_ref where) : at{std::move(where)} {}
        void run(bool accepted) noexcept override {
            if (!accepted || !at->post(*this)) ended.set_value();
        }
        futon::executor_ref at;
        std::promise<void> ended;
    };
    for (const bool on_pool : {false, true}) {
        CAPTURE(on_pool);
        auto threads = std::make_unique<runtime>();
        endless loop{on_pool ? threads->pool() : threads->executor()};
        REQUIRE(loop.at->post(loop));
        threads = nullptr;
        loop.ended.get_future().wait();
    }
}

TEST_CASE("runtime: a thread whose context was stopped by somebody goes on") {
    const runtime threads;
    const auto place = threads.executor();
    for (int i = 0; i < 100; ++i) {
        static_cast<asio::io_context*>(static_cast<asio::execution_context*>(place->asio_context()))->stop();
        CHECK(make_ready(place).then([i] { return i; }).get() == i);
    }
}

TEST_CASE("runtime: its last copy may be dropped on one of its own threads, I/O or pool") {
    for (const bool on_pool : {false, true}) {
        CAPTURE(on_pool);
        std::promise<void> dropped;
        {
            auto threads = std::make_unique<runtime>();
            const auto place = on_pool ? threads->pool() : threads->executor();
            std::promise<void> owned;
            auto ready = std::make_shared<std::shared_future<void>>(owned.get_future().share());
            make_ready(place).on_complete([last = *threads, ready, &dropped](auto) mutable {
                ready->wait();
                { const auto gone = std::move(last); }
                dropped.set_value();
            });
            threads = nullptr;
            owned.set_value();
        }
        dropped.get_future().wait();
    }
}

TEST_CASE("runtime: on a lent context each place is a strand of it, and its threads are the user's") {
    asio::io_context lent;
    runtime borrowed{lent};
    const auto first = borrowed.executor();
    CHECK(first != borrowed.executor());
    CHECK(borrowed.state()->is_lent());
    std::thread::id seen;
    make_ready(first).on_complete([&](auto) { seen = std::this_thread::get_id(); });
    lent.run();
    CHECK(seen == std::this_thread::get_id());
}

TEST_CASE("runtime: unseen failures and reports go where its options say") {
    std::promise<std::string> seen;
    const runtime threads{{.on_unhandled_error = [&](const futon::error& why) { seen.set_value(why.message()); }}};
    {
        static_cast<void>(
            futon::make_failed<int>(threads.executor(), futon::error{errc::unavailable, "nobody looked"}));
    }
    CHECK(seen.get_future().get() == "nobody looked");
}

TEST_CASE("runtime: an exception out of a bare handler is reported, and the thread goes on") {
    std::promise<std::string> seen;
    const runtime threads{{.log = [&](const futon::log_record& record) { seen.set_value(std::string{record.text}); }}};
    const auto place = threads.state()->next_place();
    asio::post(place.asio, [] { throw std::runtime_error{"bare"}; });
    CHECK(seen.get_future().get() == "bare");
    CHECK(make_ready(place.where).then([] { return 1; }).get() == 1);
}

}  // namespace
