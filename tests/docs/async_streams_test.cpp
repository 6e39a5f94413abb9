// SPDX-License-Identifier: Apache-2.0
// The code of docs/async.md: streams in both directions.
#include "async_shop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace async_docs;

namespace {

// [contract]
struct Tick {
    std::string symbol;
    double price = 0;
};
struct Report {
    int rows = 0;
};

struct Market {
    futon::stream<Tick> subscribe(std::string symbol);                  // items from the server
    double average(futon::stream<double> prices);                       // items from the client
    futon::stream<std::string> chat(futon::stream<std::string> lines);  // both
    futon::stream<int, Report> load(int rows);                          // items, and then a result
};
FUTON_SERVICE(Market, subscribe, average, chat, load)
// [/contract]

// [server]
struct market_impl {
    tally& ended;

    futon::task<void> subscribe(std::string symbol, futon::sink<Tick> out) {
        const std::stop_callback told{out.stop_token(), [this] { ended.add(); }};  // the reader has gone
        for (double price = 1;; price += 0.25) {
            Tick tick{symbol, price};
            co_await out.send(tick);  // goes on while there is room, else waits for the reader; throws when nobody listens
        }
    }
    futon::task<double> average(futon::stream<double> prices) {
        double sum = 0;
        int count = 0;
        while (auto price = co_await prices.next()) {  // nothing at the end
            sum += *price;
            ++count;
        }
        co_return count == 0 ? 0 : sum / count;
    }
    futon::task<void> chat(futon::stream<std::string> lines, futon::sink<std::string> out) {
        while (auto line = co_await lines.next()) co_await out.send("you said " + *line);
    }
    futon::task<Report> load(int rows, futon::sink<int> out) {
        for (int percent = 0; percent <= 100; percent += 10) co_await out.send(percent);
        co_return Report{rows};
    }
};
// [/server]

// [at_once]
struct counting_impl {
    // Reads and writes at once. Both may use what stands here: join() waits until both have ended.
    futon::task<void> chat(futon::stream<std::string> lines, futon::sink<std::string> out) {
        int heard = 0;
        futon::call_group both;  // on the thread of this handler, so that heard needs no lock
        both.spawn(listen(lines, heard, both));
        both.spawn(tell(heard, out));
        static_cast<void>(co_await futon::no_throw(both.join()));
    }
    static futon::task<void> listen(futon::stream<std::string>& lines, int& heard, futon::call_group& both) {
        while (auto line = co_await lines.next()) ++heard;
        both.cancel();  // the caller has closed its side: that is all
    }
    static futon::task<void> tell(const int& heard, futon::sink<std::string>& out) {
        for (;;) {
            co_await out.send(std::to_string(heard));
            co_await futon::delay(10ms);
        }
    }
};
// [/at_once]

// [client]
futon::task<double> highest(futon::stub<Market> market, int count) {
    double best = 0;
    auto ticks = market.subscribe("EUR");        // at once; nothing to wait for
    while (auto tick = co_await ticks.next()) {  // one optional each; or it throws, after the items that came before
        best = std::max(best, tick->price);
        if (--count == 0) break;
    }
    co_return best;
}  // the stream goes out of scope: the server is told
// [/client]

// [upload_loop]
futon::task<double> average_of(futon::stub<Market> market, std::vector<double> prices) {
    auto [out, in] = futon::make_stream<double>(16);
    auto average = market.average(std::move(in));
    for (double price : prices) {
        auto sent = co_await futon::no_throw(out.send(price));
        if (!sent) break;  // the call is over, for sent.error(); its own future says the same
    }
    out.close();
    co_return co_await std::move(average);  // the result, or throws why there is none
}
// [/upload_loop]

struct Counting {
    futon::stream<std::string> chat(futon::stream<std::string> lines);
};
FUTON_SERVICE(Counting, chat)

TEST_CASE("docs: a handler that reads and writes at once ends when its caller closes, and when its reader goes") {
    futon::server server;
    server.provide<Counting>(counting_impl{});
    server.start();
    futon::client client{server.addresses()};
    const auto counting = client.stub<Counting>();
    for (int i = 0; i < 10; ++i) {
        auto [say, lines] = futon::make_stream<std::string>(16);
        auto heard = counting.chat(std::move(lines));
        say.send("hello").get();
        auto told = heard.next().get();
        while (told && *told != "1") told = heard.next().get();
        REQUIRE(told);
        if (i % 2 == 0) continue;  // both go out of scope
        say.close();
        while (heard.next().get()) continue;
    }
    // One whose cancel may come before its handler's first turn.
    for (int i = 0; i < 20; ++i) {
        auto [say, lines] = futon::make_stream<std::string>(16);
        static_cast<void>(counting.chat(std::move(lines)));
    }
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (server.stats().in_flight > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    CHECK(server.stats().in_flight == 0);
}

TEST_CASE("docs: streams from the server, from the client, and in both directions") {
    tally ended;
    futon::server server;
    server.provide<Market>(market_impl{ended});
    server.start();
    futon::client client{server.addresses()};
    const auto market = client.stub<Market>();
    CHECK(futon::sync_wait(highest(market, 3)) == 1.5);
    CHECK(ended.reaches(1));

    // [loops]
    auto three = market.subscribe("EUR").take(3).collect(3).get();  // a vector<Tick>

    double sum = 0;
    auto done = market.subscribe("EUR")
        .map([](Tick tick) { return tick.price; })
        .take(3)
        .for_each([&](double price) { sum += price; });  // a future; for_each(8, f): up to 8 answers of f awaited at once
    std::move(done).get();
    // [/loops]
    CHECK(three.size() == 3);
    CHECK(sum == 3.75);

    // [upload]
    auto [out, in] = futon::make_stream<double>(16);  // a queue of at most 16 items
    futon::future<double> average = market.average(std::move(in));
    for (double price : {1.0, 2.0, 6.0}) out.send(price).get();  // blocks while there is no room; in a task: co_await
    out.close();                                                 // dropped without it: broken_promise
    // [/upload]
    CHECK(std::move(average).get() == 3);
    CHECK(futon::sync_wait(average_of(market, {1.0, 3.0})) == 2);
    const std::vector<double> many(100'000);
    futon::client gone{server.addresses()};
    const auto through = gone.stub<Market>();
    gone.close();
    CHECK_THROWS_AS(futon::sync_wait(average_of(through, many)), futon::rpc_error);

    // [both]
    auto [say, lines] = futon::make_stream<std::string>(16);
    auto heard = market.chat(std::move(lines));
    say.send("hello").get();
    std::optional<std::string> answer = heard.next().get();  // you said hello
    // [/both]
    CHECK(answer == "you said hello");
    say.close();
    CHECK_FALSE(heard.next().get());

    // [result]
    auto progress = market.load(1000);
    while (auto percent = progress.next().get()) std::clog << *percent << " %\n";
    Report report = progress.result().get();           // after the items
    Report only = market.load(1000).result().get();    // without them
    // [/result]
    CHECK(report.rows == 1000);
    CHECK(only.rows == 1000);

    // [limits]
    auto quiet = market.with({.timeout = 1h, .idle_timeout = 10s}).subscribe("EUR");
    // [/limits]
    CHECK(quiet.next().get().has_value());
}

TEST_CASE("docs: a stream hands on to the next service with the back-pressure of the first") {
    struct front {
        futon::stub<Market> next;
        // [forward]
        futon::stream<Tick> subscribe(std::string symbol) { return next.subscribe(symbol); }
        // [/forward]
        futon::task<double> average(futon::stream<double>) { co_return 0; }
        futon::task<void> chat(futon::stream<std::string>, futon::sink<std::string>) { co_return; }
        futon::task<Report> load(int, futon::sink<int>) { co_return Report{}; }
    };
    tally ended;
    futon::server behind;
    behind.provide<Market>(market_impl{ended});
    behind.start();
    futon::client to_behind{behind.addresses()};
    futon::server server;
    server.provide<Market>(front{to_behind.stub<Market>()});
    server.start();
    futon::client client{server.addresses()};
    CHECK(client.stub<Market>().subscribe("EUR").take(2).collect(2).get().size() == 2);
    CHECK(ended.reaches(1));
}

}  // namespace
