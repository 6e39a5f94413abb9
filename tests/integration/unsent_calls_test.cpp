// SPDX-License-Identifier: Apache-2.0
// Calls that had not left when their only connection broke.

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Board {
    int post(std::string text);
};
FUTON_SERVICE(Board, post)

struct board {
    int posted = 0;
    int post(const std::string&) { return ++posted; }
};

TEST_CASE("client: calls that had not left when their only connection broke wait for the next one") {
    board impl;
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://board", .runtime = world.runtime()}};
    server.provide<Board>(std::ref(impl));
    server.start();
    futon::client client{{.endpoints = "memory://board", .runtime = world.runtime()}};
    const auto stub = client.stub<Board>();
    world.get(stub.post("first"));

    // The bytes of one call fill the way, and the others wait behind them.
    world.faults("memory://board", {.delay = 10ms, .most_buffered = 64});
    auto leaving = stub.post(std::string(10'000, 'x'));
    world.run();
    std::vector<futon::future<int>> unsent;
    for (int i = 0; i < 20; ++i) unsent.push_back(stub.post("second"));
    world.run();
    world.cut("memory://board");
    world.faults("memory://board", {});

    const auto lost = world.get_result(std::move(leaving));
    CHECK(lost.error() == futon::errc::connection_lost);
    CHECK(lost.error().ran() == futon::executed::maybe);
    for (const auto& each : world.get(futon::all_settled(std::move(unsent)))) CHECK(each.error() == std::error_code{});
    CHECK(impl.posted == 21);
    // Each moved once: none asked the broken connection again.
    CHECK(client.stats().retries == 20);
}

}  // namespace
