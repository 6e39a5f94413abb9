// SPDX-License-Identifier: Apache-2.0
// Streams over a connection: in each direction, to every end.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

struct Tick {
    std::string symbol;
    int number = 0;
};
struct Report {
    int items = 0;
    std::string note;
};

struct Feed {
    futon::stream<Tick> subscribe(std::string symbol, int count);
    futon::stream<int> count_to(int last);
    futon::stream<int, Report> import(int items);
    int total(futon::stream<int> numbers, int factor);
    futon::stream<std::string> chat(std::string greeting, futon::stream<std::string> lines);
    futon::stream<int> fails_after(int items);
    futon::stream<int> forever();
    futon::stream<int> forwarded(int last);
    int plain(int value);
};
FUTON_SERVICE(Feed, subscribe, count_to, import, total, chat, fails_after, forever, forwarded, plain)

struct feed {
    explicit feed(const futon::stub<Feed>* to_whom = nullptr) : next{to_whom} {}

    // A coroutine on the I/O thread.
    futon::task<void> subscribe(std::string symbol, int count, futon::sink<Tick> out) {
        for (int i = 0; i < count; ++i) {
            Tick tick{symbol, i};
            co_await out.send(std::move(tick));
        }
    }
    // On the pool, blocking.
    void count_to(int last, futon::sink<int> out) {
        for (int i = 1; i <= last; ++i) out.send(i).get();
    }
    futon::task<Report> import(int items, futon::sink<int> out) {
        for (int i = 0; i < items; ++i) co_await out.send(i);
        co_return Report{items, "done"};
    }
    futon::task<int> total(futon::stream<int> numbers, int factor) {
        int sum = 0;
        while (auto number = co_await numbers.next()) sum += *number;
        co_return sum * factor;
    }
    futon::task<void> chat(futon::call_context& c, std::string greeting, futon::stream<std::string> lines,
                           futon::sink<std::string> out) {
        const std::string first = greeting + " " + std::string{c.method()};
        co_await out.send(first);
        while (auto line = co_await lines.next()) co_await out.send("you said " + *line);
        co_await out.send("bye");
    }
    futon::task<void> fails_after(int items, futon::sink<int> out) {
        for (int i = 0; i < items; ++i) co_await out.send(i);
        throw futon::rpc_error{futon::error{futon::errc::permission_denied, "no more for you", futon::executed::yes}};
    }
    futon::task<void> forever(futon::sink<int> out) {
        started.add();
        futon::result<void> last;
        for (int i = 0; last; ++i) last = co_await futon::no_throw(out.send(i));
        cancelled = last.error() == futon::errc::cancelled && out.is_cancelled();
        ended.add();
    }
    futon::stream<int> forwarded(int last) { return next->count_to(last); }
    int plain(int value) { return value; }

    const futon::stub<Feed>* next;
    tally started;
    tally ended;
    std::atomic<bool> cancelled{false};
};

std::vector<int> upto(int first, int last) {
    std::vector<int> all(static_cast<std::size_t>(last - first));
    std::iota(all.begin(), all.end(), first);
    return all;
}

TEST_CASE("streams: a server's items come in order, from a coroutine and from a thread that blocks") {
    served<Feed> all{std::make_shared<feed>()};
    auto ticks = all.stub.subscribe("EUR", 1000);
    int seen = 0;
    while (auto tick = ticks.next().get()) {
        CHECK(tick->symbol == "EUR");
        CHECK(tick->number == seen++);
    }
    CHECK(seen == 1000);
    CHECK_FALSE(ticks.next().get().has_value());
    CHECK(all.stub.count_to(5000).collect(5000).get() == upto(1, 5001));
    CHECK(all.stub.count_to(0).collect(1).get().empty());
    CHECK(all.stub.plain(7).get() == 7);
}

TEST_CASE("streams: a final result comes after the items, or without them") {
    served<Feed> all{std::make_shared<feed>()};
    auto items = all.stub.import(3);
    int sum = 0;
    while (auto item = items.next().get()) sum += *item;
    CHECK(sum == 3);
    const auto report = items.result().get();
    CHECK(report.items == 3);
    CHECK(report.note == "done");
    CHECK(all.stub.import(5000).result().get().items == 5000);
    int counted = 0;
    auto looped = all.stub.import(100).for_each(4, [&](int) { ++counted; });
    CHECK(std::move(looped).get().items == 100);
    CHECK(counted == 100);
}

