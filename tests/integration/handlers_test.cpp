// SPDX-License-Identifier: Apache-2.0
// Every form that a handler may have, and every way to hand its object over.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Kinds {
    std::string plain(std::string s);
    std::string plain_c(std::string s);
    std::string result(std::string s);
    std::string result_c(std::string s);
    std::string future(std::string s);
    std::string future_c(std::string s);
    std::string task(std::string s);
    std::string task_c(std::string s);
    std::string awaitable(std::string s);
    std::string awaitable_c(std::string s);
    std::string responder(std::string s);
    std::string responder_c(std::string s);
};
FUTON_SERVICE(Kinds, plain, plain_c, result, result_c, future, future_c, task, task_c, awaitable, awaitable_c,
              responder, responder_c)

std::string seen(const futon::call_context& c, const std::string& s) {
    return std::string{c.service()} + "." + std::string{c.method()} + " " + s;
}

struct kinds {
    using text = std::string;
    text plain(text s) { return s; }
    text plain_c(futon::call_context& c, text s) { return seen(c, s); }
    futon::result<text> result(text s) { return s; }
    futon::result<text> result_c(futon::call_context& c, text s) { return seen(c, s); }
    futon::future<text> future(text s) { return futon::make_ready(std::move(s)); }
    futon::future<text> future_c(futon::call_context& c, text s) {
        return futon::async(futon::current_executor(), [&c, s] { return seen(c, s); });
    }
    futon::task<text> task(text s) {
        co_await futon::async(futon::current_executor(), [] {});
        co_return s;
    }
    futon::task<text> task_c(futon::call_context& c, text s) {
        co_await futon::async(futon::current_executor(), [] {});
        co_return seen(c, s);
    }
    asio::awaitable<text> awaitable(text s) {
        const auto here = co_await asio::this_coro::executor;
        co_await asio::post(here, asio::use_awaitable);
        co_return s;
    }
    asio::awaitable<text> awaitable_c(futon::call_context& c, text s) {
        const auto here = co_await asio::this_coro::executor;
        co_await asio::post(here, asio::use_awaitable);
        co_return seen(c, s);
    }
    void responder(futon::responder<text> answer, text s) {
        std::thread{[answer = std::move(answer), s]() mutable { answer(s); }}.join();
    }
    void responder_c(futon::call_context& c, futon::responder<text> answer, text s) {
        const auto told = seen(c, s);
        std::thread{[answer = std::move(answer), told]() mutable { answer(told); }}.join();
    }
};

