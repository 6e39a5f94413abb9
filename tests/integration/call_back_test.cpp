// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::errc;
using futon::executed;
using futon::future;
using futon_tests::gate;
using futon_tests::to;
using futon_tests::quiet_server;

// One contract in each direction.
namespace back {
struct Watcher {
    int twice(int x);
    void changed(std::string what);
    int later(int x);
    std::string fail(std::string how);
};
FUTON_SERVICE(Watcher, twice, changed, later, fail)

struct Board {
    int ask(int x);
    int ask_later(int x);
    std::string ask_to_fail(std::string how);
    void subscribe();
    int nested(int depth);
};
FUTON_SERVICE(Board, ask, ask_later, ask_to_fail, subscribe, nested)
}  // namespace back

namespace {
using back::Board;
using back::Watcher;

struct board {
    future<int> ask(futon::call_context& from, int x) { return from.caller<Watcher>().twice(x); }
    future<int> ask_later(futon::call_context& from, int x) { return from.caller<Watcher>().later(x); }
    future<std::string> ask_to_fail(futon::call_context& from, std::string how) {
        return from.caller<Watcher>().fail(std::move(how));
    }
    void subscribe(futon::call_context& from) {
        const std::lock_guard lock{*mutex};
        watchers->push_back(from.caller<Watcher>());
    }
    future<int> nested(futon::call_context& from, int depth) {
        return depth == 0 ? futon::make_ready(0)
                          : from.caller<Watcher>().later(depth - 1).then([](int x) { return x + 1; });
    }
    std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();
    std::shared_ptr<std::vector<futon::stub<Watcher>>> watchers = std::make_shared<std::vector<futon::stub<Watcher>>>();
};

struct watcher {
    std::shared_ptr<gate> waiting = std::make_shared<gate>();
    std::shared_ptr<futon_tests::tally> changes = std::make_shared<futon_tests::tally>();
    std::shared_ptr<futon_tests::tally> stopped = std::make_shared<futon_tests::tally>();