TEST_CASE("streams: a client's items reach the handler, which sees their end") {
    served<Feed> all{std::make_shared<feed>()};
    auto [out, in] = futon::make_stream<int>(16);
    auto sum = all.stub.total(std::move(in), 2);
    for (int i = 1; i <= 1000; ++i) out.send(i).get();
    out.close();
    CHECK(std::move(sum).get() == 1001000);

    auto [none, empty] = futon::make_stream<int>(1);
    none.close();
    CHECK(all.stub.total(std::move(empty), 1).get() == 0);
}

TEST_CASE("streams: both directions at once") {
    served<Feed> all{std::make_shared<feed>()};
    auto [out, in] = futon::make_stream<std::string>(1);
    auto answers = all.stub.chat("hello", std::move(in));
    CHECK(answers.next().get() == "hello chat");
    for (const auto* line : {"one", "two"}) {
        out.send(line).get();
        CHECK(answers.next().get() == "you said " + std::string{line});
    }
    out.close();
    CHECK(answers.next().get() == "bye");
    CHECK_FALSE(answers.next().get().has_value());
}

TEST_CASE("streams: an error comes after the items that were sent before it") {
    served<Feed> all{std::make_shared<feed>()};
    auto items = all.stub.fails_after(100);
    for (int i = 0; i < 100; ++i) CHECK(items.next().get() == i);
    const auto why = error_of(items.next());
    CHECK(why == futon::errc::permission_denied);
    CHECK(why.message() == "no more for you");
    CHECK(why.ran() == futon::executed::yes);
    CHECK(error_of(all.stub.fails_after(0).result()) == futon::errc::permission_denied);
}

TEST_CASE("streams: dropping a stream stops the handler, which hears of it") {
    auto implementation = std::make_shared<feed>();
    served<Feed> all{implementation};
    {
        auto items = all.stub.forever();
        for (int i = 0; i < 10; ++i) CHECK(items.next().get() == i);
    }
    REQUIRE(implementation->ended.reaches(1));
    CHECK(implementation->cancelled);
    auto taken = all.stub.forever().take(3).collect(3);
    CHECK(std::move(taken).get() == upto(0, 3));
    REQUIRE(implementation->ended.reaches(2));
    CHECK(all.stub.plain(1).get() == 1);
}

TEST_CASE("streams: a handler may forward the stream of another service") {
    served<Feed> behind{std::make_shared<feed>()};
    served<Feed> all{std::make_shared<feed>(&behind.stub)};
    CHECK(all.stub.forwarded(3000).collect(3000).get() == upto(1, 3001));
    auto some = all.stub.forwarded(1'000'000);
    CHECK(some.next().get() == 1);
}

TEST_CASE("streams: a call that is cancelled ends both its streams, at both ends") {
    auto implementation = std::make_shared<feed>();
    served<Feed> all{implementation};
    auto [out, in] = futon::make_stream<std::string>(1);
    auto answers = all.stub.chat("hello", std::move(in));
    CHECK(answers.next().get() == "hello chat");
    answers.cancel();
    CHECK(error_of(answers.next()) == futon::errc::cancelled);
    // The local stream that fed the call is not wanted any more.
    futon::result<void> sent;
    while ((sent = out.send("more").get_result())) {
    }
    CHECK(sent.error() == futon::errc::cancelled);
    CHECK(out.is_cancelled());

    auto [numbers, source] = futon::make_stream<int>(4);
    auto sum = all.stub.total(std::move(source), 1);
    numbers.send(1).get();
    sum.cancel();
    CHECK(error_of(std::move(sum)) == futon::errc::cancelled);
    while ((sent = numbers.send(2).get_result())) {
    }
    CHECK(sent.error() == futon::errc::cancelled);
}

TEST_CASE("streams: a client's stream that fails, fails its call with the same error") {
    served<Feed> all{std::make_shared<feed>()};
    auto [out, in] = futon::make_stream<int>(4);
    auto sum = all.stub.total(std::move(in), 1);
    out.send(1).get();
    out.fail(futon::error{futon::errc::permission_denied, "not these"});
    const auto why = error_of(std::move(sum));
    CHECK(why == futon::errc::permission_denied);
    CHECK(why.message() == "not these");
    {
        auto [dropped, empty] = futon::make_stream<int>(4);
        sum = all.stub.total(std::move(empty), 1);
    }
    CHECK(error_of(std::move(sum)) == futon::errc::broken_promise);
    CHECK(all.stub.plain(5).get() == 5);
}

