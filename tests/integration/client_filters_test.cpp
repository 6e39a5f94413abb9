// SPDX-License-Identifier: Apache-2.0
// Filters of clients and of stubs: their order, what they may change, and that each call comes back through them once.

#include "integration/support/filters.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

TEST_CASE("client filters: a call passes those of the client, then those of its stub, and comes back the other way") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{witness{"a", seen}, witness{"b", seen}}};
    const auto plain = at.stub;
    const auto made = at.client->stub<Parrot>({.calls = {.filters = {witness{"c", seen}}}});
    const auto with = made.with({.filters = {witness{"d", seen}, witness{"e", seen}}});

    CHECK(at.world.get(plain.say("x")) == "x");
    CHECK(seen->read() == "a> b> <b <a");
    CHECK(at.world.get(made.say("x")) == "x");
    CHECK(seen->read() == "a> b> c> <c <b <a");
    CHECK(at.world.get(with.say("x")) == "x");
    CHECK(seen->read() == "a> b> c> d> e> <e <d <c <b <a");
    CHECK(at.world.get(with.with({.hash_key = "k"}).say("x")) == "x");
    CHECK(seen->read() == "a> b> c> d> e> <e <d <c <b <a");
    CHECK(!at.world.get_result(plain.say("fail")));
    CHECK(seen->read() == "a> b> <b! <a!");
}

TEST_CASE("client filters: one that ends a call is the last to hear of it, and those before it hear its error") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{witness{"a", seen}, wall{}, witness{"b", seen}}};
    const auto got = at.world.get_result(at.stub.say("x"));
    REQUIRE(!got);
    CHECK(got.error() == futon::errc::unavailable);
    CHECK(got.error().message() == "a wall");
    CHECK(got.error().ran() == futon::executed::no);
    CHECK(got.error().where() == "Parrot.say");
    CHECK(seen->read() == "a> <a!");
    CHECK(at.serving.said == 0);
    CHECK(at.client->stats().calls == 0);
}

// What "x" is as a msgpack value.
futon::bytes encoded_x() { return {std::byte{0xa1}, std::byte{'x'}}; }

struct cache_of_one {
    futon::decision before(futon::client_call&) { return futon::decision::answer(encoded_x()); }
};

TEST_CASE("client filters: one may answer with a value, and then nothing is sent") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{witness{"a", seen}, cache_of_one{}}};
    CHECK(at.world.get(at.stub.say("anything")) == "x");
    CHECK(seen->read() == "a> <a");
    CHECK(at.serving.said == 0);
    CHECK(at.client->stats().calls == 0);
    CHECK(at.client->stats().succeeded == 0);
    // What does not fit the method is the error of that call.
    const auto misfit = at.world.get_result(at.stub.hold());
    REQUIRE(!misfit);
    CHECK(misfit.error() == futon::errc::bad_reply);
}

struct stamp {
    void before(futon::client_call& call) {
        call.headers().set("stamp", call.method().full_name() + "/" + std::to_string(call.arguments().size()));
        call.set_hash_key("k");
        call.set_wait_for_ready(true);
    }
};

TEST_CASE("client filters: what one adds to the metadata reaches the handler") {
    filtered_world at{{stamp{}}};
    // An array of one string of five characters.
    CHECK(at.world.get(at.stub.header("stamp")) == "Parrot.header/7");
    CHECK(at.world.get(at.stub.with({.headers = {{"stamp", "mine"}}}).header("stamp")) == "Parrot.header/7");
}

struct hurry {
    futon::duration most;
    void before(futon::client_call& call) {
        call.shorten_deadline(call.now() + most);
        call.shorten_deadline(futon::no_deadline);
    }
};

TEST_CASE("client filters: one may shorten a call's time, and not lengthen it") {
    filtered_world at{{hurry{50ms}}};
    auto call = at.stub.hold();
    at.world.advance(49ms);
    CHECK(!call.is_ready());
    at.world.advance(2ms);
    REQUIRE(call.is_ready());
    CHECK(std::move(call).get_result().error() == futon::errc::deadline_exceeded);
    auto stream = at.stub.with({.timeout = 10s}).count(3);
    CHECK(at.world.get(std::move(stream).collect(10)).size() == 3);
}

