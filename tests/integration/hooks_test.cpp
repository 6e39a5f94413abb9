// SPDX-License-Identifier: Apache-2.0
// What can be seen from outside: completion hooks, counters, the log sink, failures that nobody looked at.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Work {
    int quick(int n);
    int fail(int n);
    int later(int n);
    int takes(int microseconds);
    void hold();
};
FUTON_SERVICE(Work, quick, fail, later, takes, hold)

struct work {
    int quick(int n) { return n; }
    futon::result<int> fail(int) { return futon::error{futon::errc::permission_denied, "no"}; }
    futon::task<int> later(int n) {
        co_await futon::delay(2ms);
        co_return n;
    }
    // Busy, not asleep, for at least that long.
    int takes(int microseconds) {
        const auto until = futon::clock::now() + std::chrono::microseconds{microseconds};
        while (futon::clock::now() < until) continue;
        return microseconds;
    }
    void hold(futon::responder<void> answer) {
        const std::lock_guard lock{mutex};
        held.push_back(std::move(answer));
        holding.add();
    }
    std::mutex mutex;
    std::vector<futon::responder<void>> held;
    tally holding;
};

// What a hook saw, with its own copies of all that is only valid inside.
struct seen_call {
    std::string method;
    std::string peer;
    std::string failure;
    int attempts = 0;
    futon::duration total{};
    futon::call_times times{};
};

template <class T>
class journal {
public:
    void add(T what) {
        const std::lock_guard lock{mutex_};
        all_.push_back(std::move(what));
        count.add();
    }
    [[nodiscard]] std::vector<T> all() {
        const std::lock_guard lock{mutex_};
        return all_;
    }
    tally count;

private:
    std::mutex mutex_;
    std::vector<T> all_;
};

futon::client_options journaled(journal<seen_call>& to_where) {
    auto options = to({});
    options.on_call = [&](const futon::call_record& r) {
        to_where.add({r.method.full_name(), std::string{r.peer}, r.failure ? r.failure->describe() : "", r.attempts,
                      r.total, r.times});
    };
    return options;
}

TEST_CASE("client: on_call sees each call once, with its method, peer, attempts and times that add up") {
    journal<seen_call> calls;
    auto service = std::make_shared<work>();
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        served<Work> at{service, {.run_on = place}, quiet_server(), journaled(calls)};
        const auto before = calls.all().size();
        CHECK(at.stub.quick(1).get() == 1);
        CHECK(at.stub.takes(3000).get() == 3000);
        CHECK(at.stub.later(2).get() == 2);
        REQUIRE(calls.count.reaches(before + 3));
        const auto all = calls.all();
        const auto address = at.server.addresses()[0].text();
        CHECK(all[before].method == "Work.quick");
        CHECK(all[before + 1].method == "Work.takes");
        for (std::size_t i = before; i < before + 3; ++i) {
            CAPTURE(all[i].method);
            CHECK(all[i].peer == address);
            CHECK(all[i].failure == "");
            CHECK(all[i].attempts == 1);
            CHECK(all[i].times.queued >= 0s);
            CHECK(all[i].times.wire >= 0s);
            CHECK(all[i].times.handler >= 0s);
            CHECK(all[i].times.queued + all[i].times.wire + all[i].times.handler <= all[i].total);
        }
        // Measured where it ran; the wire's time is without it.
        CHECK(all[before + 1].times.handler >= 3ms);
        CHECK(all[before + 2].times.handler >= 2ms);
        CHECK(all[before + 2].total >= 2ms);
    }
}

TEST_CASE("client: on_call sees failures, wherever they came from") {
    journal<seen_call> calls;
    {
        served<Work> at{std::make_shared<work>(), {}, quiet_server(), journaled(calls)};
        const auto address = at.server.addresses()[0].text();
        CHECK(error_of(at.stub.fail(1)) == futon::errc::permission_denied);
        CHECK(error_of(at.stub.with({.timeout = 5ms}).hold()) == futon::errc::deadline_exceeded);
        REQUIRE(calls.count.reaches(2));
        const auto all = calls.all();
        CHECK(all[0].failure == "Work.fail at " + address + ": permission_denied: no");
        CHECK(all[0].peer == address);
        CHECK(all[0].attempts == 1);
        CHECK(all[1].failure.find("Work.hold at " + address + ": deadline_exceeded") == 0);
        CHECK(all[1].total >= 5ms);
    }
    auto options = journaled(calls);
    options.endpoints = "tcp://127.0.0.1:1";
    options.retry.max_attempts = 1;
    futon::client nowhere{options};
    CHECK(error_of(nowhere.stub<Work>().quick(1)).is(futon::cond::unavailable));
    REQUIRE(calls.count.reaches(3));
    CHECK(calls.all()[2].attempts == 0);
    CHECK(calls.all()[2].peer == "");
    CHECK(calls.all()[2].times.wire == 0s);
}