TEST_CASE("streams: a call may set a deadline for the whole") {
    futon::testing::simulation world;
    auto implementation = std::make_shared<feed>();
    served<Feed> all{implementation, {}, server_in(world), client_in(world)};
    auto bounded = all.stub.with({.timeout = 50ms}).forever();
    for (int i = 0; i < 10; ++i) CHECK(world.get(bounded.next()) == i);
    world.advance(50ms - 1ns);
    CHECK(implementation->ended.count() == 0);
    world.advance(1ns);
    futon::result<std::optional<int>> last;
    do last = world.get_result(bounded.next());
    while (last && *last);
    REQUIRE_FALSE(last);
    CHECK(last.error() == futon::errc::deadline_exceeded);
    CHECK(implementation->ended.count() == 1);
    CHECK(world.elapsed() == 50ms);
}

TEST_CASE("streams: an idle timeout ends a stream whose server says nothing") {
    futon::testing::simulation world;
    served<Feed> all{std::make_shared<feed>(), {}, server_in(world), client_in(world)};
    auto [out, in] = futon::make_stream<std::string>(1);
    auto answers = all.stub.with({.idle_timeout = 30ms}).chat("hello", std::move(in));
    CHECK(world.get(answers.next()) == "hello chat");
    auto silent = answers.next();
    world.advance(30ms - 1ns);
    CHECK_FALSE(silent.is_ready());
    world.advance(1ns);
    REQUIRE(silent.is_ready());
    const auto why = error_of(std::move(silent));
    CHECK(why == futon::errc::deadline_exceeded);
    CHECK(why.message().find("idle_timeout") != std::string::npos);
}

TEST_CASE(
    "streams: where nobody accepts a call in time, it fails as not executed or perhaps executed, and is not left behind") {
    futon::client client{to(futon::endpoints{"tcp://127.0.0.1:1"})};
    auto stub = client.stub<Feed>();
    CHECK(error_of(stub.count_to(1).result()).ran() == futon::executed::no);
    auto [out, in] = futon::make_stream<int>(1);
    CHECK(error_of(stub.total(std::move(in), 1)).ran() == futon::executed::no);
    CHECK_FALSE(out.send(1).get_result());
    CHECK(error_of(futon::stub<Feed>{}.count_to(1).next()) == futon::errc::no_state);
}

TEST_CASE("streams: destroying the client ends every stream once") {
    auto implementation = std::make_shared<feed>();
    std::vector<futon::stream<int>> open;
    {
        served<Feed> all{implementation};
        for (int i = 0; i < 50; ++i) open.push_back(all.stub.forever());
        for (auto& each : open) CHECK(each.next().get() == 0);
        all.client.reset();
        for (auto& each : open) {
            futon::result<std::optional<int>> last;
            do last = each.next().get_result();
            while (last && *last);
            REQUIRE_FALSE(last);
            CHECK(last.error() == futon::errc::client_closed);
        }
        CHECK(implementation->ended.reaches(50));
    }
    CHECK(implementation->ended.count() == 50);
}

TEST_CASE("streams: a server that stops at once ends every stream once, at both ends") {
    auto implementation = std::make_shared<feed>();
    served<Feed> all{implementation};
    std::vector<futon::stream<int>> open;
    for (int i = 0; i < 50; ++i) open.push_back(all.stub.forever());
    for (auto& each : open) CHECK(each.next().get() == 0);
    auto [out, in] = futon::make_stream<int>(1);
    auto sum = all.stub.total(std::move(in), 1);
    out.send(1).get();
    all.server.stop(0s).get();
    for (auto& each : open) {
        futon::result<std::optional<int>> last;
        do last = each.next().get_result();
        while (last && *last);
        REQUIRE_FALSE(last);
        CHECK(last.error() == futon::errc::connection_lost);
    }
    CHECK(implementation->ended.reaches(50));
    CHECK(implementation->ended.count() == 50);
    CHECK_FALSE(std::move(sum).get_result());
}

struct Store {
    int put(futon::stream<std::string> parts);
    futon::stream<std::string> get(std::vector<int> sizes);
    int ping();
};
FUTON_SERVICE(Store, put, get, ping)

struct store {
    futon::task<int> put(futon::stream<std::string> parts) {
        int count = 0;
        for (;;) {
            auto part = co_await futon::no_throw(parts.next());
            if (!part) {
                why = part.error();
                ended.add();
                part.error().raise();
            }
            if (!*part || **part == "enough") co_return count;
            ++count;
            took.add();
        }
    }
    // Leaves out what is too big.
    futon::task<void> get(std::vector<int> sizes, futon::sink<std::string> out) {
        for (const auto size : sizes) {
            std::string part(static_cast<std::size_t>(size), 'x');
            auto sent = co_await futon::no_throw(out.send(std::move(part)));
            if (!sent) why = sent.error();
        }
        std::string big(5000, 'x');
        tried = out.try_send(std::move(big));
    }
    int ping() { return 1; }
    std::optional<futon::error> why;
    futon::result<void> tried;
    tally took;
    tally ended;
};

