// SPDX-License-Identifier: Apache-2.0
// Where handlers run, in which order, and what happens when a place is full or must not be blocked.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <latch>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

struct Where {
    std::uint64_t plain();
    std::uint64_t outcome();
    std::uint64_t later();
    std::uint64_t coroutine();
    std::uint64_t answered();
};
FUTON_SERVICE(Where, plain, outcome, later, coroutine, answered)

std::uint64_t here() { return std::hash<std::thread::id>{}(std::this_thread::get_id()); }

struct where {
    std::uint64_t plain() { return here(); }
    futon::result<std::uint64_t> outcome() { return here(); }
    futon::future<std::uint64_t> later() { return futon::make_ready(here()); }
    futon::task<std::uint64_t> coroutine() { co_return here(); }
    void answered(futon::responder<std::uint64_t> answer) { answer(here()); }
};

// The server's one I/O thread, from inside.
std::uint64_t thread_of(const futon::executor_ref& executor) {
    return futon::async(executor, [] { return here(); }).get();
}

struct where_on_one_thread {
    explicit where_on_one_thread(futon::provide_options how) : at{where{}, how, on(threads)} {}
    static futon::server_options on(const futon::runtime& threads) {
        auto options = quiet_server();
        options.runtime = threads;
        return options;
    }
    futon::runtime threads{};
    std::uint64_t io = thread_of(threads.executor());
    served<Where> at;
};

TEST_CASE("server: plain handlers run on the pool by themselves, asynchronous ones on the I/O thread") {
    where_on_one_thread on{{}};
    CHECK(on.at.stub.plain().get() != on.io);
    CHECK(on.at.stub.outcome().get() != on.io);
    CHECK(on.at.stub.later().get() == on.io);
    CHECK(on.at.stub.coroutine().get() == on.io);
    CHECK(on.at.stub.answered().get() == on.io);
}

TEST_CASE("server: run_on::io runs every handler of the service on the I/O thread") {
    where_on_one_thread on{{.run_on = futon::run_on::io}};
    CHECK(on.at.stub.plain().get() == on.io);
    CHECK(on.at.stub.outcome().get() == on.io);
    CHECK(on.at.stub.coroutine().get() == on.io);
}

TEST_CASE("server: run_on::pool runs every handler of the service on the pool, from its first line") {
    where_on_one_thread on{{.run_on = futon::run_on::pool}};
    CHECK(on.at.stub.plain().get() != on.io);
    CHECK(on.at.stub.later().get() != on.io);
    CHECK(on.at.stub.coroutine().get() != on.io);
    CHECK(on.at.stub.answered().get() != on.io);
}

TEST_CASE("server: a service runs on an executor of the user's, and single methods elsewhere") {
    asio::io_context context;
    auto busy = asio::make_work_guard(context);
    std::thread own{[&] { context.run(); }};
    const auto executor = futon::make_executor(context.get_executor());
    {
        where_on_one_thread on{
            {.run_on = executor, .methods = {{"later", futon::run_on::io}, {"answered", futon::run_on::pool}}}};
        const auto own_id = std::hash<std::thread::id>{}(own.get_id());
        CHECK(on.at.stub.plain().get() == own_id);
        CHECK(on.at.stub.coroutine().get() == own_id);
        CHECK(on.at.stub.later().get() == on.io);
        const auto elsewhere = on.at.stub.answered().get();
        CHECK(elsewhere != own_id);
        CHECK(elsewhere != on.io);
    }
    busy.reset();
    own.join();
}

struct Turns {
    int take(int n);
    int hold();
};
FUTON_SERVICE(Turns, take, hold)

struct turns {
    int take(int n) {
        most_at_once = std::max(most_at_once.load(), ++inside);
        {
            const std::lock_guard lock{mutex};
            seen.push_back(n);
        }
        --inside;
        return n;
    }
    int hold() {
        holding.add();
        open.wait();
        return 0;
    }
    std::atomic<int> inside{0};
    std::atomic<int> most_at_once{0};
    std::mutex mutex;
    std::vector<int> seen;
    tally holding;
    std::latch open{1};
};

