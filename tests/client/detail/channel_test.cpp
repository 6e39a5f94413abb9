// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/channel.hpp>

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

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

TEST_CASE("client: a peer that asks to wait past the deadline, or for ever, is not waited for") {
    const auto now = futon::time_point{} + 1h;
    const futon::error busy{futon::errc::overloaded, futon::executed::no};
    futon::detail::attempts attempts{futon::exponential_backoff{}};
    CHECK(attempts.after(busy.with_retry_after(1s), 1, false, now, now + 3s) == 1s);
    CHECK_FALSE(attempts.after(busy.with_retry_after(3s), 1, false, now, now + 3s));
    CHECK_FALSE(attempts.after(busy.with_retry_after(futon::duration::max()), 1, false, now, now + 3s));
    CHECK_FALSE(attempts.after(busy.with_retry_after(futon::duration::max()), 1, false, now, futon::no_deadline));
}

TEST_CASE("client: what never ran moves for nothing from a connection that is gone, and by the budget from a peer that stays") {
    const auto now = futon::time_point{} + 1h;
    const futon::error why{futon::errc::unavailable, futon::executed::no};
    futon::detail::attempts attempts{futon::exponential_backoff{}, {.share = 0, .per_second = 0, .reserve = 2}};
    for (int i = 0; i < 5; ++i) CHECK(attempts.after(why, 1, false, now, now + 3s, true) == 0s);
    CHECK(attempts.after(why, 1, false, now, now + 3s, false) == 20ms);
    CHECK(attempts.after(why, 1, false, now, now + 3s, false) == 20ms);
    CHECK_FALSE(attempts.after(why, 1, false, now, now + 3s, false));
    CHECK(attempts.after(why, 1, false, now, now + 3s, true) == 0s);
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

}  // namespace
