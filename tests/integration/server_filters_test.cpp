// SPDX-License-Identifier: Apache-2.0
// Filters of servers, services and methods: their order, where they run, what they may change, and that each call comes
// back through them once.

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

TEST_CASE(
    "server filters: a call passes those of the server, of the service and of the method, and comes back the other way") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{
        {witness{"client", seen}},
        {witness{"server", seen}},
        {.filters = {witness{"a", seen}, witness{"b", seen}},
         .method_filters = {
             {"say", {witness{"say", seen}}}, {"hold", {witness{"hold", seen}}}, {"say", {witness{"too", seen}}}}}};
    CHECK(at.world.get(at.stub.say("x")) == "x");
    CHECK(seen->read() == "client> server> a> b> say> too> <too <say <b <a <server <client");
    CHECK(at.world.get(at.stub.header("x")) == "absent");
    CHECK(seen->read() == "client> server> a> b> <b <a <server <client");
    CHECK(!at.world.get_result(at.stub.say("fail")));
    CHECK(seen->read() == "client> server> a> b> say> too> <too! <say! <b! <a! <server! <client!");
}

TEST_CASE("server filters: filters for a method that there is not are a mistake") {
    futon::server server{quiet_server()};
    try {
        server.provide<Parrot>(std::make_shared<parrot>(), {.method_filters = {{"sing", {}}}});
        FAIL("it was taken");
    } catch (const futon::rpc_error& e) {
        CHECK(e.code() == futon::errc::bad_arguments);
        CHECK(e.detail().message() == "provide: 'Parrot' has no method 'sing' to filter");
    }
}

TEST_CASE(
    "server filters: one that refuses a call keeps it from the handler, and the caller learns that it did not run") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{
            {},
            {witness{"a", seen}, wall{futon::error{futon::errc::permission_denied, "not you"}.with_retry_after(250ms)},
             witness{"b", seen}},
            {.run_on = place}};
        const auto got = at.world.get_result(at.stub.say("x"));
        REQUIRE(!got);
        CHECK(got.error() == futon::errc::permission_denied);
        CHECK(got.error().message() == "not you");
        CHECK(got.error().ran() == futon::executed::no);
        CHECK(got.error().retry_after() == 250ms);
        CHECK(seen->read() == "a> <a!");
        CHECK(at.serving.said == 0);
        CHECK(at.server->stats().failed == 1);
        CHECK(at.server->stats().in_flight == 0);
        CHECK(at.client->stats().connects == 1);
    }
}

struct answers_y {
    bool starting_too = false;
    futon::decision before(futon::server_call& call) {
        if (starting_too) return {};
        call.reply_headers().set("cached", "yes");
        return futon::decision::answer({std::byte{0xa1}, std::byte{'y'}});
    }
    futon::decision starting(futon::server_call&) { return futon::decision::answer({std::byte{0xa1}, std::byte{'z'}}); }
};
struct reads_headers {
    std::shared_ptr<diary> into;
    void after(futon::client_call&, futon::call_outcome& how) {
        into->note(how.headers() ? std::string{how.headers()->get("cached").value_or("none")} : "nothing");
    }
};

TEST_CASE("server filters: one may answer with a value, before the handler is queued or when it is about to run") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{{reads_headers{seen}}, {answers_y{}}, {.run_on = place}};
        CHECK(at.world.get(at.stub.say("x")) == "y");
        CHECK(seen->read() == "yes");
        filtered_world late{{reads_headers{seen}}, {answers_y{true}}, {.run_on = place}};
        CHECK(late.world.get(late.stub.say("x")) == "z");
        CHECK(seen->read() == "nothing");
        CHECK(at.serving.said + late.serving.said == 0);
    }
}

struct steps {
    std::shared_ptr<diary> into;
    futon::errc refuse_at_start = futon::errc{};
    void before(futon::server_call&) { into->note("before"); }
    futon::decision starting(futon::server_call&) {
        into->note("starting");
        if (refuse_at_start != futon::errc{}) return refuse_at_start;
        return {};
    }
    void after(futon::server_call&, futon::call_outcome& how) { into->note(how.succeeded() ? "after" : "failed"); }
};

TEST_CASE("server filters: one is asked again when the handler is about to run") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{{}, {steps{seen}, witness{"a", seen}}, {.run_on = place}};
        CHECK(at.world.get(at.stub.say("x")) == "x");
        CHECK(seen->read() == "before a> starting <a after");
        filtered_world refusing{{}, {steps{seen, futon::errc::overloaded}, witness{"a", seen}}, {.run_on = place}};
        const auto got = refusing.world.get_result(refusing.stub.hold());
        REQUIRE(!got);
        CHECK(got.error() == futon::errc::overloaded);
        CHECK(got.error().ran() == futon::executed::no);
        CHECK(seen->read().ends_with("before a> starting <a! failed"));
        CHECK(refusing.serving.held.arrived.count() == 0);
    }
}

