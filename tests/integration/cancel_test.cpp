// SPDX-License-Identifier: Apache-2.0
// A caller that gives up: how far that reaches, and what it is told.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Link {
    int forward();
    int in_task();
    int in_awaitable();
    int hold();
    int block();
    int quick();
    int finish();
};
FUTON_SERVICE(Link, forward, in_task, in_awaitable, hold, block, quick, (finish, futon::run_to_end))

struct link {
    explicit link(const futon::stub<Link>* to_whom = nullptr) : next{to_whom} {}

    futon::future<int> forward() { return next->hold(); }
    futon::task<int> in_task() { co_return co_await next->in_awaitable(); }
    asio::awaitable<int> in_awaitable() { co_return co_await next->hold(futon::use_awaitable); }
    void hold(futon::call_context& c, futon::responder<int> answer) {
        const std::lock_guard lock{mutex};
        held.push_back(std::move(answer));
        stop = c.stop_token();
        holding.add();
    }
    // On the pool, as code that looks at its token now and then.
    futon::result<int> block(futon::call_context& c) {
        std::mutex mine;
        std::condition_variable_any changed;
        std::unique_lock lock{mine};
        holding.add();
        const auto token = c.stop_token();
        changed.wait_for(lock, token, ceiling, [] { return false; });
        if (token.stop_requested()) stopped.add();
        return token.stop_requested() ? futon::result<int>{futon::errc::cancelled} : 1;
    }
    int quick() { return ++quick_calls; }
    futon::future<int> finish() { return next->hold(); }

    [[nodiscard]] bool is_stopped() {
        const std::lock_guard lock{mutex};
        return stop.stop_requested();
    }
    void answer_all(int with) {
        const std::lock_guard lock{mutex};
        for (auto& each : held) each(with);
        held.clear();
    }

    const futon::stub<Link>* next;
    std::mutex mutex;
    std::vector<futon::responder<int>> held;
    std::stop_token stop;
    tally holding;
    tally stopped;
    std::atomic<int> quick_calls{0};
};

// Three servers in a row; the last one holds what it gets.
struct three {
    link last_link;
    served<Link> last{std::ref(last_link)};
    link second_link{&last.stub};
    served<Link> second{std::ref(second_link)};
    link first_link{&second.stub};
    served<Link> first{std::ref(first_link)};

    [[nodiscard]] bool at_rest() {
        return soon([&] {
            return first.server.stats().in_flight == 0 && second.server.stats().in_flight == 0 &&
                   last.server.stats().in_flight == 0;
        });
    }
};

TEST_CASE("client: cancel() reaches the handler's stop token, and the caller knows at once") {
    link service;
    served<Link> at{std::ref(service)};
    auto call = at.stub.hold();
    REQUIRE(service.holding.reaches(1));
    CHECK_FALSE(service.is_stopped());
    call.cancel();
    const auto why = error_of(std::move(call));
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::maybe);
    CHECK(soon([&] { return service.is_stopped(); }));
    service.answer_all(1);
    CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
    CHECK(at.stub.quick().get() == 1);
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE("client: cancel() wakes a blocking handler on the pool that waits on its stop token") {
    link service;
    served<Link> at{std::ref(service)};
    auto call = at.stub.block();
    REQUIRE(service.holding.reaches(1));
    call.cancel();
    CHECK(error_of(std::move(call)) == futon::errc::cancelled);
    CHECK(service.stopped.reaches(1));
}

TEST_CASE("client: cancel() travels through futures, tasks and awaitables over three servers") {
    three at;
    for (std::size_t round = 1; round <= 20; ++round) {
        auto call = at.first.stub.in_task();
        REQUIRE(at.last_link.holding.reaches(round));
        CHECK_FALSE(at.last_link.is_stopped());
        call.cancel();
        CHECK(error_of(std::move(call)) == futon::errc::cancelled);
        CHECK(soon([&] { return at.last_link.is_stopped(); }));
        at.last_link.answer_all(1);
        CHECK(at.at_rest());
    }
}

TEST_CASE("client: a deadline that ends travels the same way") {
    futon::testing::simulation world;
    link last_link;
    served<Link> last{std::ref(last_link), {}, server_in(world, "last"), client_in(world)};
    link second_link{&last.stub};
    served<Link> second{std::ref(second_link), {}, server_in(world, "second"), client_in(world)};
    link first_link{&second.stub};
    served<Link> first{std::ref(first_link), {}, server_in(world, "first"), client_in(world)};
    auto call = first.stub.with({.timeout = 50ms}).in_task();
    world.advance(50ms - 1ns);
    REQUIRE(last_link.holding.count() == 1);
    CHECK_FALSE(last_link.is_stopped());
    CHECK_FALSE(call.is_ready());
    world.advance(1ns);
    REQUIRE(call.is_ready());
    CHECK(error_of(std::move(call)) == futon::errc::deadline_exceeded);
    CHECK(last_link.is_stopped());
    last_link.answer_all(1);
    world.run();
    for (auto* each : {&first, &second, &last}) CHECK(each->server.stats().in_flight == 0);
}

TEST_CASE("client: a client that goes away stops what it asked for, over three servers") {
    three at;
    auto call = at.first.stub.in_task();
    REQUIRE(at.last_link.holding.reaches(1));
    at.first.client.reset();
    CHECK(error_of(std::move(call)) == futon::errc::client_closed);
    CHECK(soon([&] { return at.last_link.is_stopped(); }));
    at.last_link.answer_all(1);
    CHECK(at.at_rest());
}

