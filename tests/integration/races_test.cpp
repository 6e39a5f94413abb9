// SPDX-License-Identifier: Apache-2.0
// Everything at once: each call ends once, with something that can be true.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

// Counts the runs of each call by its number.
struct counted : echo_service {
    static constexpr std::size_t most = 20'000;
    std::int64_t echo(std::int64_t n) {
        ran[static_cast<std::size_t>(n)].fetch_add(1);
        return n;
    }
    void hold(futon::responder<std::int64_t> answer, std::int64_t n) {
        ran[static_cast<std::size_t>(n)].fetch_add(1);
        answer(n);
    }
    std::array<std::atomic<int>, most> ran{};
};

TEST_CASE("races: a cancel from another thread against the reply") {
    auto service = std::make_shared<counted>();
    futon::server server{quiet_server()};
    server.provide<Echo>(service, {.run_on = futon::run_on::io});
    server.start();
    futon::client client{to(server.addresses())};
    const auto stub = client.stub<Echo>();
    constexpr int rounds = 5000;
    std::vector<futon::cancel_handle> handles(rounds);
    std::atomic<int> made{0};
    std::thread canceller{[&] {
        for (int i = 0; i < rounds; ++i) {
            while (made.load() <= i) std::this_thread::yield();
            handles[static_cast<std::size_t>(i)].cancel();
        }
    }};
    std::size_t values = 0;
    std::size_t cancelled = 0;
    std::size_t lies = 0;
    for (int i = 0; i < rounds; ++i) {
        auto call = stub.hold(i);
        handles[static_cast<std::size_t>(i)] = call.get_cancel_handle();
        made = i + 1;
        if (i % 3 == 0) std::this_thread::yield();
        auto got = std::move(call).get_result();
        if (got) {
            ++values;
            lies += *got == i ? 0u : 1u;
        } else {
            ++cancelled;
            lies += got.error() == futon::errc::cancelled ? 0u : 1u;
            if (got.error().ran() == futon::executed::no)
                lies += service->ran[static_cast<std::size_t>(i)] == 0 ? 0u : 1u;
        }
    }
    canceller.join();
    CHECK(values + cancelled == rounds);
    CHECK(lies == 0);
    CHECK(stub.echo(rounds).get() == rounds);
    // Counted when the replies that came together have been handed out, which wakes this thread.
    CHECK(soon([&] { return client.stats().wire.in_flight_sent == 0; }));
    // What was cancelled with a cancel on the wire is forgotten there too.
    CHECK(soon([&] { return server.stats().in_flight == 0 && server.stats().wire.in_flight_received == 0; }));
}