struct translator {
    void after(futon::client_call&, futon::call_outcome& how) {
        if (how.failure() && *how.failure() == futon::errc::remote_error)
            how.fail(futon::error{futon::errc::permission_denied, "translated", how.failure()->ran()});
        else if (how.succeeded() && how.value().size() == encoded_x().size())
            how.fail(futon::error{futon::errc::internal, "no short words", futon::executed::yes});
    }
};
struct fallback_word {
    void after(futon::client_call&, futon::call_outcome& how) {
        if (!how.succeeded()) how.succeed(encoded_x());
    }
};

TEST_CASE("client filters: one may turn an error into another, and a value into an error") {
    filtered_world at{{translator{}}};
    auto got = at.world.get_result(at.stub.say("fail"));
    CHECK(got.error() == futon::errc::permission_denied);
    CHECK(got.error().ran() == futon::executed::yes);
    got = at.world.get_result(at.stub.say("y"));
    CHECK(got.error() == futon::errc::internal);
    CHECK(at.world.get(at.stub.say("long")) == "long");
    CHECK(at.client->stats().calls == 3);
    CHECK(at.client->stats().failed == 2);
    CHECK(at.client->stats().succeeded == 1);
}

TEST_CASE("client filters: one may turn an error into a value, and those outside of it see that") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{}};
    const auto stub = at.stub.with({.filters = {witness{"a", seen}, fallback_word{}, witness{"b", seen}}});
    CHECK(at.world.get(stub.say("fail")) == "x");
    CHECK(seen->read() == "a> b> <b! <a");
    CHECK(at.client->stats().calls == 1);
    CHECK(at.client->stats().failed == 1);
    CHECK(at.client->stats().succeeded == 0);
}

struct thrower {
    bool out;
    void before(futon::client_call&) {
        if (out) throw std::runtime_error{"thrown before"};
    }
    void after(futon::client_call&, futon::call_outcome&) {
        if (!out) throw std::runtime_error{"thrown after"};
    }
};

TEST_CASE("client filters: one that throws fails its call and nothing else") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{witness{"a", seen}}};
    const auto before = at.world.get_result(at.stub.with({.filters = {thrower{true}, witness{"b", seen}}}).say("x"));
    REQUIRE(!before);
    CHECK(before.error().message() == "thrown before");
    CHECK(before.error().ran() == futon::executed::no);
    CHECK(seen->read() == "a> <a!");
    const auto after = at.world.get_result(at.stub.with({.filters = {thrower{false}, witness{"b", seen}}}).say("x"));
    REQUIRE(!after);
    CHECK(after.error().message() == "thrown after");
    CHECK(after.error().ran() == futon::executed::yes);
    CHECK(seen->read() == "a> b> <b <a!");
    CHECK(at.world.get(at.stub.say("x")) == "x");
    CHECK(at.client->stats().connects == 1);
}

struct stopwatch {
    struct per_call {
        explicit per_call() { ++living; }
        ~per_call() { --living; }
        per_call(const per_call&) = delete;
        futon::time_point begun{};
        inline static std::atomic<int> living{0};
    };
    std::shared_ptr<diary> into;

    void before(futon::client_call& call, per_call& kept) { kept.begun = call.now(); }
    void after(futon::client_call& call, futon::call_outcome&, per_call& kept) {
        into->note(
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(call.now() - kept.begun).count()) +
            "ms");
    }
};

TEST_CASE("client filters: what a filter keeps for a call is its own, and goes with the call") {
    const auto seen = std::make_shared<diary>();
    {
        filtered_world at{{stopwatch{seen}, witness{"a", seen}, stopwatch{seen}}};
        auto first = at.stub.hold();
        at.world.advance(10ms);
        auto second = at.stub.hold();
        at.world.run();
        CHECK(stopwatch::per_call::living == 4);
        static_cast<void>(seen->read());
        at.world.advance(5ms);
        at.serving.held.open();
        at.world.run();
        CHECK(seen->read() == "15ms <a 15ms 5ms <a 5ms");
        CHECK(stopwatch::per_call::living == 0);
        auto third = at.stub.with({.filters = {wall{}}}).hold();
        CHECK(stopwatch::per_call::living == 0);
    }
    CHECK(stopwatch::per_call::living == 0);
}