// Longer than any small buffer, so that a value that was freed too early shows;
// and so long that it is not copied on its way to the socket.
const std::vector<std::string> words{std::string(200, 'w'), std::string(200'000, 'W')};

TEST_CASE(
    "server: every form of handler answers, on the I/O thread, on the pool, serialised and where it runs by itself") {
    using futon::run_on;
    const std::vector<futon::provide_options> ways{
        {}, {.run_on = run_on::io}, {.run_on = run_on::pool}, {.serialised = true}};
    for (const auto& how : ways) {
        CAPTURE(&how - ways.data());
        served<Kinds> at{kinds{}, how};
        auto& s = at.stub;
        for (const auto& word : words) {
            CHECK(s.plain(word).get() == word);
            CHECK(s.plain_c(word).get() == "Kinds.plain_c " + word);
            CHECK(s.result(word).get() == word);
            CHECK(s.result_c(word).get() == "Kinds.result_c " + word);
            CHECK(s.future(word).get() == word);
            CHECK(s.future_c(word).get() == "Kinds.future_c " + word);
            CHECK(s.task(word).get() == word);
            CHECK(s.task_c(word).get() == "Kinds.task_c " + word);
            CHECK(s.awaitable(word).get() == word);
            CHECK(s.awaitable_c(word).get() == "Kinds.awaitable_c " + word);
            CHECK(s.responder(word).get() == word);
            CHECK(s.responder_c(word).get() == "Kinds.responder_c " + word);
        }
        CHECK(at.server.stats().failed == 0);
        CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
    }
}

struct Views {
    std::size_t plain(std::string_view text, futon::bytes_view blob);
    std::size_t later(std::string_view text, futon::bytes_view blob);
    std::size_t task(std::string_view text, futon::bytes_view blob);
    std::size_t awaitable(std::string_view text, futon::bytes_view blob);
};
FUTON_SERVICE(Views, plain, later, task, awaitable)

// The length if both views hold what `blob_of` and `text_of` made for the same number, else zero.
std::size_t checked(std::string_view text, futon::bytes_view blob) {
    if (text.empty() || text.size() != blob.size()) return 0;
    for (const char c : text)
        if (c != text.front()) return 0;
    for (const std::byte b : blob)
        if (b != static_cast<std::byte>(text.front())) return 0;
    return text.size();
}

struct views {
    std::size_t plain(std::string_view text, futon::bytes_view blob) { return checked(text, blob); }
    futon::future<std::size_t> later(std::string_view text, futon::bytes_view blob) {
        return at.wait().then([text, blob] { return checked(text, blob); });
    }
    futon::task<std::size_t> task(std::string_view text, futon::bytes_view blob) {
        co_await at.wait();
        co_return checked(text, blob);
    }
    asio::awaitable<std::size_t> awaitable(std::string_view text, futon::bytes_view blob) {
        static_cast<void>(co_await at.wait().async_wait(asio::use_awaitable));
        co_return checked(text, blob);
    }
    gate at;
};

TEST_CASE("server: views are good until the handler answers, although the buffer that they came in is reused") {
    constexpr std::size_t calls = 90;
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        CAPTURE(static_cast<int>(place));
        auto service = std::make_shared<views>();
        served<Views> at{service, {.run_on = place}};
        std::vector<futon::future<std::size_t>> pending;
        std::size_t expected = 0;
        for (std::size_t i = 0; i < calls; ++i) {
            const std::size_t size = 100 + i * 97;
            const std::string text(size, static_cast<char>('a' + i % 26));
            const auto blob = futon::as_bytes(text);
            expected += size;
            if (i % 3 == 0) pending.push_back(at.stub.later(text, blob));
            if (i % 3 == 1) pending.push_back(at.stub.task(text, blob));
            if (i % 3 == 2) pending.push_back(at.stub.awaitable(text, blob));
            CHECK(at.stub.plain(text, blob).get() == size);
        }
        REQUIRE(service->at.arrived.reaches(calls));
        service->at.open();
        std::size_t sum = 0;
        for (auto& each : pending) sum += std::move(each).get();
        CHECK(sum == expected);
    }
}

struct Parcel {
    std::unique_ptr<std::string> content;
};
struct Odd {
    std::unique_ptr<int> twice(std::unique_ptr<int> n);
    Parcel wrap(Parcel p);
    void nothing();
    int total() const;
    std::string by_reference(const std::string& s);
    std::vector<bool> bits(std::vector<bool> b) noexcept;
};
FUTON_SERVICE(Odd, twice, wrap, nothing, total, by_reference, bits)

struct odd {
    std::unique_ptr<int> twice(std::unique_ptr<int> n) { return n ? std::make_unique<int>(2 * *n) : nullptr; }
    futon::future<Parcel> wrap(Parcel p) {
        p.content = std::make_unique<std::string>("<" + *p.content + ">");
        return futon::make_ready(std::move(p));
    }
    void nothing() { ++calls; }
    int total() const { return calls; }
    std::string by_reference(const std::string& s) { return s; }
    std::vector<bool> bits(std::vector<bool> b) noexcept { return b; }
    int calls = 0;
};

TEST_CASE("server: move-only values, void, const methods and references as parameters work end to end") {
    served<Odd> at{odd{}, {.run_on = futon::run_on::io}};
    auto doubled = at.stub.twice(std::make_unique<int>(21)).get();
    REQUIRE(doubled);
    CHECK(*doubled == 42);
    CHECK(at.stub.twice(nullptr).get() == nullptr);
    CHECK(*at.stub.wrap({std::make_unique<std::string>("x")}).get().content == "<x>");
    at.stub.nothing().get();
    at.stub.nothing().get();
    CHECK(at.stub.total().get() == 2);
    CHECK(at.stub.by_reference("lit").get() == "lit");
    CHECK(at.stub.bits({true, false, true}).get() == std::vector<bool>{true, false, true});
}

struct Count {
    int add(int n);
};
FUTON_SERVICE(Count, add)

struct counting {
    int add(int n) { return sum += n; }
    int sum = 0;
};
struct constant {
    int add(int n) const { return sum + n; }
    int sum = 0;
};

TEST_CASE("server: an object is copied or moved in, a shared_ptr is shared, std::ref refers") {
    counting own;
    auto shared = std::make_shared<counting>();
    counting referred;
    const constant fixed{40};
    futon::server server{quiet_server()};
    server.provide<Count>(own, {.unique_id = "copy"});
    server.provide<Count>(counting{100}, {.unique_id = "moved"});
    server.provide<Count>(shared, {.unique_id = "shared"});
    server.provide<Count>(std::ref(referred), {.unique_id = "ref"});
    server.provide<Count>(std::cref(fixed), {.unique_id = "cref"});
    server.provide<Count>(std::shared_ptr<const constant>{std::make_shared<constant>(constant{50})},
                          {.unique_id = "shared_const"});
    server.start();
    futon::client client{to(server.addresses())};
    const auto add = [&](const std::string& to_whom) {
        return client.stub<Count>({.unique_id = to_whom}).add(2).get();
    };
    CHECK(add("copy") == 2);
    CHECK(add("moved") == 102);
    CHECK(add("shared") == 2);
    CHECK(add("ref") == 2);
    CHECK(add("cref") == 42);
    CHECK(own.sum == 0);
    CHECK(shared->sum == 2);
    CHECK(referred.sum == 2);
}

TEST_CASE("server: a shared implementation is let go of when its server has ended") {
    auto shared = std::make_shared<counting>();
    {
        served<Count> at{shared};
        CHECK(at.stub.add(1).get() == 1);
        CHECK(shared.use_count() > 1);
    }
    CHECK(soon([&] { return shared.use_count() == 1; }));
}

}  // namespace
