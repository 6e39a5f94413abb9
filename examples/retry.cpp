// SPDX-License-Identifier: Apache-2.0
// Trying again, with pauses that grow: only what surely did not run, unless the work may run twice.
// expected output:
//   attempt 1
//   attempt 2
//   ...
//   written
//   not repeated: 1 attempt, may have run: maybe
#include <futon/futon.hpp>
#include <futon/testing/network.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

struct Store {
    void put(std::string key, std::string value);
};
FUTON_SERVICE(Store, put)

struct store_impl {
    // The first value is written at once; for the second one the network breaks before the answer.
    futon::future<void> put(std::string, std::string value) {
        if (value == "blue") return futon::make_ready();
        net.cut("memory://store");
        return futon::delay(10min);
    }
    futon::testing::network net;
};

int main() {
    const futon::testing::network net;  // in memory; with real servers everything below is the same
    futon::server server{{.listen = "memory://store", .threads = {.network = net}}};
    server.provide<Store>(store_impl{net});
    // The client's own attempts and its pauses between connections would hide what is shown here.
    futon::client client{{.endpoints = "memory://store", .retry = {.max_attempts = 1}, .reconnect = {.base = 5ms, .ceiling = 20ms},
                          .threads = {.least = futon::log_level::error, .network = net}}};
    const auto store = client.stub<Store>();

    std::promise<void> tried;
    // [retry]
    // put is not idempotent: only failures of which futon knows that the handler did not run are repeated.
    futon::future<void> written = futon::retry({.policy = {.max_attempts = 50, .base = 10ms, .ceiling = 200ms}}, [&](futon::attempt which) {
        std::cout << "attempt " << which.number << "\n";
        if (which.number == 2) tried.set_value();
        return store.put("colour", "blue");
    });
    // [/retry]
    tried.get_future().wait();
    server.start();  // the server comes up only now
    std::move(written).get();
    std::cout << "written\n";

    std::atomic<int> attempts{0};
    const auto lost = futon::retry(futon::exponential_backoff{}, [&] {
        ++attempts;
        return store.put("colour", "red");
    }).get_result();
    std::cout << "not repeated: " << attempts << " attempt, may have run: " << name(lost.error().ran()) << "\n";
}
