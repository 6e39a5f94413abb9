// SPDX-License-Identifier: Apache-2.0
#include <futon/core/serialised_executor.hpp>

#include <futon/core/thread_pool.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace {

using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;
using futon::detail::serialised_executor;

// Deletes itself when it has run.
struct piece final : futon::detail::work {
    explicit piece(std::function<void(bool)> what) : f{std::move(what)} {}
    void run(bool accepted) noexcept override {
        f(accepted);
        delete this;
    }
    std::function<void(bool)> f;
};

void post(futon::executor& where, std::function<void(bool)> f) {
    auto* const made = new piece{std::move(f)};
    if (!where.post(*made)) made->run(false);
}

TEST_CASE("serialised_executor: runs one thing at a time, in order, though its inner one has many threads") {
    futon::testing::manual_executor timers;
    auto pool = make_intrusive<futon::detail::thread_pool>(std::size_t{4}, std::size_t{1000}, timers);
    auto serial = make_intrusive<serialised_executor>(pool);
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<int> order;
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    constexpr int count = 2000;
    for (int i = 0; i < count; ++i) {
        post(*serial, [&, i](bool accepted) {
            if (++running > 1) most = 2;
            {
                const std::lock_guard lock{mutex};
                order.push_back(accepted ? i : -1);
                if (order.size() == count) changed.notify_one();
            }
            --running;
        });
    }
    std::unique_lock lock{mutex};
    REQUIRE(changed.wait_for(lock, std::chrono::seconds{60}, [&] { return order.size() == count; }));
    lock.unlock();
    pool->close();
    for (int i = 0; i < count; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
    CHECK(most == 0);
}

TEST_CASE("serialised_executor: posts from many threads are neither lost nor run together") {
    futon::testing::manual_executor timers;
    auto pool = make_intrusive<futon::detail::thread_pool>(std::size_t{4}, std::size_t{1000}, timers);
    auto serial = make_intrusive<serialised_executor>(pool);
    int unguarded = 0;  // A race here would be reported by the thread sanitizer.
    std::atomic<int> ran{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i) {
                post(*serial, [&](bool) {
                    ++unguarded;
                    ++ran;
                });
            }
        });
    }
    for (auto& each : threads) each.join();
    pool->close();
    CHECK(ran == 2000);
    CHECK(unguarded == 2000);
}

TEST_CASE("serialised_executor: what is posted inside of it waits for its turn") {
    futon::testing::manual_executor place;
    auto serial = make_intrusive<serialised_executor>(place.ref());
    std::vector<int> order;
    post(*serial, [&](bool) {
        post(*serial, [&](bool) { order.push_back(2); });
        order.push_back(1);
    });
    CHECK(order.empty());
    place.run_ready();
    CHECK(order == std::vector{1, 2});
}

TEST_CASE(
    "serialised_executor: refused by its inner one, everything that waits is refused, and later work runs again") {
    futon::testing::manual_executor place;
    auto serial = make_intrusive<serialised_executor>(place.ref());
    place.limit_queue(0);
    std::vector<bool> accepted;
    for (int i = 0; i < 3; ++i) post(*serial, [&](bool how) { accepted.push_back(how); });
    CHECK(accepted == std::vector{false, false, false});
    place.limit_queue(1);
    for (int i = 0; i < 3; ++i) post(*serial, [&](bool how) { accepted.push_back(how); });
    place.run_ready();
    CHECK(accepted == std::vector{false, false, false, true, true, true});
}

TEST_CASE("serialised_executor: when its inner one ends, what waits is refused") {
    futon::testing::manual_executor place;
    auto serial = make_intrusive<serialised_executor>(place.ref());
    std::vector<bool> accepted;
    for (int i = 0; i < 3; ++i) post(*serial, [&](bool how) { accepted.push_back(how); });
    place.close();
    CHECK(accepted == std::vector{false, false, false});
    post(*serial, [&](bool how) { accepted.push_back(how); });
    CHECK(accepted.size() == 4);
    CHECK_FALSE(accepted.back());
}

}  // namespace
