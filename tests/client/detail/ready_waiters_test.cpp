// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/ready_waiters.hpp>

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::detail::ready_waiters;

TEST_CASE("ready waiters: somebody who asks again and again in vain does not make it grow") {
    futon::testing::manual_executor place;
    ready_waiters all;
    std::size_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto told = std::make_shared<futon::promise<void>>(place);
        auto ready = told->get_future().timeout(1s);
        all.add(told);
        CHECK_FALSE(all.empty());
        place.advance(1s);
        CHECK(std::move(ready).get_result().error() == futon::errc::deadline_exceeded);
        CHECK(all.empty());
        most = std::max(most, all.held());
    }
    CHECK(most < 8);
}

TEST_CASE("ready waiters: all who still wait are told, once") {
    futon::testing::manual_executor place;
    ready_waiters all;
    std::vector<futon::future<void>> ready;
    for (int i = 0; i < 100; ++i) {
        const auto told = std::make_shared<futon::promise<void>>(place);
        ready.push_back(told->get_future());
        all.add(told);
        if (i % 3 == 0) ready.back().cancel();
    }
    ready_waiters::tell(all.take_all(), {});
    CHECK(all.empty());
    CHECK(all.held() == 0);
    for (std::size_t i = 0; i < ready.size(); ++i) CHECK(std::move(ready[i]).get_result().has_value() == (i % 3 != 0));
}

TEST_CASE("client: wait_ready that timed out is as if it had not been, and a later one is told") {
    futon::testing::simulation world;
    futon::client client{{.endpoints = "memory://late", .runtime = world.runtime()}};
    for (int i = 0; i < 20; ++i)
        CHECK(world.get_result(client.wait_ready(50ms)).error() == futon::errc::deadline_exceeded);
    auto ready = client.wait_ready(1h);
    futon::server server{{.listen = "memory://late", .runtime = world.runtime()}};
    server.start();
    CHECK(world.get_result(std::move(ready)).has_value());
    CHECK(world.get_result(client.wait_ready(50ms)).has_value());
}

}  // namespace
