// SPDX-License-Identifier: Apache-2.0
// The time that a call has: who says it, who sees it, and what happens when it is over.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Timed {
    std::int64_t left();
    std::int64_t left_of_method();
    std::int64_t nested();
    void hold();
    void block();
    int touch();
};
FUTON_SERVICE(Timed, left, (left_of_method, futon::timeout(500s)), nested, hold, block, touch)

struct timed {
    // What the handler sees, in milliseconds.
    std::int64_t left(futon::call_context& c) { return in_ms(c.time_left()); }
    std::int64_t left_of_method(futon::call_context& c) { return in_ms(c.time_left()); }
    futon::future<std::int64_t> nested() { return next->left(); }
    void hold(futon::call_context& c, futon::responder<void> answer) {
        stop = c.stop_token();
        held.emplace(std::move(answer));
        holding.add();
    }
    void block() {
        holding.add();
        open.wait();
    }
    int touch() { return ++touched; }

    static std::int64_t in_ms(futon::duration d) {
        return d == futon::duration::max() ? -1 : std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
    }

    const futon::stub<Timed>* next = nullptr;
    std::stop_token stop;
    std::optional<futon::responder<void>> held;
    tally holding;
    std::latch open{1};
    std::atomic<int> touched{0};
};

// Within its own time, and no more than `ceiling` used up on the way.
bool about(std::int64_t left, std::chrono::milliseconds all) {
    return left <= all.count() && left > (all - std::chrono::milliseconds{ceiling}).count();
}

TEST_CASE("client: a call that says nothing has 3 s, and the handler sees what is left of them") {
    timed service;
    auto calling = to({});
    calling.timeout = futon::client_options{}.timeout;
    CHECK(calling.timeout == 3s);
    served<Timed> at{std::ref(service), {}, quiet_server(), calling};
    const auto left = at.stub.left().get();
    CHECK(left > 0);
    CHECK(left <= 3000);
}

TEST_CASE("client: the method's timeout counts before the client's, the call's before the method's") {
    timed service;
    auto calling = to({});
    calling.timeout = 1000s;
    served<Timed> at{std::ref(service), {}, quiet_server(), calling};
    CHECK(about(at.stub.left().get(), 1000s));
    CHECK(about(at.stub.left_of_method().get(), 500s));
    CHECK(about(at.stub.with({.timeout = 200s}).left_of_method().get(), 200s));
    CHECK(about(at.stub.with({.timeout = 2000s}).left_of_method().get(), 2000s));
    CHECK(about(at.stub.with(200s).left_of_method().get(), 200s));
    CHECK(about(at.stub.with({.deadline = futon::clock::now() + 300s}).left_of_method().get(), 300s));
    // The earlier of both.
    CHECK(about(at.stub.with({.timeout = 200s, .deadline = futon::clock::now() + 400s}).left().get(), 200s));
    CHECK(about(at.stub.with({.timeout = 400s, .deadline = futon::clock::now() + 200s}).left().get(), 200s));
    // Options of a stub stay until others are laid over them.
    const auto patient = at.client->stub<Timed>({.calls = {.timeout = 700s}});
    CHECK(about(patient.left_of_method().get(), 700s));
    CHECK(about(patient.with({.headers = {{"k", "v"}}}).left().get(), 700s));
    CHECK(about(patient.with({.timeout = 600s}).left().get(), 600s));
}

TEST_CASE("client: a timeout alone may be said within an expression that is awaited") {
    timed service;
    served<Timed> at{std::ref(service)};
    const auto left = [](futon::stub<Timed> stub) -> futon::task<std::int64_t> {
        co_return co_await stub.with(2000s).with(200s).left();
    };
    CHECK(about(futon::sync_wait(left(at.stub.with({}))), 200s));
}

TEST_CASE("client: a call without a deadline waits for ever, and its handler sees that") {
    timed service;
    served<Timed> at{std::ref(service)};
    CHECK(at.stub.with({.timeout = futon::duration::max()}).left().get() == -1);
}

TEST_CASE("client: a deadline that is over fails at once, not executed, and reaches no handler") {
    timed service;
    served<Timed> at{std::ref(service)};
    CHECK(at.stub.touch().get() == 1);
    for (const auto timeout : {0s, -5s}) {
        const auto why = error_of(at.stub.with({.timeout = timeout}).touch());
        CHECK(why == futon::errc::deadline_exceeded);
        CHECK(why.ran() == futon::executed::no);
    }
    CHECK(error_of(at.stub.with({.deadline = futon::clock::now() - 1h}).touch()) == futon::errc::deadline_exceeded);
    CHECK(at.stub.touch().get() == 2);
}

TEST_CASE("client: a call made inside a handler has the time that the handler has left, or less") {
    timed inner;
    served<Timed> second{std::ref(inner)};
    timed outer;
    auto calling = to(second.server.addresses());
    calling.timeout = 1000s;
    futon::client between{calling};
    const auto generous = between.stub<Timed>();
    const auto strict = generous.with({.timeout = 100s});
    served<Timed> first{std::ref(outer)};

    outer.next = &generous;
    CHECK(about(first.stub.with({.timeout = 400s}).nested().get(), 400s));
    CHECK(about(first.stub.with({.timeout = futon::duration::max()}).nested().get(), 1000s));
    outer.next = &strict;
    CHECK(about(first.stub.with({.timeout = 400s}).nested().get(), 100s));
}