struct tells_who {
    void before(futon::server_call& call) {
        call.headers().set("who", std::string{call.peer()});
        call.headers().set("size", std::to_string(call.arguments().size()));
    }
    void after(futon::server_call& call, futon::call_outcome& how) {
        if (how.succeeded()) call.reply_headers().set("bytes", std::to_string(how.value().size()));
    }
};
struct sees_bytes {
    std::shared_ptr<diary> into;
    void after(futon::client_call&, futon::call_outcome& how) {
        into->note(std::string{how.headers()->get("bytes").value_or("none")} + "/" +
                   std::string{how.headers()->get("asked").value_or("none")});
    }
};

TEST_CASE("server filters: what one adds reaches the handler, and the caller") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{{sees_bytes{seen}}, {tells_who{}}, {.run_on = place}};
        CHECK(at.world.get(at.stub.header("who")).starts_with("memory://"));
        CHECK(at.world.get(at.stub.header("size")) == "6");
        static_cast<void>(seen->read());
        CHECK(at.world.get(at.stub.header("no")) == "absent");
        CHECK(seen->read() == "7/no");
        CHECK(at.world.get(at.stub.say(std::string(200'000, 'x'))) == std::string(200'000, 'x'));
        CHECK(seen->read() == "200005/none");
    }
}

struct changes {
    futon::errc into = futon::errc::internal;
    bool throws = false;
    void after(futon::server_call&, futon::call_outcome& how) {
        if (throws) throw std::runtime_error{"after threw"};
        if (how.succeeded())
            how.fail(futon::error{into, "changed", futon::executed::yes});
        else
            how.succeed({std::byte{0xa1}, std::byte{'f'}});
    }
};

TEST_CASE("server filters: one may change the answer, and one that throws fails its call and nothing else") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{{}, {witness{"a", seen}, changes{}}, {.run_on = place}};
        const auto got = at.world.get_result(at.stub.say("x"));
        CHECK(got.error() == futon::errc::internal);
        CHECK(got.error().message() == "changed");
        CHECK(seen->read() == "a> <a!");
        CHECK(at.world.get(at.stub.say("fail")) == "f");
        CHECK(seen->read() == "a> <a");
        filtered_world throwing{{}, {witness{"a", seen}, changes{.throws = true}}, {.run_on = place}};
        const auto thrown = throwing.world.get_result(throwing.stub.say("x"));
        REQUIRE(!thrown);
        CHECK(thrown.error() == futon::errc::remote_error);
        CHECK(thrown.error().message() == "after threw");
        CHECK(thrown.error().ran() == futon::executed::yes);
        CHECK(seen->read() == "a> <a!");
        CHECK(throwing.world.get_result(throwing.stub.hold().timeout(1s)).error() == futon::errc::deadline_exceeded);
        CHECK(throwing.client->stats().connects == 1);
    }
}

struct throws_before {
    void before(futon::server_call&) { throw std::runtime_error{"a secret"}; }
};

TEST_CASE("server filters: the text of an exception stays here where the server says so") {
    for (const bool hides : {false, true}) {
        auto options = quiet_server();
        options.hide_exception_text = hides;
        options.filters = {throws_before{}};
        served<Parrot> at{std::make_shared<parrot>(), {}, options};
        const auto why = error_of(at.stub.say("x"));
        CHECK(why == futon::errc::remote_error);
        CHECK(why.ran() == futon::executed::no);
        CHECK(why.message() == (hides ? "the handler failed" : "a secret"));
    }
}

struct sleeps {
    futon::duration pause;
    futon::task<void> before(futon::server_call& call) {
        co_await futon::delay(pause);
        call.headers().set("slept", "yes");
    }
};

TEST_CASE("server filters: one may be a coroutine; arguments stay until the handler has them") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        filtered_world at{{}, {sleeps{20ms}, sleeps{5ms}}, {.run_on = place}};
        auto header = at.stub.header("slept");
        auto word = at.stub.say("a word that is longer than any small buffer would be, so that it has to be kept");
        at.world.advance(24ms);
        CHECK(!word.is_ready());
        CHECK(at.server->stats().in_flight == 2);
        at.world.advance(1ms);
        CHECK(at.world.get(std::move(header)) == "yes");
        CHECK(at.world.get(std::move(word)) ==
              "a word that is longer than any small buffer would be, so that it has to be kept");
        CHECK(at.server->stats().in_flight == 0);
    }
}

TEST_CASE("server filters: a caller that gives up, or whose time is over, ends what a filter waits for") {
    const auto seen = std::make_shared<diary>();
    filtered_world at{{}, {witness{"a", seen}, sleeps{10s}}};
    auto call = at.stub.say("x");
    at.world.advance(1ms);
    CHECK(seen->read() == "a>");
    call.cancel();
    at.world.advance(1ms);
    CHECK(seen->read() == "<a!");
    auto late = at.stub.with({.timeout = 50ms}).say("x");
    at.world.advance(100ms);
    CHECK(std::move(late).get_result().error() == futon::errc::deadline_exceeded);
    CHECK(seen->read() == "a> <a!");
    auto lost = at.stub.say("x");
    at.world.advance(1ms);
    at.client.reset();
    at.world.advance(1ms);
    CHECK(seen->read() == "a> <a!");
    CHECK(at.serving.said == 0);
    CHECK(at.server->stats().in_flight == 0);
}

