// SPDX-License-Identifier: Apache-2.0
// Calls that nobody answers.

#include "integration/support/served.hpp"

#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Notes {
    void note(int n);
    int answer(int n);
    void fail(std::string s);
    int later(int n);
    void blob(std::string s);
};
FUTON_SERVICE(Notes, note, answer, fail, later, blob)

struct notes {
    void note(futon::call_context& c, int n) {
        const std::lock_guard lock{mutex};
        if (c.oneway()) seen.push_back(n);
        arrived.add();
    }
    int answer(futon::call_context& c, int n) {
        answered_oneway = c.oneway();
        arrived.add();
        return n;
    }
    void fail(std::string s) {
        arrived.add();
        throw std::runtime_error{s};
    }
    futon::task<int> later(int n) {
        co_await futon::async(futon::current_executor(), [] {});
        arrived.add();
        co_return n;
    }
    void blob(std::string) { arrived.add(); }
    std::mutex mutex;
    std::vector<int> seen;
    std::atomic<bool> answered_oneway{false};
    tally arrived;
};

TEST_CASE("client: one-way calls arrive, in order on the I/O thread, and their handlers know that they are such") {
    notes service;
    served<Notes> at{std::ref(service), {.run_on = futon::run_on::io}};
    for (int i = 0; i < 1000; ++i) CHECK(at.stub.note(i, futon::oneway).has_value());
    REQUIRE(service.arrived.reaches(1000));
    std::vector<int> in_order(1000);
    std::iota(in_order.begin(), in_order.end(), 0);
    const std::lock_guard lock{service.mutex};
    CHECK(service.seen == in_order);
}

TEST_CASE("client: a method with a result may be called one-way; results, errors and exceptions go nowhere") {
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        notes service;
        served<Notes> at{std::ref(service), {.run_on = place}};
        CHECK(at.stub.answer(1, futon::oneway).has_value());
        CHECK(at.stub.fail("x", futon::oneway).has_value());
        CHECK(at.stub.later(2, futon::oneway).has_value());
        REQUIRE(service.arrived.reaches(3));
        CHECK(service.answered_oneway);
        CHECK(at.stub.answer(7).get() == 7);
        CHECK_FALSE(service.answered_oneway);
        CHECK(soon([&] { return at.server.stats().in_flight == 0 && at.server.stats().failed == 1; }));
        const auto seen = at.client->stats();
        CHECK(seen.calls == 4);
        CHECK(seen.connects == 1);
        CHECK(seen.wire.late_replies == 0);
        CHECK(soon([&] { return at.server.stats().wire.replies_sent == 1; }));
    }
}

TEST_CASE("client: a one-way call that cannot be queued says why at once") {
    auto calling = to("tcp://127.0.0.1:1");
    std::optional<futon::stub<Notes>> left;
    {
        futon::client client{calling};
        left = client.stub<Notes>();
        CHECK_FALSE(client.wait_ready(50ms).get_result().has_value());
        const auto refused = left->note(1, futon::oneway);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().is(futon::cond::unavailable));
        CHECK(refused.error().ran() == futon::executed::no);
        CHECK(refused.error().message().find("127.0.0.1:1") != std::string::npos);
        CHECK(refused.error().where() == "Notes.note");
        CHECK(client.stats().failed == 1);
    }
    CHECK(left->note(1, futon::oneway).error() == futon::errc::client_closed);
    CHECK(futon::stub<Notes>{}.note(1, futon::oneway).error() == futon::errc::no_state);
}

TEST_CASE("client: one-way calls that wait for a connection are bounded as all calls are") {
    auto calling = to("tcp://127.0.0.1:1");
    calling.wait_for_ready = true;
    calling.limits.max_queued_calls = 3;
    futon::client client{calling};
    auto stub = client.stub<Notes>();
    for (int i = 0; i < 3; ++i) CHECK(stub.note(i, futon::oneway).has_value());
    CHECK(stub.note(3, futon::oneway).error() == futon::errc::overloaded);
    CHECK(client.stats().queued == 3);
}

TEST_CASE("client: one-way calls made before the server is there arrive when it comes") {
    notes service;
    futon::server server{quiet_server()};
    server.provide<Notes>(std::ref(service));
    std::function<void(futon::endpoints)> found;
    auto calling = to({});
    calling.wait_for_ready = true;
    calling.source = [&](std::function<void(futon::endpoints)> update) { found = std::move(update); };
    futon::client client{calling};
    CHECK(client.stub<Notes>().note(1, futon::oneway).has_value());
    server.start();
    found(server.addresses());
    CHECK(service.arrived.reaches(1));
}

