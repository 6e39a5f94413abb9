// SPDX-License-Identifier: Apache-2.0
#include <futon/service/reply_headers.hpp>

#include <futon/client.hpp>
#include <futon/server.hpp>
#include <futon/testing/simulation.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using futon::metadata;
using futon::replied;
using futon::with_reply_headers;

struct Shop {
    std::string buy(std::string what);
    void pay(int amount);
    int refuse();
    int plain(int n);
    std::string ask_back(std::string what);
    int sum(futon::stream<int> numbers);
};
FUTON_SERVICE(Shop, (buy, futon::idempotent), pay, refuse, plain, ask_back, sum)

struct shop {
    std::string buy(futon::call_context& call, std::string what) {
        call.reply_headers().set("cache", "miss");
        return what + "!";
    }
    futon::future<void> pay(futon::call_context& call, int amount) {
        return futon::async(futon::current_executor(),
                            [&call, amount] { call.reply_headers().set("left", std::to_string(100 - amount)); });
    }
    futon::result<int> refuse(futon::call_context& call) {
        call.reply_headers().set("why", "closed");
        return futon::errc::unavailable;
    }
    int plain(int n) { return n; }
    futon::future<std::string> ask_back(futon::call_context& call, std::string what) {
        return call.caller<Shop>().buy(std::move(what), with_reply_headers()).then([](const replied<std::string>& got) {
            return got.value + std::string{got.headers.get("cache").value_or("none")};
        });
    }
    futon::task<int> sum(futon::call_context& call, futon::stream<int> numbers) {
        int all = 0;
        while (const auto next = co_await numbers.next()) all += *next;
        call.reply_headers().set("unit", "EUR");
        co_return all;
    }
};

struct shopping {
    explicit shopping(futon::client_filters filters = {}) {
        server.provide<Shop>(shop{});
        server.start();
        futon::client_options how{.endpoints = "memory://shop", .runtime = world.runtime()};
        how.filters = std::move(filters);
        client.emplace(std::move(how));
        client->provide<Shop>(shop{});
        stub = client->stub<Shop>();
    }
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://shop", .runtime = world.runtime()}};
    std::optional<futon::client> client;
    futon::stub<Shop> stub;
};

TEST_CASE("reply headers: a future yields the value with what the handler set beside it") {
    shopping at;
    auto bought = at.stub.buy("tea", with_reply_headers());
    static_assert(std::is_same_v<decltype(bought), futon::future<replied<std::string>>>);
    CHECK(at.world.get(std::move(bought)) == replied<std::string>{"tea!", {{"cache", "miss"}}});
    CHECK(at.world.get(at.stub.pay(30, with_reply_headers())) == replied<void>{{{"left", "70"}}});
    CHECK(at.world.get(at.stub.plain(5, with_reply_headers())) == replied<int>{5, {}});
    CHECK(at.world.get(at.stub.buy("tea")) == "tea!");
}

TEST_CASE("reply headers: a failure has none, and is the same as without") {
    shopping at;
    CHECK(at.world.get_result(at.stub.refuse(with_reply_headers())).error() == futon::errc::unavailable);
    CHECK(futon::stub<Shop>{}.plain(1, with_reply_headers()).get_result().error() == futon::errc::no_state);
}

TEST_CASE("reply headers: a callback and coroutines get them, too") {
    shopping at;
    std::optional<replied<std::string>> called;
    at.stub.buy("pen", with_reply_headers([&](futon::result<replied<std::string>> got) { called = *std::move(got); }));
    at.world.run();
    REQUIRE(called);
    CHECK(called->headers.get("cache") == "miss");

    const auto in_a_task = [](futon::stub<Shop> stub) -> futon::task<std::string> {
        auto got = co_await stub.buy("cup", with_reply_headers());
        co_return got.value + std::string{*got.headers.get("cache")};
    };
    CHECK(at.world.get(in_a_task(at.stub)) == "cup!miss");
}

TEST_CASE("reply headers: any Asio token may stand inside") {
    futon::server server;
    server.provide<Shop>(shop{});
    server.start();
    futon::client client{server.addresses()};
    const auto stub = client.stub<Shop>();
    std::string seen;
    const auto in_asio = [&]() -> asio::awaitable<void> {
        const auto got = co_await stub.buy("tea", with_reply_headers(futon::use_awaitable));
        const auto as_result = co_await stub.buy("cup", with_reply_headers(asio::use_awaitable));
        seen = got.value + std::string{*got.headers.get("cache")} + as_result->value;
        co_await stub.refuse(with_reply_headers(futon::use_awaitable));
    };
    asio::io_context io;
    std::exception_ptr thrown;
    asio::co_spawn(io, in_asio(), [&](std::exception_ptr how) { thrown = how; });
    io.run();
    CHECK(seen == "tea!misscup!");
    CHECK_THROWS_AS(std::rethrow_exception(thrown), futon::rpc_error);
}

struct known_answer {
    futon::decision before(futon::client_call&) { return futon::decision::answer({std::byte{7}}); }
};

TEST_CASE("reply headers: they come over the way back, beside a result of items, and not from a filter's own answer") {
    shopping at;
    CHECK(at.world.get(at.stub.ask_back("tea")) == "tea!miss");
    auto [out, in] = futon::make_stream<int>(at.world.executor(), 2);
    CHECK(out.try_send(1));
    CHECK(out.try_send(2));
    out.close();
    CHECK(at.world.get(at.stub.sum(std::move(in), with_reply_headers())) == replied<int>{3, {{"unit", "EUR"}}});

    shopping cached{{known_answer{}}};
    CHECK(cached.world.get(cached.stub.plain(1, with_reply_headers())) == replied<int>{7, {}});
}

TEST_CASE("reply headers: of attempts side by side the one that answered counts") {
    shopping at;
    const auto hedged = at.stub.with({.hedge = futon::hedging{.max_attempts = 2}});
    CHECK(at.world.get(hedged.buy("tea", with_reply_headers())).headers == metadata{{"cache", "miss"}});
}

}  // namespace