TEST_CASE("races: calls, cancels, timeouts and servers that come and go, on several I/O threads") {
    auto service = std::make_shared<counted>();
    std::array<std::unique_ptr<futon::server>, 2> servers;
    std::vector<futon::endpoint> addresses;
    const auto start = [&](std::size_t which) {
        auto options = quiet_server();
        if (addresses.size() > which) options.listen = addresses[which];
        servers[which] = std::make_unique<futon::server>(options);
        servers[which]->provide<Echo>(service, {.run_on = futon::run_on::io});
        servers[which]->start();
        if (addresses.size() <= which) addresses.push_back(servers[which]->addresses()[0]);
    };
    start(0);
    start(1);
    auto options = to(addresses);
    options.threads.io_threads = 3;
    options.connections_per_endpoint = 2;
    options.wait_for_ready = true;
    options.reconnect.base = 1ms;
    options.reconnect.ceiling = 4ms;
    futon::client client{options};

    constexpr std::size_t threads = 3;
    constexpr std::size_t each = 2000;
    std::vector<std::atomic<int>> endings(threads * each);
    std::vector<futon::executed> truth(threads * each, futon::executed::maybe);
    std::atomic<std::size_t> values{0};
    std::atomic<std::size_t> wrong{0};
    tally done;
    std::vector<std::thread> callers;
    for (std::size_t t = 0; t < threads; ++t) {
        callers.emplace_back([&, t, stub = client.stub<Echo>()] {
            std::mt19937 dice{static_cast<unsigned>(t)};
            std::vector<futon::cancel_handle> handles;
            for (std::size_t i = 0; i < each; ++i) {
                const auto id = t * each + i;
                auto call = dice() % 8 == 0 ? stub.with({.timeout = std::chrono::microseconds{dice() % 3000}})
                                                  .hold(static_cast<std::int64_t>(id))
                                            : stub.hold(static_cast<std::int64_t>(id));
                handles.push_back(call.get_cancel_handle());
                std::move(call).on_complete([&, id](futon::result<std::int64_t> got) {
                    if (got) {
                        ++values;
                        truth[id] = futon::executed::yes;
                        if (*got != static_cast<std::int64_t>(id)) ++wrong;
                    } else {
                        truth[id] = got.error().ran();
                        const auto& why = got.error();
                        if (why != futon::errc::cancelled && why != futon::errc::deadline_exceeded &&
                            !why.is(futon::cond::unavailable))
                            ++wrong;
                    }
                    endings[id].fetch_add(1);
                    done.add();
                });
                if (dice() % 4 == 0) handles[dice() % handles.size()].cancel();
                if (dice() % 16 == 0) std::this_thread::yield();
            }
        });
    }
    std::mt19937 dice{7};
    for (int restart = 0; restart < 12; ++restart) {
        REQUIRE(done.reaches(static_cast<std::size_t>(restart) * 400));
        const auto which = dice() % 2;
        if (dice() % 2 == 0) servers[which]->stop(10ms).get();
        servers[which].reset();
        start(which);
    }
    for (auto& caller : callers) caller.join();
    REQUIRE(done.reaches(threads * each));
    CHECK(wrong == 0);
    CHECK(values > 0);
    client.close();
    for (auto& server : servers) server.reset();
    std::size_t lies = 0;
    for (std::size_t id = 0; id < threads * each; ++id) {
        const auto ran = service->ran[id].load();
        if (endings[id] != 1 || ran > 1) ++lies;
        if (truth[id] == futon::executed::no && ran != 0) ++lies;
        if (truth[id] == futon::executed::yes && ran != 1) ++lies;
    }
    CHECK(lies == 0);
}

// What replies complete makes the next calls, where the connection is on offer to all of them.
TEST_CASE("races: calls made where replies come in, against whatever changes where they go") {
    auto service = std::make_shared<counted>();
    std::array<std::unique_ptr<futon::server>, 2> servers;
    for (auto& server : servers) {
        server = std::make_unique<futon::server>(quiet_server());
        server->provide<Echo>(service, {.run_on = futon::run_on::io});
        server->start();
    }
    const std::array lists{servers[0]->addresses(), servers[1]->addresses()};
    std::function<void(futon::endpoints)> push;
    auto options = to(lists[0]);
    options.threads.io_threads = 2;
    options.wait_for_ready = true;
    options.source = [&](auto hear) { push = hear; };
    futon::client client{options};

    constexpr std::size_t chains = 8;
    constexpr std::size_t most = 16'000;
    std::atomic<std::size_t> next{0};
    std::vector<std::atomic<int>> endings(most);
    std::atomic<std::size_t> wrong{0};
    tally done;
    const auto stub = client.stub<Echo>();
    std::function<void()> call = [&] {
        const auto id = next.fetch_add(1);
        if (id >= most) return;
        stub.hold(static_cast<std::int64_t>(id), [&, id](futon::result<std::int64_t> got) {
            if (got ? *got != static_cast<std::int64_t>(id) : !got.error().is(futon::cond::unavailable) && got.error() != futon::errc::client_closed)
                ++wrong;
            endings[id].fetch_add(1);
            done.add();
            call();
        });
    };
    for (std::size_t i = 0; i < chains; ++i) call();
    for (std::size_t change = 1; change <= 60; ++change) {
        REQUIRE(done.reaches(change * most / 80));
        switch (change % 3) {
            case 0: push(lists[change / 3 % 2]); break;
            case 1: client.update({.timeout = ceiling, .retry = futon::exponential_backoff{.max_attempts = 2}}); break;
            case 2: static_cast<void>(stub.echo(static_cast<std::int64_t>(change)).get_result()); break;
        }
    }
    client.close();
    REQUIRE(done.reaches(most));
    CHECK(wrong == 0);
    std::size_t lies = 0;
    for (const auto& each : endings) lies += each == 1 ? 0u : 1u;
    CHECK(lies == 0);
    CHECK(client.stats().calls == most + 20);
}

}  // namespace
