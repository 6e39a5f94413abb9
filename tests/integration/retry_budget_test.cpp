// SPDX-License-Identifier: Apache-2.0
// What the budget does not let a client make again is not silent.

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Reader {
    std::string read(int page);
};
FUTON_SERVICE(Reader, (read, futon::idempotent))

struct slow_reader {
    futon::task<std::string> read(int page) {
        co_await futon::delay(100ms);
        co_return std::to_string(page);
    }
};

TEST_CASE("client: of many calls that a broken connection took along the budget repeats ten, and the rest is counted") {
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://reader", .runtime = world.runtime()}};
    server.provide<Reader>(slow_reader{});
    server.start();
    futon::client client{{.endpoints = "memory://reader", .wait_for_ready = true, .runtime = world.runtime()}};
    const auto reader = client.stub<Reader>();

    std::vector<futon::future<std::string>> calls;
    for (int page = 0; page < 40; ++page) calls.push_back(reader.read(page));
    world.advance(50ms);
    world.cut("memory://reader");

    int answered = 0;
    int lost = 0;
    for (const auto& end : world.get(futon::all_settled(std::move(calls)))) {
        answered += end ? 1 : 0;
        lost += end.error() == futon::errc::connection_lost && end.error().ran() == futon::executed::maybe ? 1 : 0;
    }
    CHECK(answered == 10);
    CHECK(lost == 30);
    CHECK(client.stats().retries == 10);
    CHECK(client.stats().retries_refused == 30);
}

}  // namespace