TEST_CASE("server filters: what still waits in a filter when its world ends comes back all the same") {
    const auto seen = std::make_shared<diary>();
    {
        filtered_world at{{}, {witness{"a", seen}, sleeps{10s}}};
        auto call = at.stub.say("x");
        at.world.advance(1ms);
    }
    CHECK(seen->read() == "a> <a!");
}

TEST_CASE("server filters: one-way calls and calls with streams pass them") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        const auto seen = std::make_shared<diary>();
        filtered_world at{{}, {witness{"a", seen}, sleeps{1ms}}, {.run_on = place}};
        CHECK(at.world.get(at.stub.count(3).collect(10)) == std::vector{0, 1, 2});
        CHECK(seen->read() == "a> <a");
        auto [numbers, taken] = futon::make_stream<int>(at.world.executor(), 4);
        for (const int n : {1, 2, 3}) CHECK(numbers.try_send(n));
        numbers.close();
        CHECK(at.world.get(at.stub.add_up(std::move(taken))) == 6);
        CHECK(seen->read() == "a> <a");
        CHECK(at.stub.hint("x", futon::oneway));
        at.world.advance(2ms);
        CHECK(seen->read() == "a> <a");
        CHECK(at.serving.hints.count() == 1);
        CHECK(at.server->stats().in_flight == 0);
    }
    const auto seen = std::make_shared<diary>();
    filtered_world at{{}, {witness{"a", seen}, wall{futon::errc::permission_denied}}};
    CHECK(at.world.get_result(at.stub.count(3).collect(10)).error() == futon::errc::permission_denied);
    CHECK(seen->read() == "a> <a!");
    CHECK(at.stub.hint("x", futon::oneway));
    at.world.run();
    CHECK(seen->read() == "a> <a!");
    CHECK(at.serving.hints.count() == 0);
}


// Both sides: each call must pass out once and come back once, and leave nothing behind.
struct server_balance {
    struct per_call {
        per_call() { ++living; }
        per_call(const per_call&) = delete;
        ~per_call() { --living; }
        inline static std::atomic<int> living{0};
    };
    std::atomic<int> in{0};
    std::atomic<int> started{0};
    std::atomic<int> out{0};
    void before(futon::server_call&, per_call&) { ++in; }
    void starting(futon::server_call&) { ++started; }
    void after(futon::server_call&, futon::call_outcome&, per_call&) { ++out; }
};
struct server_hop {
    futon::executor_ref pool;
    futon::future<void> before(futon::server_call&) {
        return futon::make_ready(pool).then([] {});
    }
};

TEST_CASE("server filters: each call comes back once, whatever races to end it") {
    const auto counts = std::make_shared<server_balance>();
    const futon::runtime pool{{.pool_threads = 2, .log = [](const futon::log_record&) {}}};
    constexpr int rounds = 200;
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        auto options = quiet_server();
        options.filters = {counts, server_hop{pool.pool()}, counts};
        std::optional<echo_server> at;
        at.emplace(options, futon::provide_options{.run_on = place});
        std::optional<futon::client> client;
        client.emplace(to(at->address()));
        const auto stub = client->stub<Echo>();
        std::atomic<int> ended{0};
        std::vector<std::thread> callers;
        for (int t = 0; t < 3; ++t) {
            callers.emplace_back([&, t] {
                for (int i = 0; i < rounds; ++i) {
                    auto call =
                        stub.with({.timeout = i % 5 == 0 ? futon::duration{200us} : futon::duration{ceiling}}).echo(i);
                    const auto stop = call.get_cancel_handle();
                    std::move(call).on_complete([&](futon::result<std::int64_t>) { ++ended; });
                    if (i % 11 == 0) std::this_thread::yield();
                    if ((i + t) % 3 == 0) stop.cancel();
                    if (i % 17 == 0) static_cast<void>(stub.note(i, futon::oneway));
                }
            });
        }
        for (auto& each : callers) each.join();
        REQUIRE(soon([&] { return ended == 3 * rounds; }));
        // The rest is under way when the client goes.
        std::vector<futon::future<std::int64_t>> left;
        for (int i = 0; i < 50; ++i) left.push_back(stub.echo(i));
        client.reset();
        for (auto& each : left) static_cast<void>(std::move(each).get_result());
        at.reset();
        // What waited in a filter, on its pool, ends when it has waited: the server does not wait for it.
        CHECK(soon([&] { return counts->in.load() == counts->out.load() && server_balance::per_call::living == 0; }));
        CHECK(counts->started.load() <= counts->in.load());
        CHECK(counts->started.load() > 0);
    }
}

}  // namespace
