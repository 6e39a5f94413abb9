// SPDX-License-Identifier: Apache-2.0
#include <futon/core/thread_pool.hpp>

#include <futon/core/runtime.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <latch>
#include <memory>
#include <vector>

namespace {

// Runs a function once, and counts down when it has.
template <class F>
struct task final : futon::detail::work {
    task(F what, std::latch& done) : f{what}, all_done{done} {}
    void run(bool accepted) noexcept override {
        if (accepted) f();
        all_done.count_down();
    }
    F f;
    std::latch& all_done;
};

TEST_CASE("thread_pool: as many blocking functions run at once as it has threads, again and again") {
    constexpr std::ptrdiff_t threads = 8;
    const futon::runtime place{{.pool_threads = threads}};
    const auto pool = place.pool();
    for (int round = 0; round < 200; ++round) {
        std::latch together{threads};
        std::latch done{threads};
        const auto meet = [&] { together.arrive_and_wait(); };
        std::vector<std::unique_ptr<task<decltype(meet)>>> items;
        for (int i = 0; i < threads; ++i) {
            items.push_back(std::make_unique<task<decltype(meet)>>(meet, done));
            REQUIRE(pool->post(*items.back()));
        }
        done.wait();
    }
}

TEST_CASE("thread_pool: a burst of short functions all run") {
    const futon::runtime place{{.pool_threads = 4, .pool_queue = 5000}};
    const auto pool = place.pool();
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> ran{0};
        std::latch done{1000};
        const auto count = [&] { ran.fetch_add(1); };
        std::vector<std::unique_ptr<task<decltype(count)>>> items;
        for (int i = 0; i < 1000; ++i) {
            items.push_back(std::make_unique<task<decltype(count)>>(count, done));
            REQUIRE(pool->post(*items.back()));
        }
        done.wait();
        CHECK(ran.load() == 1000);
    }
}

TEST_CASE("thread_pool: what does not fit the queue is refused at once") {
    const futon::runtime place{{.pool_threads = 1, .pool_queue = 1}};
    const auto pool = place.pool();
    std::latch started{1};
    std::latch release{1};
    std::latch done{2};
    const auto hold = [&] {
        started.count_down();
        release.wait();
    };
    const auto nothing = [] {};
    task<decltype(hold)> first{hold, done};
    task<decltype(nothing)> second{nothing, done};
    task<decltype(nothing)> third{nothing, done};
    REQUIRE(pool->post(first));
    started.wait();
    CHECK(pool->post(second));
    CHECK(!pool->post(third));
    release.count_down();
    done.wait();
}

// Tells when nobody holds it any more, as a strand on a context that ends has to.
class watched_timers final : public futon::executor {
public:
    explicit watched_timers(std::atomic<bool>& gone)
        : executor{futon::detail::make_intrusive<futon::detail::diagnostics>()}, gone_{gone} {}
    ~watched_timers() override { gone_.store(true); }
    bool post(futon::detail::work&) noexcept override { return false; }
    bool blocked_by_this_thread() const noexcept override { return false; }
    void* asio_context() noexcept override { return &gone_; }
    bool try_arm(futon::detail::timer& t, futon::time_point) override { return t.fire(true), true; }
    bool disarm(futon::detail::timer&) noexcept override { return false; }

private:
    std::atomic<bool>& gone_;
};

TEST_CASE("thread_pool: left while it still runs something, it holds nothing of its timers, and arms none") {
    std::atomic<bool> gone{false};
    auto pool = futon::detail::make_intrusive<futon::detail::thread_pool>(
        2u, 8u, futon::detail::make_intrusive<watched_timers>(gone));
    std::latch running{1};
    std::latch may_end{1};
    std::latch done{1};
    const auto wait = [&] {
        running.count_down();
        may_end.wait();
    };
    task<decltype(wait)> item{wait, done};
    REQUIRE(pool->post(item));
    running.wait();
    pool->close_and_leave();
    CHECK(gone.load());
    CHECK(pool->asio_context() == &gone);  // For coroutines that run there still.
    struct alarm final : futon::detail::timer {
        void fire(bool due) noexcept override { (due ? rung : refused) = true; }
        bool rung = false;
        bool refused = false;
    } late;
    pool->arm(late, futon::clock::now());
    CHECK(late.refused);
    CHECK_FALSE(late.rung);
    may_end.count_down();
    done.wait();
}

}  // namespace