TEST_CASE("server: work that expired in the pool's queue is dropped before it runs, and the caller was told in time") {
    timed service;
    auto serving = quiet_server();
    serving.threads.pool_threads = 1;
    served<Timed> at{std::ref(service), {.methods = {{"left", futon::run_on::io}}}, serving};
    auto blocking = at.stub.block();
    REQUIRE(service.holding.reaches(1));
    // One whose time is over before it has left, since the machine is busy, was never in the queue.
    CHECK(soon([&] {
        const auto why = error_of(at.stub.with({.timeout = 20ms}).touch());
        CHECK(why == futon::errc::deadline_exceeded);
        return why.ran() == futon::executed::maybe;
    }));
    CHECK(service.touched == 0);
    // By the server's own count it may still have time, but its cancel is there before what the client says next.
    static_cast<void>(at.stub.left().get());
    service.open.count_down();
    std::move(blocking).get();
    CHECK(at.stub.touch().get() == 1);  // The only one that ran.
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE("server: an expired call that nobody cancelled is dropped before it runs") {
    timed service;
    auto serving = quiet_server();
    serving.threads.pool_threads = 1;
    served<Timed> at{std::ref(service), {}, serving};
    auto blocking = at.stub.block();
    REQUIRE(service.holding.reaches(1));
    // One-way: its caller waits for nothing, so that no cancel follows. For one whose time is over before it has left,
    // since the machine is busy, there is another.
    const auto hurried = at.stub.with({.timeout = 20ms});
    static_cast<void>(hurried.touch(futon::oneway));
    std::uint64_t lost = 0;
    REQUIRE(soon([&] {
        if (const auto failed = at.client->stats().failed; failed > lost) {
            lost = failed;
            static_cast<void>(hurried.touch(futon::oneway));
        }
        return at.server.stats().calls == 2;
    }));
    // The server counts the time left from when it read the call, which can be long after it was made.
    const auto due = futon::clock::now() + 20ms;
    CHECK(soon([&] { return futon::clock::now() > due; }));
    service.open.count_down();
    std::move(blocking).get();
    CHECK(at.stub.touch().get() == 1);
    CHECK(at.server.stats().failed == 1);
}

TEST_CASE("client: a call that timed out is cancelled at the server, and its late reply is dropped there") {
    futon::testing::simulation world;
    timed service;
    served<Timed> at{std::ref(service), {}, server_in(world), client_in(world)};
    auto late = at.stub.with({.timeout = 20ms}).hold();
    world.advance(20ms - 1ns);
    REQUIRE(service.holding.count() == 1);
    CHECK_FALSE(service.stop.stop_requested());
    CHECK_FALSE(late.is_ready());
    world.advance(1ns);
    REQUIRE(late.is_ready());
    const auto why = error_of(std::move(late));
    CHECK(why == futon::errc::deadline_exceeded);
    CHECK(why.ran() == futon::executed::maybe);
    CHECK(why.where() == "Timed.hold at memory://server");
    CHECK(service.stop.stop_requested());
    CHECK(service.held->stop_requested());
    CHECK((*service.held)());
    // The connection stays, and nothing is left over.
    CHECK(world.get(at.stub.touch()) == 1);
    CHECK(at.server.stats().in_flight == 0);
    CHECK(at.server.stats().wire.dropped_replies == 1);
    const auto seen = at.client->stats();
    CHECK(seen.connects == 1);
    CHECK(seen.wire.expired == 1);
    CHECK(seen.wire.cancels_sent == 1);
    CHECK(seen.failed == 1);
}

TEST_CASE("client: a reply that crosses the cancel of its call is counted as late and ignored") {
    timed service;
    auto serving = quiet_server();
    serving.limits.max_cancels_per_second = 1'000'000;  // Where the machine is busy most calls are late.
    served<Timed> at{std::ref(service), {.run_on = futon::run_on::io, .run_to_end = true}, serving};
    CHECK(at.stub.touch().get() == 1);
    // Many calls whose answers and deadlines meet: whatever wins, each has one outcome and the connection stays.
    for (int i = 0; i < 2000; ++i) {
        std::vector<futon::future<int>> made;
        for (int k = 0; k < 8; ++k) made.push_back(at.stub.with({.timeout = 200us}).touch());
        for (auto& each : made) {
            const auto got = std::move(each).get_result();
            if (!got) CHECK(got.error() == futon::errc::deadline_exceeded);
        }
        if (const auto now = at.client->stats(); now.wire.late_replies > 0 && i > 100) break;
    }
    CHECK(at.stub.touch().get() > 1);
    CHECK(at.client->stats().connects == 1);
    CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
}

TEST_CASE("client: a client's timeout covers the wait for a connection") {
    auto calling = to("tcp://127.0.0.1:1");
    calling.wait_for_ready = true;
    futon::client client{calling};
    const auto why = error_of(client.stub<Timed>().with({.timeout = 30ms}).touch());
    CHECK(why == futon::errc::deadline_exceeded);
    CHECK(why.ran() == futon::executed::no);
    CHECK(why.message().find("127.0.0.1:1") != std::string::npos);
}

}  // namespace
