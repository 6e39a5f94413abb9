// SPDX-License-Identifier: Apache-2.0
#include <futon/serving/answers.hpp>

#include <futon/client.hpp>
#include <futon/server.hpp>
#include <futon/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Lock {
    std::string take(int number);
};
FUTON_SERVICE(Lock, take)

// Hands the lock on to all other waiters when one of them is gone.
struct lock_impl {
    struct waiter {
        waiter(futon::responder<std::string> to, std::stop_token token, std::function<void()> then)
            : answer{std::move(to)}, gone{std::move(token), std::move(then)} {}
        std::optional<futon::responder<std::string>> answer;
        std::stop_callback<std::function<void()>> gone;
    };

    void take(futon::call_context& call, futon::responder<std::string> answer, int number) {
        waiters.emplace_back(std::move(answer), call.stop_token(), [this, number] {
            told.push_back(number);
            int other = 0;
            for (auto& each : waiters)
                if (other++ != number) (*std::exchange(each.answer, std::nullopt))("yours");
        });
    }

    std::list<waiter> waiters;
    std::vector<int> told;
};

TEST_CASE("answers: calls that another's stop callback answers, while their connection is lost, are not told of it") {
    futon::testing::simulation world;
    lock_impl lock;
    {
        futon::server server{{.listen = "memory://lock", .runtime = world.runtime()}};
        server.provide<Lock>(std::ref(lock));
        server.start();
        std::vector<futon::future<std::string>> calls;
        {
            futon::client client{{.endpoints = "memory://lock", .runtime = world.runtime()}};
            for (int i = 0; i < 3; ++i) calls.push_back(client.stub<Lock>().take(i));
            world.run();
            REQUIRE(lock.waiters.size() == 3);
        }
        world.run();
        CHECK(lock.told.size() == 1);  // Which of them, their session does not say.
        for (auto& each : calls) CHECK(world.get_result(std::move(each)).error() == futon::errc::client_closed);
        CHECK(server.stats().in_flight == 1);
        lock.waiters.clear();  // That one is never answered but by this.
        world.run();
        CHECK(server.stats().in_flight == 0);
    }
}

}  // namespace
