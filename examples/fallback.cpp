// SPDX-License-Identifier: Apache-2.0
// Something else instead: another value, another call, one after the other, depending on what went wrong.
// expected output:
//   slow:  from the cache: tea
//   down:  nothing to recommend
//   fails: no user 0
#include <futon/futon.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct Recommender {
    std::string recommend(int user);
};
FUTON_SERVICE(Recommender, (recommend, futon::idempotent))

struct recommender_impl {
    futon::future<std::string> recommend(int user) {
        if (user == 0) throw std::invalid_argument{"no user 0"};
        return futon::delay(10min).then([] { return std::string{"cake"}; });
    }
};

std::string cached(int) { return "from the cache: tea"; }

// [fallback]
futon::future<std::string> recommend(futon::stub<Recommender> recommender, int user, futon::duration patience) {
    return recommender.recommend(user)
        .timeout(patience)  // and cancels the call
        .recover(futon::cond::timeout, [=](const futon::error&) { return cached(user); })
        .recover(futon::cond::unavailable, [](const futon::error&) { return std::string{"nothing to recommend"}; });
}
// [/fallback]

int main() {
    futon::server server;
    server.provide<Recommender>(recommender_impl{});
    server.start();
    futon::client client{server.addresses()};
    futon::client to_nobody{{.endpoints = "unix:///nonexistent/recommender", .threads = {.least = futon::log_level::error}}};

    std::cout << "slow:  " << recommend(client.stub<Recommender>(), 7, 30ms).get() << "\n";
    std::cout << "down:  " << recommend(to_nobody.stub<Recommender>(), 7, 1min).get() << "\n";
    // Neither late nor away: no fallback takes this error.
    const auto failed = recommend(client.stub<Recommender>(), 0, 1min).get_result();
    std::cout << "fails: " << (failed ? *failed : failed.error().message()) << "\n";
}
