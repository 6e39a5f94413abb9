// SPDX-License-Identifier: Apache-2.0
#include <futon/core/asio_serial_executor.hpp>

#include "support/small_stack.hpp"

#include <futon/core/operation.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;
using on_thread = futon::detail::asio_serial_executor<asio::io_context::executor_type>;
using on_strand = futon::detail::asio_serial_executor<asio::strand<asio::io_context::executor_type>>;

struct job final : futon::detail::work {
    std::function<void(bool)> body;
    explicit job(std::function<void(bool)> f) : body{std::move(f)} {}
    void run(bool accepted) noexcept override {
        const std::unique_ptr<job> self{this};
        body(accepted);
    }
};
struct alarm final : futon::detail::timer {
    std::function<void(bool)> body;
    explicit alarm(std::function<void(bool)> f) : body{std::move(f)} {}
    void fire(bool due) noexcept override { body(due); }
};

template <class Executor>
bool enqueue(Executor& where, std::function<void(bool)> f) {
    auto item = std::make_unique<job>(std::move(f));
    if (!where.post(*item)) return false;
    static_cast<void>(item.release());
    return true;
}

TEST_CASE("asio_serial_executor: runs what is posted in order, never inside post, also what is posted from inside") {
    asio::io_context io;
    const auto place = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
    std::string order;
    enqueue(*place, [&](bool) {
        order += "a";
        enqueue(*place, [&](bool) { order += "c"; });
        CHECK(futon::detail::inside(*place));
    });
    enqueue(*place, [&](bool) { order += "b"; });
    CHECK(order.empty());
    io.run();
    CHECK(order == "abc");
    CHECK(place->asio_context() == &io);
    CHECK(place->is_serial());
}

TEST_CASE("asio_serial_executor: work from many threads on a strand of many threads runs one at a time") {
    asio::io_context io;
    auto busy = asio::make_work_guard(io);
    const auto place = make_intrusive<on_strand>(asio::make_strand(io), make_intrusive<futon::detail::diagnostics>());
    std::vector<std::thread> runners;
    for (int i = 0; i < 3; ++i) runners.emplace_back([&] { io.run(); });
    const int each = tests::is_instrumented ? 1000 : 10000;
    int count = 0;
    std::vector<std::thread> posters;
    for (int i = 0; i < 2; ++i) {
        posters.emplace_back([&] {
            for (int j = 0; j < each; ++j) enqueue(*place, [&](bool) { ++count; });
        });
    }
    for (auto& one : posters) one.join();
    busy.reset();
    for (auto& one : runners) one.join();
    CHECK(count == 2 * each);
}

TEST_CASE("asio_serial_executor: timers fire in order of their time, not before it, and a disarmed one never") {
    asio::io_context io;
    const auto place = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
    std::string order;
    const auto start = place->now();
    alarm late{[&](bool due) {
        CHECK(due);
        CHECK(place->now() - start >= 4ms);
        order += "b";
    }};
    alarm early{[&](bool) {
        CHECK(place->now() - start >= 2ms);
        order += "a";
    }};
    alarm never{[&](bool) { order += "x"; }};
    place->arm(late, start + 4ms);
    place->arm(early, start + 2ms);
    place->arm(never, start + 3ms);
    CHECK(place->disarm(never));
    CHECK_FALSE(place->disarm(never));
    io.run();
    CHECK(order == "ab");
    CHECK_FALSE(place->disarm(late));
}

TEST_CASE("asio_serial_executor: an earlier timer from inside or outside moves the alarm") {
    asio::io_context io;
    const auto place = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
    bool fired = false;
    alarm late{[](bool) {}};
    alarm early{[&](bool) {
        fired = true;
        place->disarm(late);
        io.stop();
    }};
    place->arm(late, place->now() + 1h);
    io.poll();
    enqueue(*place, [&](bool) { place->arm(early, place->now() + 1ms); });
    io.run();
    CHECK(fired);
}

TEST_CASE("asio_serial_executor: timers armed from another thread while it works are never forgotten") {
    asio::io_context io;
    auto busy = asio::make_work_guard(io);
    const auto place = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
    std::thread runner{[&] { io.run(); }};
    const int rounds = tests::is_instrumented ? 500 : 5000;
    int heard = 0;
    for (int i = 0; i < rounds; ++i) {
        std::atomic<bool> fired{false};
        alarm one{[&](bool) {
            fired = true;
            fired.notify_one();
        }};
        enqueue(*place, [](bool) {});
        place->arm(one, place->now());
        fired.wait(false);
        // The alarm has left the executor before it is destroyed.
        std::atomic<bool> passed{false};
        enqueue(*place, [&](bool) {
            passed = true;
            passed.notify_one();
        });
        passed.wait(false);
        heard += fired.load();
    }
    busy.reset();
    runner.join();
    CHECK(heard == rounds);
}

TEST_CASE("asio_serial_executor: whoever runs its context, or stands inside it, blocks it") {
    asio::io_context io;
    const auto place = make_intrusive<on_strand>(asio::make_strand(io), make_intrusive<futon::detail::diagnostics>());
    CHECK_FALSE(place->blocked_by_this_thread());
    bool inside = false;
    bool beside = false;
    enqueue(*place, [&](bool) { inside = place->blocked_by_this_thread(); });
    asio::post(io, [&] { beside = place->blocked_by_this_thread(); });
    io.run();
    CHECK(inside);
    CHECK(beside);
}

TEST_CASE("asio_serial_executor: closed, it refuses new work, and ends its timers") {
    asio::io_context io;
    const auto place = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
    std::string order;
    alarm waiting{[&](bool due) { order += due ? "?" : "t"; }};
    place->arm(waiting, place->now() + 1h);
    enqueue(*place, [&](bool accepted) { order += accepted ? "a" : "?"; });
    asio::post(io, [&] { place->close(); });
    io.run();
    CHECK(order == "at");
    CHECK_FALSE(enqueue(*place, [](bool) {}));
    alarm refused{[&](bool due) { order += due ? "?" : "r"; }};
    // Who holds a lock has to be told, not fired.
    CHECK_FALSE(place->try_arm(refused, place->now()));
    CHECK(order == "at");
    place->arm(refused, place->now());
    CHECK(order == "atr");
}

TEST_CASE("asio_serial_executor: a context that ends refuses what is queued and ends the timers") {
    std::string order;
    alarm waiting{[&](bool due) { order += due ? "?" : "t"; }};
    alarm set{[&](bool due) { order += due ? "?" : "s"; }};
    intrusive_ptr<on_thread> queued;
    intrusive_ptr<on_thread> sleeping;
    {
        asio::io_context io;
        queued = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
        sleeping = make_intrusive<on_thread>(io.get_executor(), make_intrusive<futon::detail::diagnostics>());
        sleeping->arm(set, sleeping->now() + 1h);
        io.poll();
        enqueue(*queued, [&](bool accepted) { order += accepted ? "?" : "q"; });
        queued->arm(waiting, queued->now() + 1h);
        queued->add_ref();
        sleeping->add_ref();
        queued->release();
        sleeping->release();
        // Both hold an Asio executor: gone before the context where only the context still held them.
        auto* raw_queued = queued.detach();
        auto* raw_sleeping = sleeping.detach();
        raw_queued->release();
        raw_sleeping->release();
    }
    CHECK(order.size() == 3);
    CHECK(order.find('q') != std::string::npos);
    CHECK(order.find('t') != std::string::npos);
    CHECK(order.find('s') != std::string::npos);
}

}  // namespace
