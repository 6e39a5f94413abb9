// SPDX-License-Identifier: Apache-2.0
#include <futon/core/asio_executor.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::make_executor;
using futon::make_ready;

TEST_CASE("asio_executor: a pool's runs work on its threads, and its timers fire") {
    asio::thread_pool pool{3};
    const auto place = make_executor(pool.get_executor());
    const auto here = std::this_thread::get_id();
    std::vector<futon::future<bool>> all;
    for (int i = 0; i < 100; ++i)
        all.push_back(make_ready(place).then([here] { return std::this_thread::get_id() != here; }));
    for (auto& one : all) CHECK(std::move(one).get());
    CHECK(futon::delay(place, 1ms).get_result().has_value());
    CHECK_FALSE(place->is_serial());
    pool.join();
}

// An executor of a user's own, which holds nothing that looks like one of Asio's.
struct own_executor {
    const void* nothing = nullptr;
    asio::io_context* runs_on = nullptr;

    template <class F>
    void execute(F f) const {
        asio::post(*runs_on, std::move(f));
    }
    asio::execution_context& query(asio::execution::context_t) const noexcept { return *runs_on; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    own_executor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
    friend bool operator==(const own_executor&, const own_executor&) noexcept = default;
};

TEST_CASE("asio_executor: one of a user's own cannot tell whether it is blocked, and is not taken for another") {
    asio::io_context io;
    const auto place = make_executor(own_executor{.runs_on = &io});
    CHECK_FALSE(place->blocked_by_this_thread());
    bool ran = false;
    make_ready(place).then([&ran] { ran = true; }).ignore();
    io.run();
    CHECK(ran);
}

TEST_CASE("asio_executor: blocking is would_deadlock on the context's own thread and on its strands") {
    asio::io_context io;
    const auto plain = make_executor(io.get_executor());
    const auto strand = make_executor(asio::make_strand(io));
    const auto nested = make_executor(asio::make_strand(asio::any_io_executor{io.get_executor()}));
    for (const auto& place : {plain, strand, nested}) CHECK_FALSE(place->blocked_by_this_thread());
    int blocked = 0;
    asio::post(io, [&] {
        for (const auto& place : {plain, strand, nested}) blocked += place->blocked_by_this_thread();
    });
    io.run();
    CHECK(blocked == 3);
}

TEST_CASE("asio_executor: continuations that wait when the context ends complete with executor_rejected") {
    futon::future<int> left;
    {
        asio::io_context io;
        left = make_ready(make_executor(io.get_executor()), 1).then([](int value) { return value; });
    }
    CHECK(std::move(left).get_result().error() == errc::executor_rejected);
}

TEST_CASE("asio_executor: each one made is a place of its own") {
    asio::io_context io;
    CHECK(make_executor(io.get_executor()) != make_executor(io.get_executor()));
}

}  // namespace
