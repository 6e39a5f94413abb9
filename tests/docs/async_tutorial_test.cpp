// SPDX-License-Identifier: Apache-2.0
// The code of docs/async.md: the tutorial, stages, errors in chains, coroutines.
#include "async_shop.hpp"

#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace async_docs;

namespace {

printed_lines printed;
void print(const std::string& line) { printed.add(line); }
void print(const futon::result<Items>& got) { print(got ? got->front() : got.error().message()); }

TEST_CASE("docs: a shop and its client in one process") {
    // [setup]
    shop_impl impl;  // any class with these methods
    futon::server server;
    server.provide<Shop>(std::ref(impl));  // by reference: it outlives the server
    server.start();

    futon::client client{server.addresses()};  // or {"tcp://10.0.0.7:12200"}
    auto shop = client.stub<Shop>();           // a cheap value
    // [/setup]
    CHECK(shop.price("tea").get() == 3.75);
}

TEST_CASE("docs: the tutorial's calls: block, chain, call back") {
    open_shop at;
    auto& shop = at.shop;

    // [block]
    User ann = shop.user(7).get();                        // the value, or throws futon::rpc_error
    futon::result<User> got = shop.user(0).get_result();  // the same without exceptions
    if (!got) print("failed: " + got.error().message());  // there is no user 0
    // [/block]
    CHECK(ann.name == "ann");
    CHECK(printed.wait_for("failed: there is no user 0"));

    // [chain]
    futon::future<Items> bought = shop.user(7)                   // one call...
        .then([=](User user) { return shop.orders(user.id); });  // ...and then another: not future<future<Items>>

    std::move(bought)                                                         // a stage consumes its future
        .then([](Items all) { return all.front(); })                          // a value will do, too
        .recover([](const futon::error& why) { return why.message(); })       // instead of whatever error came on the way
        .on_complete([](futon::result<std::string> text) { print(*text); });  // the end of the chain
    // [/chain]
    CHECK(printed.wait_for("tea for user 7"));

    // [callback]
    shop.orders(7, [](futon::result<Items> all) {  // returns nothing: the callback is the end
        if (all) print("called back: " + all->back());
    });
    // [/callback]
    CHECK(printed.wait_for("called back: cake"));
}

// [task]
futon::task<std::string> first_order(futon::stub<Shop> shop, int id) {
    User user = co_await shop.user(id);  // the value, or throws
    Items all = co_await shop.orders(user.id);
    co_return user.name + ": " + all.front();
}
// [/task]

TEST_CASE("docs: the tutorial's task is spawned, waited for, and awaited") {
    open_shop at;
    auto& shop = at.shop;
    // [start_task]
    std::string text = futon::sync_wait(first_order(shop, 7));  // runs it here, and blocks

    futon::runtime threads;  // elsewhere: gives its future
    futon::future<std::string> later = futon::spawn(threads.executor(), first_order(shop, 8));
    // [/start_task]
    CHECK(text == "ann: tea for user 7");
    CHECK(std::move(later).get() == "ann: tea for user 8");
    CHECK_THROWS_AS(futon::sync_wait(first_order(shop, 0)), futon::rpc_error);
}

// [awaitable]
asio::awaitable<void> in_asio(futon::stub<Shop> shop) {
    User user = co_await shop.user(7, futon::use_awaitable);                         // the value, or throws
    futon::result<Items> all = co_await shop.orders(user.id, asio::use_awaitable);  // the result, never throws
    print(all);
    auto cheap = shop.price("tea").then([](double price) { return price < 4; });
    bool affordable = co_await std::move(cheap)(futon::use_awaitable);  // any future takes a token
    print(affordable ? "affordable" : "too much");
}
// [/awaitable]

TEST_CASE("docs: the tutorial's tokens of Asio") {
    open_shop at;
    auto& shop = at.shop;
    // [start_awaitable]
    asio::io_context io;
    auto ended = asio::co_spawn(io, in_asio(shop), asio::use_future);  // <asio/co_spawn.hpp>, <asio/use_future.hpp>
    io.run();
    ended.get();
    // [/start_awaitable]
    CHECK(printed.wait_for("affordable"));

    // [tokens]
    std::future<futon::result<User>> plain = shop.user(7, asio::use_future);
    std::future<User> throws = shop.user(7, futon::throwing(asio::use_future));
    // [/tokens]
    CHECK(plain.get()->name == "ann");
    CHECK(throws.get().name == "ann");
}

asio::awaitable<double> whichever(futon::stub<Shop> shop) {
    using namespace asio::experimental::awaitable_operators;
    // [either]
    auto either = co_await (shop.price("gold", futon::use_awaitable) || shop.price("tea", futon::use_awaitable));
    // [/either]
    co_return either.index() == 0 ? std::get<0>(either) : std::get<1>(either);
}

TEST_CASE("docs: with || in an awaitable the first to succeed wins") {
    open_shop at;
    asio::io_context io;
    auto price = asio::co_spawn(io, whichever(at.shop), asio::use_future);
    io.run();
    CHECK(price.get() == 3.75);
}

TEST_CASE("docs: the rules of async.md") {
    open_shop at;
    auto& shop = at.shop;

    // Eager: the handler runs though nobody waits, or holds the future.
    {
        auto forgotten = shop.slow("x");
        CHECK(at.impl.begun.reaches(1));
    }
    // Dropped: the call goes on.
    CHECK(shop.price("tea").get() == 3.75);
    CHECK(at.impl.stopped.count() == 0);

    // Never inside then(), ready or not.
    const auto here = std::this_thread::get_id();
    std::atomic<bool> attached{false};
    auto ready = shop.price("tea");
    ready.wait();
    auto place = std::move(ready).then([&](double) {
        while (!attached) std::this_thread::yield();  // would hang if it ran inside
        return std::this_thread::get_id();
    });
    attached = true;
    CHECK(std::move(place).get() != here);

    // An empty future is an error, not undefined.
    auto moved = shop.price("tea");
    auto owner = std::move(moved);
    CHECK(std::move(moved).get_result().error() == futon::errc::no_state);
    CHECK(std::move(owner).get() == 3.75);
}

TEST_CASE("docs: an error passes the stages by until one takes it") {
    open_shop at;
    auto& shop = at.shop;
    // [recover]
    double price = shop.price("gold")
        .then([](double one) { return 2 * one; })                                          // does not run
        .recover(futon::errc::deadline_exceeded, [](const futon::error&) { return 0.0; })  // not this error
        .recover([=](const futon::error&) { return shop.price("tea"); })                   // a future will do
        .get();
    // [/recover]
    CHECK(price == 3.75);

    // [throw]
    try {
        shop.price("tea").then([](double) -> double { throw std::domain_error{"too cheap"}; }).get();
    } catch (const std::domain_error& why) {  // the exception of the stage itself
        print(why.what());
    }
    // [/throw]
    CHECK(printed.wait_for("too cheap"));

    // [payload]
    int sold = shop.buy("pen", 5)
        .recover([=](const futon::error& why) {
            const auto less = why.payload<out_of_stock>();  // the handler returned futon::failure(out_of_stock{...})
            return less ? shop.buy("pen", less->left) : futon::make_failed<int>(why);
        })
        .get();
    // [/payload]
    CHECK(sold == 0);
}

// [no_throw]
futon::task<std::string> with_results(futon::stub<Shop> shop) {
    futon::result<double> price = co_await futon::no_throw(shop.price("gold"));  // an error as a value
    if (!price) co_return price.error();                                         // co_return takes an error, too
    co_return "gold costs " + std::to_string(*price);
}
// [/no_throw]

futon::task<std::string> safe_shapes(futon::stub<Shop> shop, std::string suffix) {
    // [safe_shapes]
    auto call = shop.user(7).then([suffix](User user) { return user.name + suffix; });  // 1. the call on its own line
    std::string a = co_await std::move(call);

    std::string b = co_await [&] {                                                      // 2. a lambda that captures by
        return shop.user(7).then([suffix](User user) { return user.name + suffix; });   //    reference, called at once
    }();

    auto add = [suffix](User user) { return user.name + suffix; };                      // 3. the lambda named; structs
    std::string c = co_await shop.user(7).then(add);                                    //    as arguments likewise
    // [/safe_shapes]
    co_return a + b + c;
}

TEST_CASE("docs: coroutines take results, and the safe shapes are safe") {
    open_shop at;
    futon::runtime threads;
    const auto got = futon::spawn(threads.executor(), with_results(at.shop)).get_result();
    REQUIRE_FALSE(got);
    CHECK(got.error().message() == "there is no gold");
    CHECK(futon::sync_wait(safe_shapes(at.shop, "!")) == "ann!ann!ann!");
}

}  // namespace