void take_many(const futon::stub<Turns>& stub, int first, int count) {
    std::vector<futon::future<int>> made;
    for (int i = first; i < first + count; ++i) made.push_back(stub.take(i));
    int wrong = 0;
    for (int i = 0; i < count; ++i) wrong += std::move(made[static_cast<std::size_t>(i)]).get() == first + i ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("server: the handlers of a serialised service never run two at once, whoever calls") {
    turns service;
    served<Turns> at{std::ref(service), {.serialised = true}};
    futon::client other{to(at.server.addresses())};
    std::thread second{[&] { take_many(other.stub<Turns>(), 1000, 1000); }};
    take_many(at.stub, 0, 1000);
    second.join();
    CHECK(service.seen.size() == 2000);
    CHECK(service.most_at_once == 1);
}

TEST_CASE("server: handlers on the pool run at once") {
    turns service;
    served<Turns> at{std::ref(service)};
    auto both = futon::when_all(at.stub.hold(), at.stub.hold());
    CHECK(service.holding.reaches(2));
    service.open.count_down();
    CHECK(std::move(both).get_result().has_value());
}

TEST_CASE("server: on the I/O thread the calls of one connection start in the order in which they were made") {
    turns service;
    served<Turns> at{std::ref(service), {.run_on = futon::run_on::io}};
    take_many(at.stub, 0, 5000);
    std::vector<int> in_order(5000);
    std::iota(in_order.begin(), in_order.end(), 0);
    CHECK(service.seen == in_order);
}

TEST_CASE("server: a full pool answers overloaded, not executed, and serves again when it has room") {
    turns service;
    auto options = quiet_server();
    options.threads.pool_threads = 2;
    options.threads.pool_queue = 3;
    auto once = to({});
    once.retry.max_attempts = 1;
    served<Turns> at{std::ref(service), {}, options, once};
    // Five fit: two run, three wait.
    std::vector<futon::future<int>> made;
    std::atomic<int> refused{0};
    std::atomic<int> wrong{0};
    tally told;
    for (int i = 0; i < 20; ++i) {
        made.push_back(at.stub.hold().recover([&](const futon::error& why) -> futon::result<int> {
            refused += why == futon::errc::overloaded ? 1 : 0;
            wrong += why.ran() != futon::executed::no ? 1 : 0;
            wrong += why.message().find("threads.pool_queue") == std::string::npos ? 1 : 0;  // It says what is full.
            told.add();
            return -1;
        }));
    }
    REQUIRE(told.reaches(15));
    CHECK(refused == 15);
    CHECK(wrong == 0);
    CHECK(at.server.stats().overloaded == 15);
    service.open.count_down();
    int ok = 0;
    for (auto& each : made) ok += std::move(each).get() == 0 ? 1 : 0;
    CHECK(ok == 5);
    CHECK(at.stub.take(1).get() == 1);
}

struct Chain {
    std::string ask();
    int answer();
};
FUTON_SERVICE(Chain, ask, answer)

struct chain {
    std::string ask() {
        const auto got = self->answer().get_result();
        return got ? std::to_string(*got) : got.error().describe();
    }
    futon::future<int> answer() { return futon::make_ready(42); }
    const futon::stub<Chain>* self = nullptr;
};

TEST_CASE("server: get() in a handler on the I/O thread is would_deadlock where that thread brings the answer") {
    const futon::runtime threads;
    auto serving = quiet_server();
    serving.runtime = threads;
    auto calling = to({});
    calling.runtime = threads;
    chain service;
    served<Chain> at{std::ref(service), {.run_on = futon::run_on::io}, serving, calling};
    service.self = &at.stub;
    CHECK(at.stub.ask().get().find("would_deadlock") != std::string::npos);
}

TEST_CASE("server: get() in a handler on the I/O thread is would_deadlock with a client of its own too") {
    chain service;
    served<Chain> at{std::ref(service), {.run_on = futon::run_on::io}};
    service.self = &at.stub;
    CHECK(at.stub.ask().get().find("would_deadlock") != std::string::npos);
}

TEST_CASE("server: get() in a handler on the pool is allowed") {
    chain service;
    served<Chain> at{std::ref(service), {.run_on = futon::run_on::pool, .methods = {{"answer", futon::run_on::io}}}};
    service.self = &at.stub;
    CHECK(at.stub.ask().get() == "42");
}

TEST_CASE("server: pool handlers that block on each other fail with overloaded and never deadlock") {
    auto serving = quiet_server();
    serving.threads.pool_threads = 1;
    serving.threads.pool_queue = 0;
    chain service;
    auto once = to({});
    once.retry.max_attempts = 1;
    served<Chain> at{std::ref(service), {.run_on = futon::run_on::pool}, serving, once};
    service.self = &at.stub;
    CHECK(at.stub.ask().get().find("overloaded") != std::string::npos);
}

}  // namespace