TEST_CASE("client: cancelling the last stage of a chain, or a combination, cancels its calls") {
    link service;
    served<Link> at{std::ref(service)};
    auto chain =
        at.stub.hold().then([](int n) { return n + 1; }).then([](int n) { return std::to_string(n); }).timeout(ceiling);
    REQUIRE(service.holding.reaches(1));
    chain.cancel();
    CHECK(error_of(std::move(chain)) == futon::errc::cancelled);
    CHECK(soon([&] { return service.is_stopped(); }));

    auto nested = at.stub.quick().then([stub = at.stub](int) { return stub.hold(); });
    REQUIRE(service.holding.reaches(2));
    nested.cancel();
    CHECK(error_of(std::move(nested)) == futon::errc::cancelled);
    CHECK(soon([&] { return service.is_stopped(); }));

    // The loser of a race.
    auto race = futon::when_any(at.stub.hold(), at.stub.hold().then([](int n) { return n; }));
    REQUIRE(service.holding.reaches(4));
    race.cancel();
    static_cast<void>(std::move(race).get_result());
    CHECK(soon([&] { return at.server.stats().wire.cancels_received == 4; }));
    service.answer_all(1);
}

TEST_CASE("client: the loser of when_any is cancelled at its server") {
    link slow;
    served<Link> other{std::ref(slow)};
    link service;
    served<Link> at{std::ref(service)};
    auto losing = other.stub.hold();
    REQUIRE(slow.holding.reaches(1));
    const auto first = futon::when_any(std::move(losing), at.stub.quick()).get();
    CHECK(first.index == 1);
    CHECK(soon([&] { return slow.is_stopped(); }));
}

TEST_CASE("client: a call cancelled before it left was not executed") {
    auto calling = to("tcp://127.0.0.1:1");
    calling.wait_for_ready = true;
    futon::client client{calling};
    auto call = client.stub<Link>().quick();
    call.cancel();
    const auto why = error_of(std::move(call));
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::no);
    CHECK(client.stats().queued == 0);
}

TEST_CASE("client: a call cancelled while it stands in the send buffer is taken back, not executed") {
    link service;
    served<Link> at{std::ref(service), {.run_on = futon::run_on::io}};
    // On the I/O thread, where nothing is written before this returns.
    auto told = at.stub.quick().then([stub = at.stub](int) {
        auto call = stub.quick();
        call.cancel();
        return std::move(call).handle([](const futon::result<int>& got) {
            return got ? std::string{"a value"} : got.error().describe() + " " + std::string{name(got.error().ran())};
        });
    });
    CHECK(std::move(told).get() ==
          "Link.quick at " + at.server.addresses()[0].text() + ": cancelled: the caller cancelled the call no");
    CHECK(at.stub.quick().get() == 2);
    CHECK(at.client->stats().wire.withdrawn == 1);
}

TEST_CASE("client: cancel() meets the reply at any moment: one outcome, and the connection stays") {
    link service;
    served<Link> at{std::ref(service), {.run_on = futon::run_on::io}};
    int values = 0;
    int cancelled = 0;
    // Fewer in a second than what a server takes for abuse.
    for (int i = 0; i < 150; ++i) {
        auto call = at.stub.quick();
        for (int spin = 0; spin < i * 40 && !call.is_ready(); ++spin) static_cast<void>(call.is_ready());
        call.cancel();
        const auto got = std::move(call).get_result();
        values += got ? 1 : 0;
        cancelled += !got && got.error() == futon::errc::cancelled ? 1 : 0;
    }
    CHECK(values + cancelled == 150);
    CHECK(at.stub.quick().get() > 0);
    CHECK(at.client->stats().connects == 1);
    CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
}

TEST_CASE("client: an Asio cancellation slot cancels the call, as a handler's and as a coroutine's") {
    link service;
    served<Link> at{std::ref(service)};
    {
        asio::io_context context;
        asio::cancellation_signal signal;
        std::optional<futon::result<int>> got;
        at.stub.hold(asio::bind_cancellation_slot(
            signal.slot(), asio::bind_executor(context, [&](futon::result<int> r) { got = std::move(r); })));
        REQUIRE(service.holding.reaches(1));
        asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
        context.run();
        REQUIRE(got);
        CHECK(got->error() == futon::errc::cancelled);
        CHECK(soon([&] { return service.is_stopped(); }));
    }
    {
        asio::io_context context;
        asio::cancellation_signal signal;
        std::optional<futon::errc> code;
        auto waiting = [&]() -> asio::awaitable<void> {
            const auto got = co_await at.stub.hold(asio::use_awaitable);
            if (!got) code = static_cast<futon::errc>(got.error().code().value());
        };
        asio::co_spawn(context, waiting(), asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
        context.poll();
        REQUIRE(service.holding.reaches(2));
        signal.emit(asio::cancellation_type::terminal);
        context.run();
        CHECK(code == futon::errc::cancelled);
        CHECK(soon([&] { return service.is_stopped(); }));
    }
    service.answer_all(1);
}

TEST_CASE("server: run_to_end lets a handler and its calls finish although the caller gave up") {
    bool whole_service = false;
    SUBCASE("of a service") { whole_service = true; }
    SUBCASE("of a method") {}
    link inner;
    served<Link> last{std::ref(inner)};
    link service{&last.stub};
    served<Link> at{std::ref(service), {.run_to_end = whole_service}};
    auto call = whole_service ? at.stub.forward() : at.stub.finish();
    REQUIRE(inner.holding.reaches(1));
    call.cancel();
    CHECK(error_of(std::move(call)) == futon::errc::cancelled);
    CHECK(soon([&] { return at.server.stats().wire.cancels_received == 1; }));
    CHECK(at.server.stats().in_flight == 1);
    CHECK_FALSE(inner.is_stopped());
    inner.answer_all(5);
    CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
    CHECK(last.client->stats().succeeded == 1);
    CHECK(last.server.stats().wire.cancels_received == 0);
}

}  // namespace
