// SPDX-License-Identifier: Apache-2.0
// What is too much is refused by name, alone, and as not executed; the connection and the others go on.

#include "integration/support/served.hpp"
#include "integration/support/raw_socket.hpp"

#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

futon::client_options without_retry(futon::endpoints where) {
    auto options = to(std::move(where));
    options.retry.max_attempts = 1;
    return options;
}

void check_refused(const futon::error& why, futon::errc code) {
    CHECK(why == code);
    CHECK(why.ran() == futon::executed::no);
}

TEST_CASE("limits: calls and bytes that wait for a connection") {
    auto options = to("tcp://127.0.0.1:1");
    options.wait_for_ready = true;
    options.limits.max_queued_calls = 10;
    options.limits.max_queued_bytes = 1000;
    futon::client client{options};
    const auto stub = client.stub<Echo>();
    std::vector<futon::future<std::int64_t>> waiting;
    for (int i = 0; i < 10; ++i) waiting.push_back(stub.echo(i));
    check_refused(error_of(stub.echo(10)), futon::errc::overloaded);
    CHECK(stub.note(1, futon::oneway).error() == futon::errc::overloaded);
    waiting[3].cancel();
    CHECK(waiting[3].wait_for(ceiling));
    CHECK(std::move(waiting[3]).get_result().error() == futon::errc::cancelled);
    check_refused(error_of(stub.text(std::string(2000, 'x'))), futon::errc::overloaded);
    auto fits = stub.text(std::string(500, 'x'));
    CHECK(client.stats().queued == 10);
}

TEST_CASE("limits: calls past what the server takes at once wait in the client, and each has its turn") {
    auto serving = quiet_server();
    serving.limits.max_in_flight = 4;
    echo_server at{serving};
    futon::client client{to(at.address())};
    const auto stub = client.stub<Echo>();
    stub.echo(0).get();
    std::vector<futon::future<std::int64_t>> held;
    for (int i = 0; i < 40; ++i) held.push_back(stub.hold(i));
    for (std::size_t turn = 1; turn <= 10; ++turn) {
        REQUIRE(at.service->arrived.reaches(4 * turn));
        CHECK(at.service->arrived.count() == 4 * turn);
        at.service->release();
    }
    for (int i = 0; i < 40; ++i) CHECK(std::move(held[static_cast<std::size_t>(i)]).get() == i);
    CHECK(client.stats().failed == 0);
}

TEST_CASE("limits: a server that takes no more is passed by, one that has room serves") {
    auto serving = quiet_server();
    serving.limits.max_in_flight = 1;
    echo_server full{serving};
    echo_server roomy{quiet_server()};
    futon::client client{to({std::vector{full.server.addresses()[0], roomy.server.addresses()[0]}})};
    const auto stub = client.stub<Echo>();
    CHECK(soon([&] {
        stub.echo(1).get();
        return client.stats().connections == 2;
    }));
    std::vector<futon::future<std::int64_t>> held;
    while (full.service->arrived.count() == 0) {
        held.push_back(stub.hold(1));
        REQUIRE(soon([&] { return full.service->arrived.count() + roomy.service->arrived.count() == held.size(); }));
    }
    for (int i = 0; i < 100; ++i) CHECK(stub.echo(i).get() == i);
    full.service->release();
    roomy.service->release();
    for (auto& each : held) CHECK(std::move(each).get() == 1);
}

TEST_CASE("limits: a call that waits for room can be cancelled, and runs out of time") {
    auto serving = quiet_server();
    serving.limits.max_in_flight = 1;
    echo_server at{serving};
    futon::client client{to(at.address())};
    const auto stub = client.stub<Echo>();
    stub.echo(0).get();
    auto first = stub.hold(1);
    REQUIRE(at.service->arrived.reaches(1));
    auto cancelled = stub.hold(2);
    auto late = stub.with({.timeout = 20ms}).hold(3);
    check_refused(error_of(std::move(late)), futon::errc::deadline_exceeded);
    cancelled.cancel();
    check_refused(error_of(std::move(cancelled)), futon::errc::cancelled);
    at.service->release();
    CHECK(std::move(first).get() == 1);
    CHECK(stub.echo(4).get() == 4);
    CHECK(at.service->arrived.count() == 1);
}

