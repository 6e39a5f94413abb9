// SPDX-License-Identifier: Apache-2.0
// A server that gets twice the calls that it can answer, with and without a limit: prints how long those that were answered took.
#include <futon/filters.hpp>
#include <futon/futon.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

struct Press {
    int print(int pages);
};
FUTON_SERVICE(Press, print)

struct press_impl {
    int print(int pages) {
        std::this_thread::sleep_for(4ms);  // a handler that blocks: it runs on the pool
        return pages;
    }
};

// With two threads it can print 500 times a second; it is asked for 1000.
void run(const std::string& name, futon::server_filters filters) {
    futon::server server{{.filters = std::move(filters), .threads = {.pool_threads = 2}}};
    server.provide<Press>(press_impl{});
    server.start();
    futon::client client{{.endpoints = server.addresses(), .timeout = 1s, .retry = {.max_attempts = 1}}};
    const auto press = client.stub<Press>();

    std::mutex mutex;
    std::vector<futon::duration> answered;
    int refused = 0;
    int late = 0;
    std::vector<futon::future<void>> calls;
    auto next = std::chrono::steady_clock::now();
    for (int i = 0; i < 3000; ++i, next += 1ms) {
        std::this_thread::sleep_until(next);
        calls.push_back(press.print(i).handle([&, begun = next](futon::result<int> got) {
            const std::lock_guard lock{mutex};
            if (got) return answered.push_back(std::chrono::steady_clock::now() - begun);
            ++(got.error() == futon::errc::overloaded ? refused : late);
        }));
    }
    for (auto& each : calls) std::move(each).get();
    std::sort(answered.begin(), answered.end());
    const auto ms = [&](std::size_t percent) {
        return answered.empty() ? 0 : std::chrono::duration_cast<std::chrono::milliseconds>(answered[answered.size() * percent / 100]).count();
    };
    std::cout << name << ": " << answered.size() << " answered, half of them within " << ms(50) << " ms, 99 of 100 within " << ms(99) << " ms; "
              << refused << " refused at once, " << late << " too late\n";
}

int main() {
    run("no limit         ", {});
    run("queue_limit      ", {futon::queue_limit{}});
    run("concurrency_limit", {futon::concurrency_limit{{.most = 8}}});
    run("adaptive_limit   ", {futon::adaptive_limit{{.initial = 4, .least = 2}}});
}