    int twice(int x) { return 2 * x; }
    void changed(std::string) { changes->add(); }
    future<int> later(futon::call_context& from, int x) {
        auto opened = waiting->wait().then([x] { return x; });
        return std::move(opened).handle([stopped = stopped, &from](futon::result<int> how) {
            if (from.stop_requested()) stopped->add();
            return how;
        });
    }
    std::string fail(std::string how) { throw std::runtime_error{how}; }
};

struct connected {
    explicit connected(watcher calls_back = {}) : impl{std::move(calls_back)} {
        server.provide<Board>(offered);
        server.start();
        client.emplace(to(server.addresses()));
        client->provide<Watcher>(impl);
        stub = client->stub<Board>();
    }
    board offered;
    watcher impl;
    futon::server server{quiet_server()};
    std::optional<futon::client> client;
    futon::stub<Board> stub;
};

TEST_CASE("call back: a handler calls a service of its caller over the same connection") {
    connected both;
    CHECK(both.stub.ask(21).get() == 42);
    CHECK(both.client->stats().connects == 1);
    CHECK(both.client->stats().calls == 1);
}

TEST_CASE("call back: what the client's handler throws reaches the server's handler, and through it the client") {
    connected both;
    const auto got = both.stub.ask_to_fail("no ink").get_result();
    REQUIRE(!got);
    CHECK(got.error() == errc::remote_error);
    CHECK(got.error().message() == "no ink");
    CHECK(both.stub.ask(1).get() == 2);
}

TEST_CASE("call back: a client that provides nothing answers no_such_method, not executed") {
    connected both;
    futon::client silent{to(both.server.addresses())};
    const auto got = silent.stub<Board>().ask(1).get_result();
    REQUIRE(!got);
    CHECK(got.error() == errc::no_such_method);
    CHECK(silent.stats().connects == 1);
}

TEST_CASE("call back: a service that the client does not provide is named beside those that it does") {
    connected both;
    futon::client other{to(both.server.addresses())};
    other.provide<Board>(board{});
    const auto got = other.stub<Board>().ask(1).get_result();
    REQUIRE(!got);
    CHECK(got.error() == errc::no_such_method);
    CHECK(got.error().message().find("'Watcher'") != std::string::npos);
    CHECK(got.error().message().find("'Board'") != std::string::npos);
}

TEST_CASE("call back: a client that has connected provides nothing more, and says so") {
    connected both;
    CHECK(both.stub.ask(1).get() == 2);
    futon::client silent{to(both.server.addresses())};
    silent.wait_ready(5s).get();
    for (auto* each : {&*both.client, &silent}) {
        try {
            each->provide<Board>(board{});
            FAIL("it was taken");
        } catch (const futon::rpc_error& late) {
            CHECK(late.detail() == errc::already_satisfied);
            CHECK(late.detail().message().find("'Board' is provided too late") != std::string::npos);
        }
    }
}

TEST_CASE("call back: a stub of the caller may be kept, and works from any thread while the connection lasts") {
    connected both;
    both.stub.subscribe().get();
    auto kept = both.offered.watchers->front();
    CHECK(kept.twice(4).get() == 8);
    CHECK(kept.changed("x", futon::oneway).has_value());
    REQUIRE(both.impl.changes->reaches(1));

    both.client.reset();
    const auto after = kept.twice(1).get_result();
    REQUIRE(!after);
    CHECK(after.error().is(futon::cond::unavailable));
    // Until the server has seen the connection's end a one-way call may still be queued on it.
    CHECK(futon_tests::soon([&] { return !kept.changed("y", futon::oneway).has_value(); }));
}

TEST_CASE("call back: a caller that gives up cancels the call that the handler made back to it") {
    connected both;
    auto pending = both.stub.ask_later(1);
    REQUIRE(both.impl.waiting->arrived.reaches(1));
    pending.cancel();
    CHECK(std::move(pending).get_result().error() == errc::cancelled);
    REQUIRE(both.impl.stopped->reaches(1));
}

TEST_CASE("call back: calls back in flight end once when the client goes") {
    connected both;
    both.stub.subscribe().get();
    auto kept = both.offered.watchers->front();
    std::vector<future<int>> calls;
    for (int i = 0; i < 100; ++i) calls.push_back(kept.later(i));
    REQUIRE(both.impl.waiting->arrived.reaches(100));
    both.client.reset();
    for (auto& each : calls) {
        const auto got = std::move(each).get_result();
        REQUIRE(!got);
        CHECK(got.error() == errc::connection_lost);
        CHECK(got.error().ran() != executed::no);
    }
}

TEST_CASE("call back: calls back in flight end once when the server goes") {
    std::vector<future<int>> calls;
    {
        connected both;
        both.stub.subscribe().get();
        {
            auto kept = both.offered.watchers->front();
            for (int i = 0; i < 100; ++i) calls.push_back(kept.later(i));
        }
        REQUIRE(both.impl.waiting->arrived.reaches(100));
        both.client.reset();
    }
    for (auto& each : calls) CHECK_FALSE(std::move(each).get_result().has_value());
}

TEST_CASE("call back: many clients are called at once, each over its own connection") {
    connected both;
    std::vector<std::unique_ptr<futon::client>> clients;
    std::vector<watcher> impls(8);
    for (auto& each : impls) {
        clients.push_back(std::make_unique<futon::client>(to(both.server.addresses())));
        clients.back()->provide<Watcher>(each);
        clients.back()->stub<Board>().subscribe().get();
    }
    std::vector<future<void>> sent;
    for (int i = 0; i < 50; ++i)
        for (auto& to : *both.offered.watchers) sent.push_back(to.changed("n"));
    futon::when_all(std::move(sent)).get();
    for (auto& each : impls) CHECK(each.changes->count() == 50);
}

TEST_CASE("call back: an implementation given by reference is not used after its client is gone") {
    futon::runtime shared;
    connected both;
    for (int round = 0; round < 20; ++round) {
        auto impl = std::make_unique<watcher>();
        std::optional<futon::client> client;
        auto options = to(both.server.addresses());
        options.runtime = shared;
        client.emplace(std::move(options));
        client->provide<Watcher>(std::ref(*impl));
        client->stub<Board>().subscribe().get();
        const auto kept = both.offered.watchers->back();
        std::vector<future<int>> calls;
        for (int i = 0; i < 20; ++i) calls.push_back(kept.twice(i));
        client.reset();
        impl.reset();
        for (auto& each : calls) static_cast<void>(std::move(each).get_result());
    }
}

// Holds the thread that it runs on, and uses itself afterwards.
struct lingering_watcher : watcher {
    futon::client* to_close = nullptr;
    std::shared_ptr<futon_tests::tally> begun = std::make_shared<futon_tests::tally>();
    std::shared_ptr<futon_tests::tally> go_on = std::make_shared<futon_tests::tally>();
    std::shared_ptr<futon_tests::tally> done = std::make_shared<futon_tests::tally>();
    std::unique_ptr<int> factor = std::make_unique<int>(2);