TEST_CASE("limits: calls and bytes in flight in one server") {
    auto serving = quiet_server();
    serving.limits.max_server_in_flight = 3;
    echo_server at{serving};
    futon::client client{without_retry(at.address())};
    const auto stub = client.stub<Echo>();
    std::vector<futon::future<std::int64_t>> held;
    for (int i = 0; i < 3; ++i) held.push_back(stub.hold(i));
    REQUIRE(at.service->arrived.reaches(3));
    check_refused(error_of(stub.hold(3)), futon::errc::overloaded);
    CHECK(at.server.stats().overloaded == 1);
    // What is answered before anything else happens is never in flight.
    CHECK(stub.echo(1).get() == 1);
    at.service->release();
    for (auto& each : held) static_cast<void>(std::move(each).get());
    CHECK(stub.echo(1).get() == 1);

    serving.limits.max_server_in_flight = 100;
    serving.limits.max_server_in_flight_bytes = 1000;
    echo_server small{serving, {.run_on = futon::run_on::pool}};
    futon::client other{without_retry(small.address())};
    check_refused(error_of(other.stub<Echo>().text(std::string(2000, 'x'))), futon::errc::overloaded);
    CHECK(other.stub<Echo>().text(std::string(500, 'x')).get().size() == 500);
    CHECK(soon([&] { return small.server.stats().in_flight == 0; }));
}

TEST_CASE("limits: a full pool answers overloaded, and calls that wait in it still run") {
    struct blocking {
        tally began;
        tally go_on;
        std::int64_t echo(std::int64_t n) { return n; }
        std::string text(std::string s) { return s; }
        std::int64_t hold(std::int64_t n) {
            began.add();
            CHECK(go_on.reaches(1));
            return n;
        }
        void note(std::int64_t) {}
    } service;
    auto serving = quiet_server();
    serving.threads.pool_threads = 2;
    serving.limits.max_queued_handlers = 3;
    futon::server server{serving};
    server.provide<Echo>(std::ref(service));
    server.start();
    futon::client client{without_retry(server.addresses())};
    const auto stub = client.stub<Echo>();
    std::vector<futon::future<std::int64_t>> running;
    for (int i = 0; i < 2; ++i) running.push_back(stub.hold(i));
    REQUIRE(service.began.reaches(2));
    for (int i = 2; i < 5; ++i) running.push_back(stub.hold(i));
    check_refused(error_of(stub.hold(9)), futon::errc::overloaded);
    CHECK(server.stats().overloaded == 1);
    service.go_on.add();
    for (int i = 0; i < 5; ++i) CHECK(std::move(running[static_cast<std::size_t>(i)]).get() == i);
}

TEST_CASE("limits: connections, in all and of one address") {
    for (const bool in_all : {true, false}) {
        auto serving = quiet_server();
        (in_all ? serving.limits.max_connections : serving.limits.max_connections_per_address) = 2;
        echo_server at{serving};
        {
            futon::client one{to(at.address())};
            futon::client two{to(at.address())};
            CHECK(one.stub<Echo>().echo(1).get() == 1);
            CHECK(two.stub<Echo>().echo(2).get() == 2);
            raw_socket three{at.server.addresses()[0]};
            const auto told = three.read_all();
            const std::string option = in_all ? "limits.max_connections: 2" : "limits.max_connections_per_address: 2";
            CHECK(told.find(option) != std::string::npos);
            CHECK(at.server.stats().refused == 1);
            CHECK(at.server.stats().connections == 2);
            CHECK(one.stub<Echo>().echo(3).get() == 3);
            futon::client four{without_retry(at.address())};
            const auto why = error_of(four.stub<Echo>().echo(4));
            check_refused(why, futon::errc::connect_failed);
            CHECK(why.message().find(option) != std::string::npos);
        }
        CHECK(soon([&] { return at.server.stats().connections == 0; }));
        futon::client later{to(at.address())};
        CHECK(later.stub<Echo>().echo(4).get() == 4);
    }
}

