// SPDX-License-Identifier: Apache-2.0
// The code of docs/threading.md, and what it claims.
#include <futon/futon.hpp>

#include <futon/core/asio_executor.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using thread_id = std::size_t;
thread_id here() { return std::hash<std::thread::id>{}(std::this_thread::get_id()); }

struct Work {
    thread_id plain();
    thread_id later();
    thread_id resumed();
    int count();
    void note(int number);
    std::vector<int> notes();
};
FUTON_SERVICE(Work, plain, later, resumed, count, note, notes)

struct work_impl {
    thread_id plain() { return here(); }
    futon::future<thread_id> later() { return futon::make_ready(here()); }
    futon::task<thread_id> resumed() {
        co_await futon::delay(1ms);
        co_return here();
    }
    // Not safe for two threads at once.
    int count() {
        const int before = counter;
        std::this_thread::yield();
        return counter = before + 1;
    }
    void note(int number) { numbers.push_back(number); }
    std::vector<int> notes() { return numbers; }
    int counter = 0;
    std::vector<int> numbers;
};

TEST_CASE("docs: handlers run where threading.md says") {
    asio::thread_pool own{1};
    futon::server server{{.io_threads = 1}};
    const auto own_place = futon::make_executor(own.get_executor());
    // [places]
    server.provide<Work>(work_impl{});                                                        // the defaults
    server.provide<Work>(work_impl{}, {.unique_id = "io", .run_on = futon::run_on::io});      // all on the I/O thread
    server.provide<Work>(work_impl{}, {.unique_id = "pool", .run_on = futon::run_on::pool});  // all on the pool
    server.provide<Work>(work_impl{}, {.unique_id = "own", .run_on = own_place});             // on an executor of yours
    server.provide<Work>(work_impl{}, {.unique_id = "mixed", .methods = {{"plain", futon::run_on::io}}});
    // [/places]
    server.start();
    futon::client client{server.addresses()};
    const auto io_thread = client.stub<Work>({.unique_id = "io"}).plain().get();
    const auto defaults = client.stub<Work>();
    CHECK(defaults.plain().get() != io_thread);
    CHECK(defaults.later().get() == io_thread);
    CHECK(defaults.resumed().get() == io_thread);
    const auto on_pool = client.stub<Work>({.unique_id = "pool"});
    CHECK(on_pool.later().get() != io_thread);
    CHECK(on_pool.resumed().get() != io_thread);
    const auto on_own = client.stub<Work>({.unique_id = "own"});
    CHECK(on_own.plain().get() == on_own.resumed().get());
    CHECK(on_own.plain().get() != io_thread);
    CHECK(client.stub<Work>({.unique_id = "mixed"}).plain().get() == io_thread);
}

TEST_CASE("docs: calls of one connection start in order on the I/O thread") {
    futon::server server;
    server.provide<Work>(work_impl{}, {.run_on = futon::run_on::io});
    server.start();
    futon::client client{server.addresses()};
    const auto work = client.stub<Work>();
    std::vector<int> expected;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(work.note(i, futon::oneway));
        expected.push_back(i);
    }
    CHECK(work.notes().get() == expected);
}

TEST_CASE("docs: a serialised service runs one handler at a time") {
    futon::server server;
    server.provide<Work>(work_impl{}, {.serialised = true});
    server.start();
    futon::client client{server.addresses()};
    const auto work = client.stub<Work>();
    std::vector<futon::future<int>> calls;
    for (int i = 0; i < 500; ++i) calls.push_back(work.count());
    static_cast<void>(futon::when_all(std::move(calls)).get());
    CHECK(work.count().get() == 501);
}

struct Gate {
    void enter();
    void open();
};
FUTON_SERVICE(Gate, enter, open)
struct gate_impl {
    futon::task<void> enter() {
        co_await entered.get_future();
    }
    void open() { entered.set_value(); }
    futon::promise<void> entered{};
};

TEST_CASE("docs: a serialised coroutine lets others in while it waits") {
    futon::server server;
    server.provide<Gate>(std::make_shared<gate_impl>(), {.serialised = true});
    server.start();
    futon::client client{server.addresses()};
    const auto gate = client.stub<Gate>();
    auto entered = gate.enter();
    gate.open().get();
    CHECK(std::move(entered).get_result());
}

TEST_CASE("docs: continuations run where threading.md says, and never inside the function that attaches them") {
    futon::server server;
    server.provide<Work>(work_impl{});
    server.start();
    futon::client client{server.addresses()};
    auto work = client.stub<Work>();

    const auto client_thread = work.plain().then([](thread_id) { return here(); }).get();
    CHECK(client_thread != here());
    std::promise<thread_id> called;
    work.plain([&](futon::result<thread_id>) { called.set_value(here()); });
    CHECK(called.get_future().get() == client_thread);

    asio::thread_pool pool{1};
    // [on]
    const auto own = futon::make_executor(pool.get_executor());
    const auto elsewhere = work.with({.on = own}).plain().then([](thread_id) { return here(); }).get();
    // [/on]
    CHECK(elsewhere != client_thread);
    CHECK(elsewhere == work.plain().then(own, [](thread_id) { return here(); }).get());
    CHECK(elsewhere == work.plain().via(own).then([](thread_id) { return here(); }).get());

    // Ready or not, on its own executor or not.
    const auto attached_inside = work.plain()
                                     .then([](thread_id) {
                                         const auto ran = std::make_shared<bool>(false);
                                         auto next = futon::make_ready(1).then([ran](int) { *ran = true; });
                                         const bool ran_inside = *ran;
                                         return std::move(next).then([=] { return ran_inside; });
                                     })
                                     .get();
    CHECK_FALSE(attached_inside);
}

