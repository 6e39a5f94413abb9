// SPDX-License-Identifier: Apache-2.0
// Work without an end, when its server stops: it is told, and need not be cut.

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::simulation;

namespace {

struct News {
    futon::stream<int> subscribe(bool listens);
    futon::stream<int> follow();
    int wait();
    int fail();
};
FUTON_SERVICE(News, subscribe, follow, wait, fail)

// An item a second, for ever.
struct news {
    futon::task<void> subscribe(futon::call_context& call, bool listens, futon::sink<int> out) {
        const auto stopping = listens ? call.drain_token() : std::stop_token{};
        for (int number = 1;; ++number) {
            co_await out.send(number);
            auto next = futon::delay(1s).cancel_with(stopping);
            auto waited = co_await futon::no_throw(std::move(next));
            if (!waited && stopping.stop_requested())
                throw futon::rpc_error{{futon::errc::unavailable, "the server is stopping"}};
            if (!waited) waited.error().raise();
        }
    }
    // The same, and what cancels the wait ends the handler.
    futon::task<void> follow(futon::call_context& call, futon::sink<int> out) {
        for (int number = 1;; ++number) {
            co_await out.send(number);
            auto next = futon::delay(1s).cancel_with(call.drain_token());
            co_await std::move(next);
        }
    }
    futon::task<int> wait() {
        co_await futon::delay(5s);
        co_return 5;
    }
    futon::result<int> fail() { return futon::errc::cancelled; }
};

struct newsroom {
    std::vector<std::string> warnings;
    simulation world{{.log = [this](const futon::log_record& r) {
        if (r.kind == "slow_stop") warnings.emplace_back(r.text);
    }}};
    futon::server server{{.listen = "memory://news", .runtime = world.runtime()}};
    futon::client client{{.endpoints = "memory://news", .runtime = world.runtime()}};
    futon::stub<News> stub = client.stub<News>();

    newsroom() {
        server.provide<News>(news{});
        server.start();
    }
};

TEST_CASE("server: a subscription that heeds the drain token ends at once when the server stops") {
    newsroom at;
    auto items = at.stub.subscribe(true);
    CHECK(at.world.get(items.next()) == 1);
    CHECK(at.world.get(items.next()) == 2);
    const auto before = at.world.elapsed();
    auto stopped = at.server.stop(20s);
    // Its reader learns why, behind what was sent, and may go elsewhere.
    CHECK(at.world.get_result(items.next()).error() == futon::errc::unavailable);
    at.world.get(std::move(stopped));
    CHECK(at.world.elapsed() - before < 1ms);
    CHECK(at.warnings.empty());
}

TEST_CASE("server: a handler that the drain token has cancelled ends as unavailable, since its caller cancelled nothing") {
    newsroom at;
    CHECK(at.world.get_result(at.stub.fail()).error() == futon::errc::cancelled);  // Its own, while nothing stops.
    auto items = at.stub.follow();
    CHECK(at.world.get(items.next()) == 1);
    auto stopped = at.server.stop(20s);
    const auto end = at.world.get_result(items.next()).error();
    CHECK(end == futon::errc::unavailable);
    CHECK(end.message() == "the server is stopping");
    at.world.get(std::move(stopped));
}

TEST_CASE("server: other calls have the time to drain, and what does not heed the token is cut at its end") {
    newsroom at;
    auto items = at.stub.subscribe(false);
    CHECK(at.world.get(items.next()) == 1);
    auto call = at.stub.with({.timeout = 10s}).wait();
    at.world.run();
    const auto before = at.world.elapsed();
    auto stopped = at.server.stop(20s);
    CHECK(at.world.get(std::move(call)) == 5);
    at.world.get(std::move(stopped));
    CHECK(at.world.elapsed() - before == 20s);
    // Whoever waits for the process to end is told what it waits for.
    REQUIRE(at.warnings.size() == 2);
    CHECK(at.warnings[0].starts_with("the server stops, and waits; calls in flight: 2, connections: 1; cut in 19 s"));
    CHECK(at.warnings[1] ==
          "the server's time to stop is over: what is left is cut; calls in flight: 1, connections: 1");
}

}  // namespace
