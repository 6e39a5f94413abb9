// SPDX-License-Identifier: Apache-2.0
// The code of docs/testing.md, and what it claims.
#include <futon/futon.hpp>

#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

// [service]
namespace bank {

struct Rates {
    double rate(std::string currency);
};
FUTON_SERVICE(Rates, (rate, futon::idempotent))

struct Quotes {
    std::string quote(std::string currency);
    double average(std::vector<double> amounts);
};
FUTON_SERVICE(Quotes, quote, average)

// The service under test: it calls another one, and makes do without it.
struct quotes_impl {
    futon::stub<Rates> rates;

    futon::task<std::string> quote(std::string currency) {
        auto asked = rates.with({.timeout = 200ms}).rate(currency).recover([] { return 0.0; });
        const auto rate = co_await std::move(asked);
        co_return rate > 0 ? currency + " at " + std::to_string(static_cast<int>(rate)) : "no quote for " + currency;
    }
    double average(const std::vector<double>& amounts) {
        double sum = 0;
        for (const double each : amounts) sum += each;
        return sum / static_cast<double>(amounts.size());
    }
};

}  // namespace bank
// [/service]

using bank::Quotes;
using bank::quotes_impl;
using bank::Rates;

namespace {

TEST_CASE("docs: the first test of testing.md") {
    // [first]
    futon::testing::simulation world;  // one thread, virtual time, no sockets

    futon::server server{{.listen = "memory://quotes", .runtime = world.runtime()}};
    server.provide<Quotes>(quotes_impl{});
    server.start();
    futon::client client{{.endpoints = "memory://quotes", .runtime = world.runtime()}};

    auto average = client.stub<Quotes>().average({1, 2, 6});  // nothing has run yet
    CHECK(!average.is_ready());
    world.run();  // until nothing is left to do without time passing
    REQUIRE(average.is_ready());
    CHECK(std::move(average).get() == 3);
    // [/first]
    CHECK(world.elapsed() == 0ns);
}

// [fixture]
struct test_bank {
    futon::testing::simulation world;
    futon::testing::fake<Rates> rates;
    futon::server server{{.listen = "memory://quotes", .runtime = world.runtime()}};
    futon::client client{{.endpoints = "memory://quotes", .runtime = world.runtime()}};
    futon::stub<Quotes> quotes = client.stub<Quotes>();

