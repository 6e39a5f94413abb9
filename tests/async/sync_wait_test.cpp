// SPDX-License-Identifier: Apache-2.0
#include <futon/async/sync_wait.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::task;

task<std::thread::id> where_it_runs() {
    co_await futon::delay(1ms);
    co_return std::this_thread::get_id();
}
task<int> awaits(futon::future<int> f) { co_return co_await std::move(f); }
task<void> fails() {
    co_await futon::make_failed<int>(errc::unavailable);
}

TEST_CASE("sync_wait: runs the task on this thread, with timers, and yields or throws") {
    CHECK(futon::sync_wait(where_it_runs()) == std::this_thread::get_id());
    CHECK_THROWS_AS(futon::sync_wait(fails()), futon::rpc_error);
}

TEST_CASE("sync_wait: waits for what other threads complete") {
    futon::runtime threads;
    for (int i = 0; i < 200; ++i) {
        auto elsewhere = futon::async(threads.pool(), [i] { return i; });
        CHECK(futon::sync_wait(awaits(std::move(elsewhere))) == i);
    }
}

TEST_CASE("sync_wait: what was left on its executor completes with executor_rejected") {
    futon::future<int> left;
    const auto leave = [&]() -> task<void> {
        left = futon::delay(1h).then([] { return 1; });
        co_return;
    };
    futon::sync_wait(leave());
    CHECK(std::move(left).get_result().error() == errc::executor_rejected);
}

TEST_CASE("sync_wait: on an I/O thread it is would_deadlock") {
    futon::runtime threads;
    auto code = futon::async(threads.executor(), [] {
        try {
            static_cast<void>(futon::sync_wait(where_it_runs()));
        } catch (const futon::rpc_error& e) {
            return static_cast<errc>(e.code().value());
        }
        return errc{};
    });
    CHECK(std::move(code).get() == errc::would_deadlock);
}

}  // namespace