TEST_CASE("client: a hook that throws is reported and does no harm") {
    journal<std::string> logged;
    auto calling = to({});
    calling.on_call = [](const futon::call_record&) { throw std::runtime_error{"hook"}; };
    calling.threads.log = [&](const futon::log_record& r) { logged.add(std::string{r.kind}); };
    auto serving = quiet_server();
    serving.on_served = [](const futon::served_record&) { throw std::runtime_error{"hook"}; };
    serving.threads.log = [&](const futon::log_record& r) { logged.add(std::string{r.kind}); };
    served<Work> at{std::make_shared<work>(), {}, serving, calling};
    CHECK(at.stub.quick(5).get() == 5);
    REQUIRE(logged.count.reaches(2));
    CHECK(logged.all() == std::vector<std::string>{"hook_threw", "hook_threw"});
}

TEST_CASE("server: on_served sees each answered call once, one-way ones and failures too") {
    struct served_call {
        std::string method;
        std::string failure;
        bool has_peer = false;
        futon::duration handler{};
    };
    journal<served_call> calls;
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        auto serving = quiet_server();
        serving.on_served = [&](const futon::served_record& r) {
            calls.add({r.method.full_name(), r.failure ? r.failure->describe() : "",
                       r.peer.find("tcp://127.0.0.1:") == 0, r.handler});
        };
        served<Work> at{std::make_shared<work>(), {.run_on = place}, serving};
        const auto before = calls.all().size();
        const auto next = [&](std::size_t n) {
            REQUIRE(calls.count.reaches(before + n));
            return calls.all()[before + n - 1];
        };
        CHECK(at.stub.takes(3000).get() == 3000);
        CHECK(next(1).method == "Work.takes");
        CHECK(next(1).failure == "");
        CHECK(next(1).has_peer);
        CHECK(next(1).handler >= 3ms);
        CHECK(error_of(at.stub.fail(1)) == futon::errc::permission_denied);
        CHECK(next(2).failure == "permission_denied: no");
        CHECK(at.stub.quick(1, futon::oneway).has_value());
        CHECK(next(3).method == "Work.quick");
        CHECK(at.stub.fail(1, futon::oneway).has_value());
        CHECK(next(4).failure == "permission_denied: no");
        CHECK(at.stub.later(1).get() == 1);
        CHECK(next(5).handler >= 2ms);
        CHECK(calls.all().size() == before + 5);
    }
}

TEST_CASE("client and server: their counters agree about what passed between them") {
    auto service = std::make_shared<work>();
    served<Work> at{service};
    for (int i = 0; i < 10; ++i) CHECK(at.stub.quick(i).get() == i);
    for (int i = 0; i < 3; ++i) CHECK(error_of(at.stub.fail(i)) == futon::errc::permission_denied);
    CHECK(at.stub.quick(1, futon::oneway).has_value());
    auto held = at.stub.hold();
    REQUIRE(service->holding.reaches(1));
    CHECK(soon([&] { return at.server.stats().in_flight == 1 && at.client->stats().wire.in_flight_sent == 1; }));
    auto mine = at.client->stats();
    CHECK(mine.calls == 15);
    CHECK(mine.succeeded == 10);
    CHECK(mine.failed == 3);
    CHECK(mine.connections == 1);
    CHECK(mine.connects == 1);
    CHECK(mine.wire.requests_sent == 15);
    CHECK(mine.wire.replies_received == 10);
    CHECK(mine.wire.errors_received == 3);
    auto theirs = at.server.stats();
    CHECK(theirs.calls == 15);
    CHECK(theirs.failed == 3);
    CHECK(theirs.connections == 1);
    CHECK(theirs.accepted == 1);
    service->held.clear();
    CHECK(error_of(std::move(held)) == futon::errc::broken_promise);
    CHECK(soon([&] {
        mine = at.client->stats();
        theirs = at.server.stats();
        return theirs.in_flight == 0 && mine.wire.in_flight_sent == 0 &&
               mine.wire.bytes_received == theirs.wire.bytes_sent;
    }));
    CHECK(mine.wire.bytes_sent == theirs.wire.bytes_received);
    CHECK(mine.wire.requests_sent == theirs.wire.requests_received);
    CHECK(theirs.wire.replies_sent == 10);
    CHECK(theirs.wire.errors_sent == 4);
    // Sums stay when the connection is gone.
    at.client.reset();
    CHECK(soon([&] { return at.server.stats().connections == 0; }));
    CHECK(at.server.stats().wire.requests_received == 15);
    CHECK(at.server.stats().accepted == 1);
}