    test_bank() {
        server.provide<Quotes>(quotes_impl{rates.stub(world)});
        server.start();
    }
};
// [/fixture]

TEST_CASE("docs: the fake of testing.md") {
    // [fake]
    test_bank t;
    t.rates.on<&Rates::rate>([](const std::string& currency) { return currency == "EUR" ? 1.0 : 7.5; });

    CHECK(t.world.get(t.quotes.quote("CNY")) == "CNY at 7");
    CHECK(t.rates.calls<&Rates::rate>() == 1);
    CHECK(t.rates.arguments<&Rates::rate>() == std::vector<std::tuple<std::string>>{{"CNY"}});
    // [/fake]

    // [fake_fails]
    t.rates.on<&Rates::rate>([](const std::string&) -> futon::result<double> {
        return futon::error{futon::errc::permission_denied, "the market is closed"};
    });
    CHECK(t.world.get(t.quotes.quote("CNY")) == "no quote for CNY");
    // [/fake_fails]
}

TEST_CASE("docs: the slow fake of testing.md") {
    // [slow]
    test_bank t;
    t.rates.on<&Rates::rate>([](std::string) -> futon::task<double> {
        co_await futon::delay(10s);
        co_return 7.5;
    });
    CHECK(t.world.get(t.quotes.quote("CNY")) == "no quote for CNY");
    CHECK(t.world.elapsed() == 200ms);  // the timeout that the service asked for
    // [/slow]
}

TEST_CASE("docs: the way to a fake of testing.md") {
    test_bank t;
    t.rates.on<&Rates::rate>([](const std::string&) { return 7.5; });
    // [fake_address]
    t.world.faults("memory://fake-Rates", {.drop = true});  // the way to the fake; "memory://quotes" is that to the service
    CHECK(t.world.get(t.quotes.quote("CNY")) == "no quote for CNY");
    // [/fake_address]
    CHECK(t.world.elapsed() == 200ms);
}

TEST_CASE("docs: the clock of testing.md") {
    test_bank t;
    t.rates.on<&Rates::rate>([](std::string) -> futon::task<double> {
        co_await futon::delay(150ms);
        co_return 7.5;
    });
    // [clock]
    auto quote = t.quotes.quote("CNY");
    t.world.advance(150ms - 1ns);
    CHECK(!quote.is_ready());
    t.world.advance(1ns);  // timers fire in order, each followed by what it made ready
    CHECK(quote.is_ready());

    const auto both = [](futon::stub<Quotes> quotes) -> futon::task<std::string> {
        const auto first = co_await quotes.quote("CNY");
        const auto second = co_await quotes.quote("USD");
        co_return first + ", " + second;
    };
    CHECK(t.world.get(both(t.quotes)) == "CNY at 7, USD at 7");  // a test may be a coroutine
    CHECK(t.world.elapsed() == 450ms);
    // [/clock]
}

TEST_CASE("docs: the faults of testing.md") {
    test_bank t;
    t.rates.on<&Rates::rate>([](const std::string&) { return 7.5; });
    // [faults]
    t.world.faults("memory://quotes", {.delay = 10ms});  // each way; to connect takes three of them
    CHECK(t.world.get(t.quotes.quote("CNY")) == "CNY at 7");
    CHECK(t.world.elapsed() == 50ms);

    t.world.faults("memory://quotes", {.drop = true});  // silence
    CHECK(t.world.get_result(t.quotes.quote("CNY")).error() == futon::errc::deadline_exceeded);

    t.world.faults("memory://quotes", {});  // well again
    t.world.cut("memory://quotes");         // once
    CHECK(t.world.get(t.quotes.with({.wait_for_ready = true}).quote("CNY")) == "CNY at 7");
    // [/faults]
}

// [seed]
std::vector<std::string> stormy_day(std::uint64_t seed) {
    futon::testing::simulation world{{.seed = seed, .shuffle = true, .keep_trace = true}};
    futon::server server{{.listen = "memory://quotes", .runtime = world.runtime()}};
    server.provide<Quotes>(quotes_impl{});
    server.start();
    futon::client client{{.endpoints = "memory://quotes", .runtime = world.runtime()}};
    world.faults("memory://quotes", {.jitter = 50ms, .drop_chance = 0.02, .cut_chance = 0.05});

    int ended = 0;
    for (int i = 0; i < 20; ++i) {
        client.stub<Quotes>().average({1, 2}, [&](futon::result<double>) { ++ended; });
        world.advance(20ms);
    }
    world.advance(1min);
    CHECK(ended == 20);  // whatever happens, each call ends, once
    return world.trace();
}

TEST_CASE("quotes: survive a hundred stormy days") {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);  // a failure names the day, and it can be had again
        stormy_day(seed);
    }
    CHECK(stormy_day(7) == stormy_day(7));
}
// [/seed]

TEST_CASE("docs: the threads of testing.md") {
    // [threads]
    const futon::testing::network net;
    futon::server server{{.listen = "memory://quotes", .threads = {.network = net}}};
    server.provide<Quotes>(quotes_impl{});
    server.start();
    futon::client client{{.endpoints = "memory://quotes", .threads = {.network = net}}};
    CHECK(client.stub<Quotes>().average({1, 2, 6}).get() == 3);
    // [/threads]

    // [alone]
    futon::testing::fake<Rates> rates;
    rates.on<&Rates::rate>([](const std::string&) { return 7.5; });
    CHECK(rates.stub().rate("CNY").get() == 7.5);
    // [/alone]
}

struct blocking_impl {
    futon::stub<Rates> rates;
    std::string quote(const std::string& currency) { return std::to_string(rates.rate(currency).get()); }
    double average(const std::vector<double>&) { return 0; }
};

TEST_CASE("docs: a handler that blocks fails at once in a simulation, and says why") {
    futon::testing::simulation world;
    futon::testing::fake<Rates> rates;
    futon::server server{{.listen = "memory://quotes", .runtime = world.runtime()}};
    server.provide<Quotes>(blocking_impl{rates.stub(world)});
    server.start();
    futon::client client{{.endpoints = "memory://quotes", .runtime = world.runtime()}};
    const auto blocked = world.get_result(client.stub<Quotes>().quote("CNY"));
    REQUIRE(!blocked);
    CHECK(blocked.error() == futon::errc::would_deadlock);
    CHECK(world.elapsed() == 0ns);
}

}  // namespace
