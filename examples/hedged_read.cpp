// SPDX-License-Identifier: Apache-2.0
// A read that is late is asked for again, of another server. The first answer counts, and the other attempt is cancelled.
// expected output:
//   attempt 1
//   attempt 2
//   answer: blue
//   slow:   nobody waits for it any more
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

using namespace std::chrono_literals;

struct Store {
    std::string get(std::string key);
};
FUTON_SERVICE(Store, (get, futon::idempotent))

struct slow_store {
    futon::task<std::string> get(futon::call_context& call, std::string) {
        const std::stop_callback told{call.stop_token(), [this] { stopped.set_value(); }};
        begun.set_value();
        co_await futon::delay(10min);
        co_return std::string{"red"};
    }
    futon::promise<void> begun{};
    std::promise<void> stopped{};
};
// Fast, but for this example not before there is something to cancel.
struct fast_store {
    futon::shared_future<void> after;
    futon::task<std::string> get(std::string) {
        co_await after;
        co_return std::string{"blue"};
    }
};

int main() {
    slow_store slow;
    futon::server first_server;
    first_server.provide<Store>(std::ref(slow));
    first_server.start();
    futon::server second_server;
    second_server.provide<Store>(fast_store{slow.begun.get_future().share()});
    second_server.start();
    futon::client first{first_server.addresses()};
    futon::client second{second_server.addresses()};
    const std::vector<futon::stub<Store>> replicas{first.stub<Store>(), second.stub<Store>()};

    // [hedge]
    // 20 ms late: another attempt, at most one. That a read may run twice says its contract.
    futon::future<std::string> read = futon::hedge({.delay = 20ms, .max_attempts = 2}, [&](futon::attempt which) {
        std::cout << "attempt " << which.number << "\n";
        return replicas[static_cast<std::size_t>(which.number - 1)].get("colour");
    });
    // [/hedge]
    const std::string answer = std::move(read).get();
    std::cout << "answer: " << answer << "\n";
    slow.stopped.get_future().wait();
    std::cout << "slow:   nobody waits for it any more\n";
}