TEST_CASE("client: the log sink hears of a connection that cannot be made, with its address") {
    journal<std::pair<std::string, std::string>> logged;
    auto calling = to("tcp://127.0.0.1:1");
    calling.threads.log = [&](const futon::log_record& r) { logged.add({std::string{r.kind}, std::string{r.where}}); };
    futon::client client{calling};
    CHECK_FALSE(client.stub<Work>().quick(1).get_result().has_value());
    REQUIRE(logged.count.reaches(1));
    CHECK(logged.all()[0] == std::pair<std::string, std::string>{"connect_failed", "tcp://127.0.0.1:1"});
}

TEST_CASE(
    "client: a failure that nobody looks at goes to the hook, one that somebody saw or that was cancelled does not") {
    journal<std::string> unhandled;
    auto calling = to({});
    calling.threads.on_unhandled_error = [&](const futon::error& why) { unhandled.add(why.describe()); };
    auto service = std::make_shared<work>();
    served<Work> at{service, {}, quiet_server(), calling};
    const auto failed = "Work.fail at " + at.server.addresses()[0].text() + ": permission_denied: no";
    static_cast<void>(at.stub.fail(1).get_result());
    at.stub.fail(1, [](const futon::result<int>&) {});
    {
        auto dropped = at.stub.hold();
        REQUIRE(service->holding.reaches(1));
        dropped.cancel();
    }
    static_cast<void>(at.stub.fail(1));
    REQUIRE(unhandled.count.reaches(1));
    // At the end of a chain, and out of a callback.
    static_cast<void>(at.stub.fail(1).then([](int n) { return n; }));
    REQUIRE(unhandled.count.reaches(2));
    at.stub.quick(1, [](const futon::result<int>&) { throw std::runtime_error{"callback"}; });
    REQUIRE(unhandled.count.reaches(3));
    const auto all = unhandled.all();
    CHECK(all[0] == failed);
    CHECK(all[1] == failed);
    CHECK(all[2].starts_with("in "));  // Names the callback.
    CHECK(all[2].ends_with(": remote_error: callback"));
    CHECK(at.stub.quick(2).get() == 2);
}

TEST_CASE("server: a handler that holds an I/O thread for long is counted and named in a warning") {
    journal<std::string> logged;
    auto serving = quiet_server();
    serving.slow_handler = 1ms;
    serving.threads.log = [&](const futon::log_record& r) {
        logged.add(std::string{r.kind} + " " + std::string{r.where});
    };
    {
        served<Work> at{std::make_shared<work>(), {.run_on = futon::run_on::io}, serving};
        CHECK(at.stub.takes(5000).get() == 5000);
        REQUIRE(logged.count.reaches(1));
        CHECK(logged.all()[0] == "slow_handler Work.takes");
        CHECK(at.server.stats().slow_handlers >= 1);
    }
    // On the pool it holds up nobody; nor where the warning is off.
    const auto told = logged.all().size();
    serving.slow_handler = 0s;
    served<Work> off{std::make_shared<work>(), {.run_on = futon::run_on::io}, serving};
    CHECK(off.stub.takes(5000).get() == 5000);
    serving.slow_handler = 1ms;
    served<Work> pool{std::make_shared<work>(), {.run_on = futon::run_on::pool}, serving};
    CHECK(pool.stub.takes(5000).get() == 5000);
    CHECK(off.server.stats().slow_handlers == 0);
    CHECK(pool.server.stats().slow_handlers == 0);
    CHECK(logged.all().size() == told);
}

}  // namespace