TEST_CASE("limits: a client that took back all its calls is no refused one: its next call has another connection") {
    futon::testing::simulation world;
    futon::server server{
        {.listen = "memory://a", .limits = {.max_cancels_per_second = 10}, .runtime = world.runtime()}};
    server.provide<Echo>(std::make_shared<echo_service>(), {.run_on = futon::run_on::io});
    server.start();
    futon::client client{{.endpoints = "memory://a", .retry = futon::failfast, .runtime = world.runtime()}};
    const auto stub = client.stub<Echo>();
    for (int i = 0; i < 40; ++i) {
        auto call = stub.hold(i);
        const auto handle = call.get_cancel_handle();
        world.advance(1ms);
        handle.cancel();
        world.advance(1ms);
    }
    CHECK(world.get(stub.echo(1)) == 1);
    CHECK(client.stats().connects > 1);
}

TEST_CASE("limits: a client whose connection is refused is told the limit, and the server's log has it, with the address") {
    std::vector<std::string> warnings;
    const auto keep = [&](const futon::log_record& r) {
        if (r.kind == "connection_refused" || r.kind == "connect_failed")
            warnings.push_back(std::string{r.where} + " " + std::string{r.text});
    };
    futon::testing::simulation world{{.log = keep}};
    futon::server server{
        {.listen = "memory://a", .limits = {.max_connections = 1}, .runtime = world.runtime()}};
    server.provide<Echo>(std::make_shared<echo_service>(), {.run_on = futon::run_on::io});
    server.start();
    futon::client first{{.endpoints = "memory://a", .runtime = world.runtime()}};
    CHECK(world.get(first.stub<Echo>().echo(1)) == 1);
    futon::client second{{.endpoints = "memory://a", .retry = futon::failfast, .runtime = world.runtime()}};
    const auto refused = world.get_result(second.stub<Echo>().echo(2)).error();
    CHECK(refused == futon::errc::connect_failed);
    CHECK(refused.ran() == futon::executed::no);
    CHECK(refused.message() == "memory://a refused the connection: the server takes no more connections than its "
                               "limits.max_connections: 1");
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0].find("a connection was refused: the server takes no more connections than its "
                           "limits.max_connections: 1") != std::string::npos);
    CHECK(warnings[0].starts_with("memory://"));

    // It comes back after pauses, not at once; of those that follow at once one warning is enough.
    world.advance(90ms);
    CHECK(second.stats().connects == 1);
    std::vector<std::unique_ptr<futon::client>> more;
    for (int i = 0; i < 200; ++i) {
        more.push_back(std::make_unique<futon::client>(futon::client_options{
            .endpoints = "memory://a", .reconnect = {.base = 1h, .ceiling = 1h}, .runtime = world.runtime()}));
        CHECK(world.get_result(more.back()->stub<Echo>().echo(i)).error().is(futon::cond::unavailable));
    }
    CHECK(std::count_if(warnings.begin(), warnings.end(), [](const std::string& each) {
              return each.find("a connection was refused") != std::string::npos;
          }) == 1);

    first.close();
    world.advance(2s);
    CHECK(world.get(second.stub<Echo>().with({.wait_for_ready = true}).echo(3)) == 3);
}