    future<int> twice(int x) {
        if (to_close) to_close->close();
        const auto told = done;
        begun->add();
        static_cast<void>(go_on->reaches(1));
        const int result = *factor * x;
        told->add();
        return futon::make_ready(result);
    }
};

TEST_CASE(
    "call back: on a lent io_context, what was provided lives until its handlers have returned, though the client has gone") {
    connected both;
    asio::io_context context;
    auto busy = asio::make_work_guard(context);
    std::thread runs{[&] { context.run(); }};
    lingering_watcher impl;
    const auto begun = impl.begun;
    const auto go_on = impl.go_on;
    const auto done = impl.done;
    auto options = to(both.server.addresses());
    options.runtime = futon::runtime{context};
    auto client = std::make_unique<futon::client>(std::move(options));
    client->provide<Watcher>(std::move(impl));
    auto asked = client->stub<Board>().ask(1);
    CHECK(begun->reaches(1));
    client.reset();
    go_on->add();
    CHECK(done->reaches(1));
    CHECK(std::move(asked).get_result().error() == errc::client_closed);
    busy.reset();
    runs.join();
}

TEST_CASE(
    "call back: a client that was closed on its own thread waits there for its handlers when it is destroyed elsewhere") {
    connected both;
    auto client = std::make_unique<futon::client>(to(both.server.addresses()));
    auto impl = std::make_unique<lingering_watcher>();
    const auto done = impl->done;
    impl->to_close = client.get();
    client->provide<Watcher>(std::ref(*impl));
    auto asked = client->stub<Board>().ask(1);
    CHECK(impl->begun->reaches(1));
    std::thread later{[&, go_on = impl->go_on] { go_on->add(); }};
    client.reset();
    CHECK(done->count() == 1);
    impl.reset();
    later.join();
    CHECK(std::move(asked).get_result().error() == errc::client_closed);
}

TEST_CASE("call back: a server closes a connection without calls after idle_close, unless that is zero") {
    for (const bool keeps : {false, true}) {
        CAPTURE(keeps);
        futon::testing::simulation world;
        futon::server_options serving{.listen = "memory://board", .runtime = world.runtime()};
        if (keeps) serving.limits.idle_close = 0s;
        futon::server server{serving};
        board offered;
        server.provide<Board>(offered);
        server.start();
        futon::client client{{.endpoints = "memory://board", .runtime = world.runtime()}};
        client.provide<Watcher>(watcher{});
        world.get(client.stub<Board>().subscribe());
        const auto kept = offered.watchers->front();
        world.advance(80s);
        CHECK(world.get(kept.twice(1)) == 2);
        world.advance(80s);
        CHECK(world.get(kept.twice(2)) == 4);  // Calls back count, too.
        world.advance(10min);
        const auto got = world.get_result(kept.twice(3));
        CHECK(got.has_value() == keeps);
        if (!keeps) CHECK(got.error() == errc::connection_lost);
    }
}

TEST_CASE("call back: a client that leaves an endpoint takes no more calls from it, and waits for its own") {
    struct asks_late : board {
        future<int> ask_later(futon::call_context& from, int x) {
            return futon::delay(100ms).then([back = from.caller<Watcher>(), x] {
                return back.twice(x).recover(
                    errc::unavailable, [](const futon::error& why) { return why.ran() == executed::no ? -1 : -2; });
            });
        }
    };
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://board", .runtime = world.runtime()}};
    server.provide<Board>(asks_late{});
    server.start();
    std::function<void(futon::endpoints)> push;
    futon::client client{
        {.endpoints = "memory://board", .source = [&](auto to) { push = to; }, .runtime = world.runtime()}};
    client.provide<Watcher>(watcher{});
    auto asked = client.stub<Board>().ask_later(1);
    world.advance(50ms);
    push(futon::endpoints{"memory://elsewhere"});
    CHECK(world.get(std::move(asked)) == -1);
    push = nullptr;
}

TEST_CASE("call back: world, server and client end in any order, in the middle of calls back") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 dice{seed};
        std::optional<futon::testing::simulation> world{
            std::in_place, futon::testing::simulation_options{.seed = seed, .shuffle = seed % 2 == 0}};
        std::optional<futon::server> server{
            std::in_place, futon::server_options{.listen = "memory://board", .runtime = world->runtime()}};
        server->provide<Board>(board{});
        server->start();
        std::optional<futon::client> client{
            std::in_place, futon::client_options{.endpoints = "memory://board", .runtime = world->runtime()}};
        watcher impl;
        client->provide<Watcher>(impl);
        std::vector<future<int>> calls;
        for (int i = 0; i < 12; ++i) {
            auto stub = client->stub<Board>();
            calls.push_back(i % 3 == 0 ? stub.ask(i) : i % 3 == 1 ? stub.ask_later(i) : stub.nested(1));
            if (dice() % 3 == 0) world->run();
        }
        int order[] = {0, 1, 2};
        std::shuffle(std::begin(order), std::end(order), dice);
        for (const int each : order) {
            if (each == 0) world.reset();
            if (each == 1) server.reset();
            if (each == 2) client.reset();
            if (world && dice() % 2 == 0) world->run();
        }
        for (auto& each : calls) CHECK(each.is_ready());
    }
}

}  // namespace