TEST_CASE("client filters: a call waits for one that is not ready, and goes on where it was") {
    const auto seen = std::make_shared<diary>();
    turnstile entry;
    filtered_world at{{witness{"a", seen}, entry, witness{"b", seen}}};
    auto call = at.stub.say("x");
    at.world.advance(1s);
    CHECK(!call.is_ready());
    CHECK(seen->read() == "a>");
    CHECK(at.serving.said == 0);
    entry.at->open();
    CHECK(at.world.get(std::move(call)) == "x");
    CHECK(seen->read() == "b> <b <a");
}

struct in_coroutine {
    futon::duration pause;
    futon::task<futon::decision> before(futon::client_call& call) {
        co_await futon::delay(pause);
        if (call.headers().contains("refuse")) co_return futon::errc::permission_denied;
        call.headers().set("late", "yes");
        co_return futon::decision{};
    }
};

TEST_CASE("client filters: one may be a coroutine") {
    filtered_world at{{in_coroutine{20ms}}};
    CHECK(at.world.get(at.stub.header("late")) == "yes");
    CHECK(at.world.elapsed() >= 20ms);
    const auto refused = at.world.get_result(at.stub.with({.headers = {{"refuse", ""}}}).header("late"));
    REQUIRE(!refused);
    CHECK(refused.error() == futon::errc::permission_denied);
}

TEST_CASE("client filters: a call's time runs out while a filter waits") {
    const auto seen = std::make_shared<diary>();
    turnstile entry;
    filtered_world at{{witness{"a", seen}, entry}};
    auto call = at.stub.with({.timeout = 100ms}).say("x");
    at.world.advance(99ms);
    CHECK(!call.is_ready());
    at.world.advance(1ms);
    REQUIRE(call.is_ready());
    const auto why = std::move(call).get_result().error();
    CHECK(why == futon::errc::deadline_exceeded);
    CHECK(why.ran() == futon::executed::no);
    CHECK(seen->read() == "a> <a!");
    entry.at->open();
    at.world.run();
    CHECK(at.serving.said == 0);
    CHECK(at.client->stats().calls == 0);
}

TEST_CASE("client filters: a cancel reaches what a filter waits for") {
    const auto seen = std::make_shared<diary>();
    for (const bool coroutine : {false, true}) {
        turnstile entry;
        filtered_world at{{witness{"a", seen}, coroutine ? futon::any_filter<futon::client_call>{in_coroutine{10s}}
                                                         : futon::any_filter<futon::client_call>{entry}}};
        auto call = at.stub.say("x");
        at.world.advance(1ms);
        call.cancel();
        at.world.run();
        REQUIRE(call.is_ready());
        const auto why = std::move(call).get_result().error();
        CHECK(why == futon::errc::cancelled);
        CHECK(why.ran() == futon::executed::no);
        CHECK(seen->read() == "a> <a!");
    }
}

TEST_CASE("client filters: closing the client ends calls that are among its filters") {
    const auto seen = std::make_shared<diary>();
    turnstile entry;
    filtered_world at{{witness{"a", seen}, entry}};
    auto call = at.stub.with({.timeout = futon::duration::max()}).say("x");
    at.world.advance(1ms);
    at.client->close();
    at.world.run();
    REQUIRE(call.is_ready());
    CHECK(std::move(call).get_result().error() == futon::errc::client_closed);
    CHECK(seen->read() == "a> <a!");
}

TEST_CASE("client filters: one-way calls pass them, and come back when they are queued") {
    const auto seen = std::make_shared<diary>();
    turnstile entry;
    filtered_world at{{witness{"a", seen}}};
    REQUIRE(at.world.get_result(at.client->wait_ready(1s)));
    CHECK(at.stub.hint("x", futon::oneway));
    CHECK(seen->read() == "a> <a");
    const auto refused = at.stub.with({.filters = {wall{}}}).hint("x", futon::oneway);
    REQUIRE(!refused);
    CAPTURE(refused.error().describe());
    CHECK(refused.error() == futon::errc::unavailable);
    CHECK(seen->read() == "a> <a!");
    CHECK(at.stub.with({.filters = {entry}}).hint("x", futon::oneway));
    CHECK(seen->read() == "a>");
    entry.at->open();
    at.world.run();
    CHECK(seen->read() == "<a");
    CHECK(at.serving.hints.count() == 2);
}

