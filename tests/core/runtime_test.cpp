// SPDX-License-Identifier: Apache-2.0
#include <futon/core/runtime.hpp>
#include <futon/core/runtime_state.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <doctest/doctest.h>

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
    for (int i = 0; i < 6; ++i) seen.insert(make_ready(threads.executor()).then([] { return std::this_thread::get_id(); }).get());
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
    { static_cast<void>(futon::make_failed<int>(threads.executor(), futon::error{errc::unavailable, "nobody looked"})); }
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