TEST_CASE("limits: a connection that has ended takes a place until its peer has read why, for a second at most") {
    futon::testing::simulation world;
    futon::server server{{.listen = {"memory://a", "memory://b"},
                          .limits = {.max_pings_per_second = 0, .max_connections = 1},
                          .runtime = world.runtime()}};
    server.provide<Echo>(std::make_shared<echo_service>(), {.run_on = futon::run_on::io});
    server.start();
    // A ping, which is too many, breaks its connection; what it is told does not arrive.
    futon::client rude{{.endpoints = "memory://a", .limits = {.heartbeat_after = 1s}, .runtime = world.runtime()}};
    world.get(rude.wait_ready(1s));
    world.faults("memory://a", {.drop = true}, futon::testing::link_direction::to_client);
    REQUIRE(world.run_until([&] { return server.stats().connections == 0; }, 2s));
    futon::client next{{.endpoints = "memory://b", .retry = futon::failfast, .runtime = world.runtime()}};
    CHECK(world.get_result(next.stub<Echo>().echo(1)).error().is(futon::cond::unavailable));
    CHECK(server.stats().refused == 1);
    CHECK(server.stats().connections == 0);
    world.advance(1s);
    CHECK(world.get(next.stub<Echo>().with({.wait_for_ready = true}).echo(2)) == 2);
    CHECK(server.stats().connections == 1);
}