// What a producer hears that goes on until it hears something.
futon::error refusal_of(futon::sink<std::string>& out) {
    futon::result<void> sent;
    while ((sent = out.send("more").get_result())) {
    }
    return sent.error();
}

TEST_CASE("streams: an item too big fails its call, and what is sent then fails with the same words") {
    auto implementation = std::make_shared<store>();
    auto serving = quiet_server();
    serving.limits.max_body_bytes = 1000;
    served<Store> all{implementation, {}, serving};
    auto [out, in] = futon::make_stream<std::string>(1);
    auto done = all.stub.put(std::move(in));
    out.send("small").get();
    REQUIRE(implementation->took.reaches(1));
    out.send(std::string(5000, 'x')).get();  // Queued, and not looked at yet.
    const auto why = refusal_of(out);
    CHECK(why == futon::errc::message_too_big);
    CHECK(why.message() == "bytes of an item (limits.max_body_bytes of this side and of the other): 5003, limit 1000");
    const auto of_call = error_of(std::move(done));
    CHECK(of_call == futon::errc::message_too_big);
    CHECK(of_call.message() == why.message());
    REQUIRE(implementation->ended.reaches(1));
    CHECK(*implementation->why == futon::errc::cancelled);
    CHECK(implementation->why->message() == "the caller gave up the call");
    CHECK(all.stub.ping().get() == 1);
}

TEST_CASE("streams: a producer hears why its call ended: an early answer, its client, its server") {
    auto implementation = std::make_shared<store>();
    served<Store> all{implementation};
    auto [early, early_parts] = futon::make_stream<std::string>(1);
    auto answered = all.stub.put(std::move(early_parts));
    early.send("enough").get();
    CHECK(std::move(answered).get() == 0);
    const auto answered_early = refusal_of(early);
    CHECK(answered_early == futon::errc::cancelled);
    CHECK(answered_early.message() == "the call was answered before its items had ended");

    auto [out, parts] = futon::make_stream<std::string>(1);
    auto done = all.stub.put(std::move(parts));
    out.send("one").get();
    REQUIRE(implementation->took.reaches(1));
    all.client.reset();
    CHECK(error_of(std::move(done)) == futon::errc::client_closed);
    CHECK(refusal_of(out) == futon::errc::client_closed);
    REQUIRE(implementation->ended.reaches(1));
    CHECK(*implementation->why == futon::errc::cancelled);
    CHECK(implementation->why->message() == "the connection to the caller was lost");

    futon::client other{all.server.addresses()};
    auto [last, last_parts] = futon::make_stream<std::string>(1);
    done = other.stub<Store>().put(std::move(last_parts));
    last.send("one").get();
    REQUIRE(implementation->took.reaches(2));
    all.server.stop(0s).get();
    const auto lost = error_of(std::move(done));
    CHECK(lost.is(futon::cond::unavailable));
    CHECK(refusal_of(last) == lost.code());
}

TEST_CASE("streams: a producer hears that its call ran out of time, and so does the handler") {
    futon::testing::simulation world;
    auto implementation = std::make_shared<store>();
    served<Store> all{implementation, {}, server_in(world), client_in(world)};
    auto [slow, parts] = futon::make_stream<std::string>(1);
    auto done = all.stub.with({.timeout = 50ms}).put(std::move(parts));
    world.get(slow.send("one"));
    world.advance(50ms - 1ns);
    CHECK(implementation->took.count() == 1);
    CHECK_FALSE(done.is_ready());
    world.advance(1ns);
    REQUIRE(done.is_ready());
    CHECK(error_of(std::move(done)) == futon::errc::deadline_exceeded);
    CHECK(world.get_result(slow.send("more")).error() == futon::errc::deadline_exceeded);
    CHECK(implementation->ended.count() == 1);
}

TEST_CASE("streams: a handler's item that is too big fails at once, and others may follow") {
    auto implementation = std::make_shared<store>();
    served<Store> all{implementation, {}, {}, [] {
                          auto calling = to({});
                          calling.limits.max_body_bytes = 1000;
                          return calling;
                      }()};
    auto items = all.stub.get({10, 5000, 20});
    CHECK(items.next().get()->size() == 10);
    CHECK(items.next().get()->size() == 20);
    CHECK_FALSE(items.next().get().has_value());
    CHECK(*implementation->why == futon::errc::message_too_big);
    CHECK(implementation->why->message().find("5003, limit 1000") != std::string::npos);
    CHECK(implementation->tried.error() == futon::errc::message_too_big);
}

}  // namespace
