// SPDX-License-Identifier: Apache-2.0
#include <futon/async/awaitable.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/sync_wait.hpp>
#include <futon/async/task.hpp>
#include <futon/async/token.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::future;
using futon::spawn;

struct no_default {
    explicit no_default(int number) : value{number} {}
    int value;
};

asio::awaitable<no_default> sleeps(std::chrono::milliseconds time) {
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
    co_return no_default{static_cast<int>(time.count())};
}
asio::awaitable<void> throws() {
    co_await sleeps(1ms);
    throw std::runtime_error{"from an awaitable"};
}

TEST_CASE("awaitable: runs on an I/O thread or the pool and yields its value or what it throws") {
    futon::runtime threads;
    for (const auto& place : {threads.executor(), threads.pool()}) {
        CHECK(spawn(place, sleeps(2ms)).get().value == 2);
        CHECK_THROWS_WITH_AS(spawn(place, throws()).get(), "from an awaitable", std::runtime_error);
    }
}

TEST_CASE("awaitable: with no executor, or one without an Asio context, it is no_executor") {
    CHECK(spawn(nullptr, sleeps(1ms)).get_result().error() == errc::no_executor);
    const futon::testing::manual_executor place;
    CHECK(spawn(place, sleeps(1ms)).get_result().error() == errc::no_executor);
}

TEST_CASE("awaitable: cancelling the future cancels the coroutine where it runs") {
    futon::runtime threads;
    for (const auto& place : {threads.executor(), threads.pool()}) {
        for (int i = 0; i < 50; ++i) {
            auto f = spawn(place, sleeps(std::chrono::hours{1}));
            f.cancel();
            CHECK(std::move(f).get_result().error() == errc::cancelled);
        }
        CHECK(spawn(place, sleeps(std::chrono::hours{1})).timeout(1ms).get_result().error() == errc::deadline_exceeded);
    }
}

TEST_CASE("awaitable: a coroutine whose executor ends is executor_rejected, and holds nothing up") {
    future<no_default> f;
    {
        futon::runtime threads;
        f = spawn(threads.executor(), sleeps(std::chrono::hours{1}));
        futon::async(threads.executor(), [] {}).get();
    }
    CHECK(std::move(f).get_result().error() == errc::executor_rejected);
}

TEST_CASE("awaitable: is unwrapped by a stage, which keeps its callable's captures, and awaited in a task") {
    futon::runtime threads;
    const auto place = threads.executor();
    auto body = [text = std::make_unique<std::string>("kept")]() -> asio::awaitable<std::string> {
        co_await sleeps(1ms);
        co_return *text;
    };
    auto f = futon::make_ready(place).then(std::move(body));
    static_assert(std::is_same_v<decltype(f), future<std::string>>);
    CHECK(std::move(f).get() == "kept");

    const auto in_task = []() -> futon::task<int> {
        auto slept = co_await sleeps(1ms);
        co_return slept.value;
    };
    CHECK(spawn(place, in_task()).get() == 1);
}

asio::awaitable<int> inner_check(futon::context* expected, futon::executor_ref other) {
    int wrong = 0;
    asio::steady_timer timer{co_await asio::this_coro::executor};
    for (int i = 0; i < 20; ++i) {
        timer.expires_after(std::chrono::microseconds{i * 10});
        co_await timer.async_wait(asio::use_awaitable);
        if (futon::current_context().get() != expected) ++wrong;
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (futon::current_context().get() != expected) ++wrong;
        auto elsewhere = futon::async(other, [] { return 1; });
        co_await std::move(elsewhere)(futon::use_awaitable);
        if (futon::current_context().get() != expected) ++wrong;
    }
    co_return wrong;
}
asio::awaitable<int> outer_check(futon::context* expected, futon::executor_ref other) {
    const int wrong = co_await inner_check(expected, other);
    co_return wrong + (futon::current_context().get() != expected ? 1 : 0);
}

TEST_CASE("awaitable: sees its request's context after timers, posts, futures and nested coroutines") {
    futon::runtime threads{{.io_threads = 2}};
    for (const auto& place : {threads.executor(), threads.pool()}) {
        std::vector<futon::detail::intrusive_ptr<futon::context>> requests;
        std::vector<future<int>> all;
        for (int i = 0; i < 8; ++i) {
            const auto request = requests.emplace_back(futon::detail::make_intrusive<futon::context>());
            const futon::detail::context_scope scope{request.get()};
            all.push_back(spawn(place, outer_check(request.get(), threads.executor())));
        }
        int wrong = 0;
        for (auto& one : all) wrong += std::move(one).get();
        CHECK(wrong == 0);
    }
    auto clean = futon::async(threads.executor(), [] { return futon::current_context() == nullptr; });
    CHECK(std::move(clean).get());
}

asio::awaitable<void> posts_what_throws() {
    asio::post(co_await asio::this_coro::executor, [] { throw std::runtime_error{"loose"}; });
    co_await sleeps(1ms);
}

TEST_CASE("awaitable: what a function posted to its executor throws goes to the hook") {
    std::promise<std::string> seen;
    futon::runtime threads{{.on_unhandled_error = [&](const futon::error& why) { seen.set_value(why.message()); }}};
    spawn(threads.executor(), posts_what_throws()).get();
    CHECK(seen.get_future().get() == "loose");
}

}  // namespace