TEST_CASE("client: a one-way call too big for the server is dropped alone, and the others arrive") {
    notes service;
    auto serving = quiet_server();
    serving.limits.max_body_bytes = 1000;
    served<Notes> at{std::ref(service), {}, serving};
    CHECK(at.stub.answer(1).get() == 1);
    static_cast<void>(at.stub.blob(std::string(5000, 'x'), futon::oneway));
    CHECK(at.stub.blob("small", futon::oneway).has_value());
    CHECK(service.arrived.reaches(2));
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE(
    "client: a one-way call that was queued and could not be sent is counted, and reported as a failure that nobody saw") {
    std::vector<std::string> unseen;
    tally reports;
    auto calling = to("tcp://127.0.0.1:1");
    calling.threads.on_unhandled_error = [&](const futon::error& why) {
        unseen.push_back(why.describe());
        reports.add();
    };
    futon::client client{calling};
    // The first call connects.
    CHECK(client.stub<Notes>().note(1, futon::oneway).has_value());
    REQUIRE(reports.reaches(1));
    CHECK(unseen.front().starts_with("Notes.note: connect_failed: cannot connect to tcp://127.0.0.1:1"));
    CHECK(client.stats().calls == 1);
    CHECK(client.stats().failed == 1);
}

// A server that stops while calls are on their way to it, and another one.
struct two_servers {
    notes first_service, second_service;
    std::vector<std::string> unseen;
    futon::testing::simulation world;
    futon::server first{{.listen = "memory://first", .runtime = world.runtime()}};
    futon::server second{{.listen = "memory://second", .runtime = world.runtime()}};
    std::function<void(futon::endpoints)> found;
    futon::client client{calling()};
    futon::stub<Notes> stub = client.stub<Notes>();

    two_servers() {
        first.provide<Notes>(std::ref(first_service), {.run_on = futon::run_on::io});
        second.provide<Notes>(std::ref(second_service), {.run_on = futon::run_on::io});
        first.start();
        second.start();
        found({"memory://first"});
        world.get(stub.answer(0));
        found({"memory://first", "memory://second"});
    }
    futon::client_options calling() {
        futon::client_options how;
        how.source = [this](std::function<void(futon::endpoints)> update) { found = std::move(update); };
        how.runtime = world.runtime();
        how.wait_for_ready = true;
        return how;
    }
};

TEST_CASE("client: one-way calls that cross a server's goodbye are sent to another server") {
    two_servers at;
    auto stopped = at.first.stop();
    for (int i = 1; i <= 20; ++i) CHECK(at.stub.note(i, futon::oneway).has_value());
    at.world.get(std::move(stopped));
    at.world.advance(1s);
    auto all = at.first_service.seen;
    all.insert(all.end(), at.second_service.seen.begin(), at.second_service.seen.end());
    std::sort(all.begin(), all.end());
    std::vector<int> each_once(20);
    std::iota(each_once.begin(), each_once.end(), 1);
    CHECK(all == each_once);
    CHECK(at.client.stats().retries > 0);
    CHECK(at.client.stats().failed == 0);
}

TEST_CASE("client: one-way calls that cross a server's goodbye and are too many to be kept count as failed, and are reported") {
    two_servers at;
    auto stopped = at.first.stop();
    for (int i = 1; i <= 20'000; ++i) CHECK(at.stub.note(i, futon::oneway).has_value());
    at.world.get(std::move(stopped));
    at.world.advance(1s);
    const auto ran = at.first_service.seen.size() + at.second_service.seen.size();
    const auto seen = at.client.stats();
    CHECK(ran < 20'000);
    CHECK(ran + seen.failed == 20'000);
    CHECK(seen.threads.unhandled_errors == 1);
}

TEST_CASE("client: a one-way call past the client's own limit is refused at once") {
    auto calling = to("tcp://127.0.0.1:1");
    calling.limits.max_body_bytes = 1000;
    futon::client client{calling};
    const auto refused = client.stub<Notes>().blob(std::string(5000, 'x'), futon::oneway);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().describe().starts_with(
        "Notes.blob: message_too_big: bytes of arguments (limits.max_body_bytes): 500"));
}

}  // namespace
