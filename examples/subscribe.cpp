// SPDX-License-Identifier: Apache-2.0
// A subscription: the server sends for as long as somebody listens, and no faster than the slowest listener takes.
// expected output:
//   EUR 1.25
//   EUR 1.5
//   EUR 1.75
//   best of a thousand: 251
//   sent to the end: nothing
#include <futon/futon.hpp>

#include <algorithm>
#include <iostream>
#include <string>

struct Tick {
    std::string symbol;
    double price = 0;
};

struct Market {
    futon::stream<Tick> subscribe(std::string symbol);
};
FUTON_SERVICE(Market, subscribe)

// [server]
struct market_impl {
    futon::task<void> subscribe(std::string symbol, futon::sink<Tick> out) {
        for (double price = 1.25;; price += 0.25) {
            Tick tick{symbol, price};
            co_await out.send(tick);  // waits while there is no room; throws when nobody listens any more
        }
    }
};
// [/server]

// [client]
futon::task<void> show_three(futon::stub<Market> market) {
    auto ticks = market.subscribe("EUR").take(3);
    while (auto tick = co_await ticks.next()) std::cout << tick->symbol << " " << tick->price << "\n";
}
// [/client]

int main() {
    futon::server server;
    server.provide<Market>(market_impl{});
    server.start();
    futon::client client{server.addresses()};
    const auto market = client.stub<Market>();
    futon::sync_wait(show_three(market));

    // [loop]
    double best = 0;
    market.subscribe("EUR")
        .take(1000)
        .for_each([&](Tick tick) { best = std::max(best, tick.price); })
        .get();
    // [/loop]
    std::cout << "best of a thousand: " << best << "\n";

    auto ticks = market.subscribe("EUR");
    ticks.cancel();
    std::cout << "sent to the end: " << (ticks.next().get_result() ? "something" : "nothing") << "\n";
}