TEST_CASE("limits: of a caller that does not read its answers no more calls run, and they are refused as not executed") {
    futon::testing::simulation world;
    int ran = 0;
    struct wordy : echo_service {
        explicit wordy(int& into) : count{into} {}
        std::string text(std::string) {
            ++count;
            return std::string(20'000, 'x');
        }
        int& count;
    };
    futon::server server{
        {.listen = "memory://a", .limits = {.max_unsent_answer_bytes = 100'000}, .runtime = world.runtime()}};
    server.provide<Echo>(std::make_shared<wordy>(ran), {.run_on = futon::run_on::io});
    server.start();
    futon::client client{{.endpoints = "memory://a", .timeout = 1h, .retry = futon::failfast, .runtime = world.runtime()}};
    const auto stub = client.stub<Echo>();
    world.get(stub.text("first"));
    CHECK(ran == 1);
    world.faults("memory://a", {.most_buffered = 1000, .drop = true}, futon::testing::link_direction::to_client);
    std::vector<futon::future<std::string>> calls;
    for (int i = 0; i < 200; ++i) calls.push_back(stub.text("more"));
    world.run();
    CHECK(ran == 1 + 6);  // A part of the first is on its way, so that five are less than the limit.
    CHECK(server.stats().overloaded > 0);
    world.faults("memory://a", {}, futon::testing::link_direction::to_client);
    int answered = 1;
    int refused = 0;
    for (auto& each : calls) {
        const auto got = world.get_result(std::move(each));
        if (got) {
            ++answered;
            continue;
        }
        ++refused;
        check_refused(got.error(), futon::errc::overloaded);
    }
    CHECK(answered == ran);
    CHECK(static_cast<std::uint64_t>(refused) == server.stats().overloaded);
    CHECK(world.get(stub.text("last")).size() == 20'000);
    CHECK(client.stats().connects == 1);
}

TEST_CASE("limits: arguments and results that are too big fail alone") {
    auto serving = quiet_server();
    serving.limits.max_body_bytes = 10'000;
    echo_server strict{serving};
    futon::client client{without_retry(strict.address())};
    const auto stub = client.stub<Echo>();
    stub.echo(0).get();
    auto other = stub.hold(1);
    check_refused(error_of(stub.text(std::string(20'000, 'x'))), futon::errc::message_too_big);
    // Its size was not known to be too much before the server had said so.
    futon::client first{without_retry(strict.address())};
    check_refused(error_of(first.stub<Echo>().text(std::string(20'000, 'x'))), futon::errc::message_too_big);

    echo_server generous{quiet_server()};
    auto calling = without_retry(generous.address());
    calling.limits.max_body_bytes = 10'000;
    struct big : echo_service {
        std::string text(std::string size) { return std::string(std::stoul(size), 'x'); }
    };
    futon::server bigger{quiet_server()};
    bigger.provide<Echo>(std::make_shared<big>(), {.run_on = futon::run_on::io});
    bigger.start();
    calling.endpoints = bigger.addresses();
    futon::client modest{calling};
    for (const auto* size : {"20000", "200000"}) {
        const auto why = error_of(modest.stub<Echo>().text(size));
        CHECK(why == futon::errc::message_too_big);
        CHECK(why.ran() == futon::executed::yes);
        CHECK(why.message().starts_with("bytes of the result (limits.max_body_bytes of the side that asked): 20"));
    }
    CHECK(modest.stub<Echo>().echo(5).get() == 5);
    CHECK(modest.stats().connects == 1);

    strict.service->release();
    CHECK(std::move(other).get() == 1);
    CHECK(client.stats().connects == 1);
}

TEST_CASE("limits: metadata that is too much fails its call alone") {
    echo_server at{quiet_server()};
    futon::client client{without_retry(at.address())};
    const auto stub = client.stub<Echo>();
    check_refused(error_of(stub.with({.headers = {{"big", std::string(20'000, 'x')}}}).echo(1)),
                  futon::errc::message_too_big);
    futon::metadata many;
    for (int i = 0; i < 65; ++i) many.set(std::to_string(i), "x");
    check_refused(error_of(stub.with({.headers = many}).echo(1)), futon::errc::message_too_big);
    CHECK(stub.echo(2).get() == 2);
    CHECK(client.stats().connects == 1);
}

TEST_CASE("limits: an idle connection is closed by the server, and made again for the next call") {
    futon::testing::simulation world;
    auto serving = server_in(world);
    serving.limits.idle_close = 20ms;
    const auto service = std::make_shared<echo_service>();
    served<Echo> at{service, {}, serving, client_in(world)};
    for (int i = 0; i < 5; ++i) {
        CHECK(world.get(at.stub.echo(i)) == i);
        world.advance(20ms - 1ns);
        CHECK(at.server.stats().connections == 1);
        world.advance(1ns);
        CHECK(at.server.stats().connections == 0);
    }
    // Not while a call is in flight, however long it takes.
    auto held = at.stub.hold(1);
    world.advance(1s);
    REQUIRE(service->arrived.count() == 1);
    CHECK_FALSE(held.is_ready());
    service->release();
    CHECK(world.get(std::move(held)) == 1);
    const auto seen = at.client->stats();
    CHECK(seen.failed == 0);
    CHECK(seen.retries == 0);
    CHECK(seen.connects == 6);
}

TEST_CASE("limits: a server that is silent is found out by heartbeats") {
    futon::testing::simulation world;
    auto calling = client_in(world);
    calling.retry = futon::failfast;
    calling.limits.heartbeat_after = 200ms;
    calling.limits.heartbeat_timeout = 100ms;
    served<Echo> at{std::make_shared<echo_service>(), {}, server_in(world), calling};
    CHECK(world.get(at.stub.echo(1)) == 1);
    world.faults("memory://server", {.drop = true}, futon::testing::link_direction::to_client);
    auto call = at.stub.echo(2);
    world.advance(300ms - 1ns);
    CHECK_FALSE(call.is_ready());
    world.advance(1ns);
    REQUIRE(call.is_ready());
    const auto why = error_of(std::move(call));
    CHECK(why == futon::errc::connection_lost);
    CHECK(why.ran() == futon::executed::maybe);
}

TEST_CASE("limits: a server that never says who it is") {
    raw_listener mute;
    auto options = without_retry(mute.address());
    options.limits.first_header_time = 20ms;
    futon::client client{options};
    auto call = client.stub<Echo>().echo(1);
    auto taken = mute.accept();
    const auto why = error_of(std::move(call));
    CHECK(why == futon::errc::connect_failed);
    CHECK(why.ran() == futon::executed::no);
    CHECK(why.message().find("preface") != std::string::npos);
}

TEST_CASE("limits: a connection that lives on heartbeats stays") {
    auto serving = quiet_server();
    serving.limits.heartbeat_after = 10ms;
    serving.limits.heartbeat_timeout = 20s;
    echo_server at{serving};
    futon::client client{to(at.address())};
    CHECK(client.stub<Echo>().echo(1).get() == 1);
    CHECK(soon([&] { return at.server.stats().wire.pings_sent >= 5; }));
    CHECK(client.stub<Echo>().echo(1).get() == 1);
    CHECK(client.stats().connects == 1);
}

}  // namespace
