// SPDX-License-Identifier: Apache-2.0
// Handlers that call another service. They return a future or a coroutine and hold no thread while they wait. The
// deadline and the cancellation of the call that they answer reach the calls that they make.
// expected output:
//   quote: 13.2 USD
//   total: 22
//   slow:  deadline_exceeded
//   rates: the caller gave up
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <stop_token>
#include <string>

using namespace std::chrono_literals;

struct Rates {
    double rate(std::string currency);
    double slow_rate(std::string currency);
};
FUTON_SERVICE(Rates, rate, slow_rate)

struct Quote {
    double amount = 0;
    std::string currency;
};
struct Quotes {
    Quote quote(int amount, std::string currency);
    double total(int first, int second);
    double slow_quote();
};
FUTON_SERVICE(Quotes, quote, total, slow_quote)

struct rates_impl {
    double rate(std::string) { return 1.1; }
    futon::task<double> slow_rate(futon::call_context& call, std::string) {
        const std::stop_callback told{call.stop_token(), [this] { gave_up.set_value(); }};
        co_await futon::delay(10min);
        co_return 1.1;
    }
    std::promise<void> gave_up;
};

// [handlers]
struct quotes_impl {
    futon::stub<Rates> rates;

    // A chain of futures...
    futon::future<Quote> quote(int amount, std::string currency) {
        return rates.rate(currency).then([=](double rate) { return Quote{amount * rate, "USD"}; });
    }
    // ...a coroutine...
    futon::task<double> total(int first, int second) {
        const double rate = co_await rates.rate("EUR");
        co_return rate * (first + second);
    }
    // ...or just the call itself.
    futon::future<double> slow_quote() { return rates.slow_rate("EUR"); }
};
// [/handlers]

int main() {
    rates_impl rates;
    futon::server rates_server;
    rates_server.provide<Rates>(std::ref(rates));  // by reference: it outlives the server
    rates_server.start();

    futon::client rates_client{rates_server.addresses()};
    futon::server quotes_server;
    quotes_server.provide<Quotes>(quotes_impl{rates_client.stub<Rates>()});
    quotes_server.start();

    futon::client client{quotes_server.addresses()};
    const auto quotes = client.stub<Quotes>();

    const Quote quote = quotes.quote(12, "EUR").get();
    std::cout << "quote: " << quote.amount << " " << quote.currency << "\n";
    std::cout << "total: " << quotes.total(8, 12).get() << "\n";

    // 500 ms for everything: the inner call inherits what is left of them.
    const auto slow = quotes.with({.timeout = 500ms}).slow_quote().get_result();
    std::cout << "slow:  " << slow.error().code().message() << "\n";
    rates.gave_up.get_future().wait();
    std::cout << "rates: the caller gave up\n";
}