TEST_CASE("client filters: calls with streams pass them, and come back with their final result") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{witness{"a", seen}}};
    CHECK(at.world.get(at.stub.count(3).collect(10)) == std::vector{0, 1, 2});
    CHECK(seen->read() == "a> <a");
    auto [numbers, taken] = futon::make_stream<int>(at.world.executor(), 4);
    for (const int n : {1, 2, 3}) CHECK(numbers.try_send(n));
    numbers.close();
    CHECK(at.world.get(at.stub.add_up(std::move(taken))) == 6);
    CHECK(seen->read() == "a> <a");
    CHECK(at.world.get_result(at.stub.with({.filters = {wall{}}}).count(3).collect(10)).error() ==
          futon::errc::unavailable);
    CHECK(seen->read() == "a> <a!");
    turnstile entry;
    auto later = at.stub.with({.filters = {entry}}).count(2).collect(10);
    at.world.advance(1ms);
    CHECK(seen->read() == "a>");
    entry.at->open();
    CHECK(at.world.get(std::move(later)) == std::vector{0, 1});
    CHECK(seen->read() == "<a");
    {
        auto dropped = at.stub.with({.filters = {entry}}).count(2);
        at.world.advance(1ms);
    }
    at.world.run();
    CHECK(seen->read() == "a> <a!");
}

TEST_CASE("client filters: one that is shared is one, however often it is listed") {
    struct counter {
        std::atomic<int> calls{0};
        void before(futon::client_call&) { ++calls; }
    };
    const auto counts = std::make_shared<counter>();
    counter lent;
    filtered_world at{{counts, std::ref(lent), counts}};
    CHECK(at.world.get(at.stub.say("x")) == "x");
    CHECK(counts->calls == 2);
    CHECK(lent.calls == 1);
}

// Counts what goes out and comes back; each call must do both once.
struct balance {
    std::atomic<int> out{0};
    std::atomic<int> back{0};
    void before(futon::client_call&) { ++out; }
    void after(futon::client_call&, futon::call_outcome&) { ++back; }
};
struct hopping {
    futon::executor_ref pool;
    futon::future<void> before(futon::client_call&) { return futon::make_ready(pool).then([] {}); }
};

TEST_CASE("client filters: each call comes back once, whatever races to end it") {
    const auto counts = std::make_shared<balance>();
    const futon::runtime threads{{.pool_threads = 2, .log = [](const futon::log_record&) {}}};
    echo_server at{quiet_server()};
    auto calling = to(at.address());
    calling.filters = {counts, hopping{threads.pool()}, counts};
    calling.runtime = threads;
    futon::client client{std::move(calling)};
    const auto stub = client.stub<Echo>();
    constexpr int rounds = 400;
    std::atomic<int> ended{0};
    std::atomic<int> odd{0};
    {
        std::vector<std::thread> callers;
        for (int t = 0; t < 3; ++t) {
            callers.emplace_back([&, t] {
                for (int i = 0; i < rounds; ++i) {
                    // Some are cancelled at once, some run out of time, some are dropped, some succeed.
                    auto call =
                        stub.with({.timeout = i % 5 == 0 ? futon::duration{1us} : futon::duration{ceiling}}).echo(i);
                    const auto stop = call.get_cancel_handle();
                    std::move(call).on_complete([&, i](futon::result<std::int64_t> got) {
                        if (got && *got != i) ++odd;
                        ++ended;
                    });
                    if ((i + t) % 3 == 0) stop.cancel();
                    if (i % 7 == 0) std::this_thread::yield();
                }
            });
        }
        for (auto& each : callers) each.join();
    }
    REQUIRE(soon([&] { return ended == 3 * rounds; }));
    CHECK(odd == 0);
    CHECK(counts->out.load() == counts->back.load());
    CHECK(counts->out.load() <= 2 * 3 * rounds);
    CHECK(counts->out.load() >= 3 * rounds);
}

}  // namespace
