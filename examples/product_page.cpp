// SPDX-License-Identifier: Apache-2.0
// Several calls at once for one answer: all or nothing, and with parts that may be missing.
// expected output:
//   page:    tea costs 3.75, 12 in stock, 2 reviews
//   failed:  there is no gold
//   reviews: nobody waits for them any more
//   partial: gold, 12 in stock, no price
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <stop_token>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;

struct Catalogue {
    double price(std::string item);
    int stock(std::string item);
    std::vector<std::string> reviews(std::string item);
};
FUTON_SERVICE(Catalogue, price, stock, reviews)

struct catalogue_impl {
    // Fails only when the reviews of the same page have begun, so that there is something to cancel.
    futon::task<double> price(std::string item) {
        if (item == "tea") co_return 3.75;
        co_await reviews_begun.get_future();
        co_return futon::error{make_error_code(std::errc::invalid_argument), "there is no " + item};
    }
    int stock(std::string) { return 12; }
    futon::task<std::vector<std::string>> reviews(futon::call_context& call, std::string item) {
        if (item == "tea") co_return std::vector<std::string>{"good", "hot"};
        const std::stop_callback told{call.stop_token(), [this] { reviews_stopped.set_value(); }};
        reviews_begun.set_value();
        co_await futon::delay(10min);
        co_return std::vector<std::string>{};
    }
    futon::promise<void> reviews_begun{};
    std::promise<void> reviews_stopped{};
};

// [all]
futon::task<std::string> page(futon::stub<Catalogue> catalogue, std::string item) {
    auto all = futon::when_all(catalogue.price(item), catalogue.stock(item), catalogue.reviews(item));  // under way at once
    auto got = co_await std::move(all);  // all three, or the first error: the other two are then cancelled on the server
    auto& [price, stock, reviews] = got;
    co_return std::to_string(price).substr(0, 4) + ", " + std::to_string(stock) + " in stock, " + std::to_string(reviews.size()) + " reviews";
}
// [/all]

// [some]
futon::future<std::string> page_without(futon::stub<Catalogue> catalogue, std::string item) {
    return futon::all_settled(catalogue.price(item), catalogue.stock(item)).then([=](auto got) {
        auto& [price, stock] = got;  // a futon::result each
        return item + (stock ? ", " + std::to_string(*stock) + " in stock" : "") + (price ? "" : ", no price");
    });
}
// [/some]

int main() {
    catalogue_impl impl;
    futon::server server;
    server.provide<Catalogue>(std::ref(impl));  // by reference: it outlives the server
    server.start();
    futon::client client{server.addresses()};
    const auto catalogue = client.stub<Catalogue>();

    std::cout << "page:    tea costs " << futon::sync_wait(page(catalogue, "tea")) << "\n";
    try {
        futon::sync_wait(page(catalogue, "gold"));
    } catch (const futon::rpc_error& why) {
        std::cout << "failed:  " << why.detail().message() << "\n";
    }
    impl.reviews_stopped.get_future().wait();
    std::cout << "reviews: nobody waits for them any more\n";

    impl.reviews_begun = futon::promise<void>{};
    impl.reviews_begun.set_value();
    std::cout << "partial: " << page_without(catalogue, "gold").get() << "\n";
}