struct Relay {
    thread_id own();
    thread_id stage();
    thread_id coroutine();
};
FUTON_SERVICE(Relay, own, stage, coroutine)
struct relay_impl {
    futon::stub<Work> next;
    futon::future<thread_id> own() { return futon::make_ready(here()); }
    futon::future<thread_id> stage() {
        return next.plain().then([](thread_id) { return here(); });
    }
    futon::task<thread_id> coroutine() {
        co_await next.plain();
        co_return here();
    }
};

TEST_CASE("docs: a stage of a call made in a handler runs on the calling client's thread, a coroutine where it began") {
    futon::server last;
    last.provide<Work>(work_impl{});
    last.start();
    futon::client to_last{last.addresses()};
    futon::server first{{.io_threads = 1}};
    first.provide<Relay>(relay_impl{to_last.stub<Work>()});
    first.start();
    futon::client client{first.addresses()};
    const auto relay = client.stub<Relay>();
    CHECK(relay.stage().get() == to_last.stub<Work>().plain().then([](thread_id) { return here(); }).get());
    CHECK(relay.stage().get() != relay.own().get());
    CHECK(relay.coroutine().get() == relay.own().get());
}

struct Chain {
    std::int64_t left();
    std::int64_t relay();
};
FUTON_SERVICE(Chain, left, relay)
struct chain_impl {
    std::optional<futon::stub<Chain>> next;
    std::int64_t left(futon::call_context& call) { return call.time_left() / 1ms; }
    futon::future<std::int64_t> relay() { return next->with({.timeout = 1h}).left(); }
};

TEST_CASE("docs: calls made in a handler inherit its deadline") {
    futon::server last;
    last.provide<Chain>(chain_impl{});
    last.start();
    futon::client to_last{last.addresses()};
    futon::server first;
    first.provide<Chain>(chain_impl{to_last.stub<Chain>()});
    first.start();
    futon::client client{first.addresses()};
    const auto left = client.stub<Chain>().with({.timeout = 60s}).relay().get();
    CHECK(left > 0);
    CHECK(left <= 60'000);
}

TEST_CASE("docs: clients and servers can share threads, or run on a lent io_context") {
    {
        // [shared]
        futon::runtime shared{{.io_threads = 2, .pool_threads = 4}};
        futon::server server{{.runtime = shared}};
        futon::client client{{.endpoints = "tcp://127.0.0.1:12200", .runtime = shared}};
        // [/shared]
        CHECK(client.stats().calls == 0);
    }
    {
        std::string text;
        // [lent]
        asio::io_context io;  // outlives everything that uses it
        futon::runtime lent{io};
        futon::server server{{.runtime = lent}};
        server.provide<Work>(work_impl{});
        server.start();  // not run(): that would block a thread that should run io
        futon::client client{{.endpoints = server.addresses(), .runtime = lent}};

        client.stub<Work>().plain([&](futon::result<thread_id> got) {
            text = got ? "answered" : got.error().describe();
            client.close();
            server.stop().on_complete([&](futon::result<void>) { io.stop(); });
        });
        io.run();  // by any number of threads: each connection has a strand of its own
        // [/lent]
        CHECK(text == "answered");
    }
}

struct Slow {
    void wait();
};
FUTON_SERVICE(Slow, wait)
struct slow_impl {
    std::atomic<int>& ended;
    std::shared_ptr<std::promise<void>> begun = std::make_shared<std::promise<void>>();
    std::shared_future<void> go_on;
    void wait() {
        begun->set_value();
        go_on.wait();
        ++ended;
    }
};

TEST_CASE("docs: dropping a future keeps the call going; the end of a server waits for handlers on other threads") {
    std::atomic<int> ended{0};
    std::promise<void> go_on;
    auto begun = std::make_shared<std::promise<void>>();
    auto server = std::make_unique<futon::server>();
    server->provide<Slow>(slow_impl{ended, begun, go_on.get_future().share()});
    server->start();
    futon::client client{{.endpoints = server->addresses(), .threads = {.log = [](const futon::log_record&) {}}}};
    static_cast<void>(client.stub<Slow>().wait());
    begun->get_future().wait();
    go_on.set_value();
    server = nullptr;
    CHECK(ended == 1);
}

TEST_CASE("docs: clients and servers may be destroyed on their own threads") {
    auto server = std::make_unique<futon::server>();
    server->provide<Work>(work_impl{});
    server->start();
    auto client = std::make_unique<futon::client>(server->addresses());
    std::promise<bool> called;
    client->stub<Work>().later([&](futon::result<thread_id> got) {
        client = nullptr;
        server->stop().on_complete([&, answered = got.has_value()](futon::result<void>) {
            server = nullptr;
            called.set_value(answered);
        });
    });
    CHECK(called.get_future().get());
}

TEST_CASE("docs: a stub outlives its client") {
    futon::server server;
    server.provide<Work>(work_impl{});
    server.start();
    std::optional<futon::client> client{std::in_place, server.addresses()};
    const auto work = client->stub<Work>();
    CHECK(work.plain().get_result());
    client.reset();
    CHECK(work.plain().get_result().error() == futon::errc::client_closed);
}

}  // namespace
