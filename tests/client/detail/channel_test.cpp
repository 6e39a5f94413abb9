// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/channel.hpp>

#include <futon/futon.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Doubler {
    int twice(int n);
};
FUTON_SERVICE(Doubler, twice)

struct doubler {
    int twice(int n) { return 2 * n; }
};

// More than a connection may start before it knows the server's limits, and more than one batch.
TEST_CASE("client: calls made before the connection is up all follow, however many there are") {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<Doubler>(doubler{}, {.run_on = futon::run_on::io});
    server.start();
    futon::client client{{.endpoints = "tcp://127.0.0.1:" + std::to_string(server.port()), .timeout = 30s}};
    const auto stub = client.stub<Doubler>();
    std::vector<futon::future<int>> pending;
    for (int n = 0; n < 2000; ++n) pending.push_back(stub.twice(n));
    std::size_t right = 0;
    for (int n = 0; n < 2000; ++n) right += std::move(pending[static_cast<std::size_t>(n)]).get() == 2 * n ? 1u : 0u;
    CHECK(right == 2000);
    CHECK(client.stats().queued == 0);
}

TEST_CASE("client: calls at an endpoint that is no longer listed are shown, and end with the client") {
    struct slow_doubler {
        futon::future<int> twice(int n) {
            return futon::delay(10min).then([n] { return 2 * n; });
        }
    };
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://a", .runtime = world.runtime()}};
    server.provide<Doubler>(slow_doubler{});
    server.start();
    std::function<void(futon::endpoints)> push;
    std::optional<futon::client> client{std::in_place, futon::client_options{.endpoints = "memory://a",
                                                                             .source = [&](auto to) { push = to; },
                                                                             .runtime = world.runtime()}};
    auto call = client->stub<Doubler>().with({.timeout = 1h}).twice(1);
    world.advance(1s);
    for (const auto* elsewhere : {"memory://b", "memory://c", "memory://d"}) push(futon::endpoints{elsewhere});
    world.advance(1s);
    CHECK(world.get(client->pending_calls()).size() == 1);
    push = nullptr;
    client.reset();
    world.run();
    REQUIRE(call.is_ready());
    const auto why = std::move(call).get_result().error();
    CHECK(why == futon::errc::client_closed);
    CHECK(why.ran() == futon::executed::maybe);
}

TEST_CASE("client: of many calls that wait, each is cancelled or expires when its own time has come, once") {
    futon::testing::simulation world;
    futon::client client{{.endpoints = "memory://nobody", .wait_for_ready = true, .runtime = world.runtime()}};
    const auto stub = client.stub<Doubler>();
    constexpr int many = 2000;
    std::vector<futon::future<int>> all;
    for (int n = 0; n < many; ++n)
        all.push_back(stub.with({.timeout = 10s + std::chrono::milliseconds{n * 7 % many}}).twice(n));
    const auto ready = [&] { return std::ranges::count_if(all, [](const auto& each) { return each.is_ready(); }); };
    for (int n = many - 1; n > 0; n -= 2) all[static_cast<std::size_t>(n)].cancel();
    CHECK(client.stats().queued == many / 2);
    world.advance(9s);
    CHECK(ready() == many / 2);
    world.advance(1s + 999ms);
    CHECK(ready() == many / 2 + many / 4);
    CHECK(client.stats().queued == many / 4);
    world.advance(2s);
    CHECK(client.stats().queued == 0);
    for (int n = 0; n < many; ++n)
        CHECK(std::move(all[static_cast<std::size_t>(n)]).get_result().error() ==
              (n % 2 == 1 ? futon::errc::cancelled : futon::errc::deadline_exceeded));
}

TEST_CASE("client: when its world has ended, a call that would wait fails at once, and so do those that waited") {
    std::optional<futon::testing::simulation> world{std::in_place};
    futon::client client{{.endpoints = "memory://nobody", .wait_for_ready = true, .runtime = world->runtime()}};
    const auto stub = client.stub<Doubler>();
    auto waited = stub.twice(1);
    world->run();
    CHECK_FALSE(waited.is_ready());
    world.reset();
    REQUIRE(waited.is_ready());
    CHECK(std::move(waited).get_result().error() == futon::errc::client_closed);
    // The timer of its deadline is refused while the channel's lock is held.
    auto late = stub.twice(2);
    REQUIRE(late.is_ready());
    const auto why = std::move(late).get_result().error();
    CHECK(why == futon::errc::client_closed);
    CHECK(why.ran() == futon::executed::no);
    CHECK(client.stats().queued == 0);
}

TEST_CASE("server: when its world has ended, a stop that would take time is over at once") {
    std::optional<futon::testing::simulation> world{std::in_place};
    futon::memory_registry registry;
    futon::server server{{.listen = "memory://a", .registry = registry, .runtime = world->runtime()}};
    server.provide<Doubler>(doubler{});
    server.start();
    world->run();
    world.reset();
    // The registry has to hear of it, and the timer that bounds this is refused while the server's lock is held.
    static_cast<void>(server.stop(1s));
    CHECK(server.stats().connections == 0);
}

}  // namespace
