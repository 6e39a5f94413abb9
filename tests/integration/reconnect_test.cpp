// SPDX-License-Identifier: Apache-2.0
// Servers that come late, go, and come back; many of them, and lists of them that change.

#include "integration/support/served.hpp"
#include "integration/support/raw_socket.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

// An address on which nobody listens yet.
futon::endpoint free_address() { return raw_listener{}.address(); }

futon::server_options at_address(const futon::endpoint& where) {
    auto options = quiet_server();
    options.listen = where;
    return options;
}

futon::client_options quick(futon::endpoints where) {
    auto options = to(std::move(where));
    options.reconnect.base = 2ms;
    options.reconnect.ceiling = 10ms;
    return options;
}

TEST_CASE("client: may start before its server, and calls wait for it if they say so") {
    const auto address = free_address();
    auto options = quick(address);
    options.wait_for_ready = true;
    futon::client client{options};
    auto early = client.stub<Echo>().echo(5);
    auto ready = client.wait_ready(ceiling);
    CHECK(soon([&] { return client.stats().queued == 1; }));
    CHECK_FALSE(early.is_ready());
    echo_server late{at_address(address)};
    CHECK(std::move(early).get() == 5);
    std::move(ready).get();
    CHECK(client.stats().connections == 1);
}

TEST_CASE("client: while it backs off, calls fail at once, with the address and as not executed") {
    const auto address = free_address();
    auto options = to(address);
    options.reconnect.base = 1h;
    options.reconnect.ceiling = 1h;
    options.retry.max_attempts = 1;
    futon::client client{options};
    const auto stub = client.stub<Echo>();
    for (int i = 0; i < 3; ++i) {
        const auto why = error_of(stub.echo(1));
        CHECK(why == futon::errc::connect_failed);
        CHECK(why.ran() == futon::executed::no);
        CHECK(why.message().find(address.text()) != std::string::npos);
        CHECK(why.message().find("refused") != std::string::npos);
    }
    CHECK(stub.note(1, futon::oneway).error() == futon::errc::connect_failed);
    const auto why = error_of(client.wait_ready(20ms));
    CHECK(why == futon::errc::deadline_exceeded);
    CHECK(why.message().find(address.text()) != std::string::npos);
}

TEST_CASE("client: without an endpoint it says so") {
    futon::client client{to({})};
    const auto why = error_of(client.stub<Echo>().echo(1));
    CHECK(why == futon::errc::no_provider);
    CHECK(why.message() == "no endpoint is known: give the client one; server.addresses() is empty until start()");
}

TEST_CASE("client: a server that restarts under load costs only the calls that were cut") {
    const auto address = free_address();
    auto server = std::make_unique<echo_server>(at_address(address));
    auto options = quick(address);
    options.wait_for_ready = true;
    futon::client client{options};
    std::atomic<bool> enough{false};
    std::atomic<std::size_t> values{0};
    std::atomic<std::size_t> cut{0};
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 3; ++t) {
        callers.emplace_back([&, stub = client.stub<Echo>()] {
            for (std::int64_t i = 0; !enough; ++i) {
                const auto got = stub.text(std::to_string(i)).get_result();
                if (got) {
                    ++(*got == std::to_string(i) ? values : wrong);
                } else {
                    ++(got.error().is(futon::cond::unavailable) ? cut : wrong);
                }
            }
        });
    }
    for (int restart = 0; restart < 5; ++restart) {
        const auto before = values.load();
        CHECK(soon([&] { return values > before + 50; }));
        server.reset();
        server = std::make_unique<echo_server>(at_address(address));
    }
    const auto before = values.load();
    CHECK(soon([&] { return values > before + 50; }));
    enough = true;
    for (auto& each : callers) each.join();
    CHECK(wrong == 0);
    // One call in flight per thread, which may be cut again where it reaches the server that is just ending.
    CHECK(cut <= 3 * 5 * 4);
    CHECK(client.stats().connects >= 6);
}

TEST_CASE("client: of several servers one dies, and calls go on at the others") {
    echo_server one{quiet_server()};
    auto two = std::make_unique<echo_server>(quiet_server());
    futon::client client{quick({std::vector{one.server.addresses()[0], two->server.addresses()[0]}})};
    const auto stub = client.stub<Echo>();
    CHECK(soon([&] {
        stub.echo(1).get();
        return one.server.stats().calls > 0 && two->server.stats().calls > 0;
    }));
    two.reset();
    // `echo` is idempotent: even a call that was cut is tried elsewhere.
    for (int i = 0; i < 200; ++i) CHECK(stub.echo(i).get() == i);
}

TEST_CASE("client: calls of one key go to one server, and to another one when that is gone") {
    std::vector<std::unique_ptr<echo_server>> servers;
    std::vector<futon::endpoint> addresses;
    for (int i = 0; i < 3; ++i) {
        servers.push_back(std::make_unique<echo_server>(quiet_server()));
        addresses.push_back(servers.back()->server.addresses()[0]);
    }
    futon::client client{quick(addresses)};
    const auto stub = client.stub<Echo>();
    CHECK(soon([&] {
        stub.echo(0).get();
        return client.stats().connections == 3;
    }));
    std::vector<std::uint64_t> before;
    for (const auto& each : servers) before.push_back(each->server.stats().calls);
    const auto keyed = stub.with({.hash_key = "user-7"});
    for (int i = 0; i < 50; ++i) keyed.echo(i).get();
    std::size_t chosen = 3;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto more = servers[i]->server.stats().calls - before[i];
        CHECK((more == 0 || more == 50));
        if (more == 50) chosen = i;
    }
    REQUIRE(chosen < 3);
    servers[chosen].reset();
    for (int i = 0; i < 50; ++i) CHECK(keyed.echo(i).get() == i);
}

TEST_CASE("client: follows a list of endpoints that changes") {
    echo_server one{quiet_server()};
    echo_server two{quiet_server()};
    std::function<void(futon::endpoints)> update;
    auto options = quick({});
    options.source = [&](std::function<void(futon::endpoints)> told) { update = std::move(told); };
    options.wait_for_ready = true;
    futon::client client{options};
    const auto stub = client.stub<Echo>();
    auto waits = stub.echo(1);
    CHECK_FALSE(waits.is_ready());
    update(one.server.addresses()[0]);
    CHECK(std::move(waits).get() == 1);
    CHECK(one.server.stats().calls == 1);

    // The old one finishes what it has, and gets nothing more.
    auto held = stub.hold(2);
    REQUIRE(one.service->arrived.reaches(1));
    update(two.server.addresses()[0]);
    for (int i = 0; i < 20; ++i) CHECK(stub.echo(i).get() == i);
    CHECK(one.server.stats().calls == 2);
    CHECK(two.server.stats().calls == 20);
    one.service->release();
    CHECK(std::move(held).get() == 2);
    CHECK(soon([&] { return one.server.stats().connections == 0; }));

    // Nothing at all is taken for a failure of the source.
    update({});
    CHECK(stub.echo(7).get() == 7);
    client.close();
    update(one.server.addresses()[0]);
    CHECK(error_of(stub.echo(7)) == futon::errc::client_closed);
}

TEST_CASE("client: as many connections per endpoint as it was told") {
    echo_server at{quiet_server()};
    auto options = to(at.address());
    options.connections_per_endpoint = 3;
    options.threads.io_threads = 3;
    futon::client client{options};
    const auto stub = client.stub<Echo>();
    CHECK(soon([&] {
        stub.echo(1).get();
        return client.stats().connections == 3;
    }));
    CHECK(soon([&] { return at.server.stats().connections == 3; }));
    std::vector<futon::future<std::int64_t>> calls;
    for (int i = 0; i < 1000; ++i) calls.push_back(stub.echo(i));
    for (int i = 0; i < 1000; ++i) CHECK(std::move(calls[static_cast<std::size_t>(i)]).get() == i);
}

TEST_CASE("client: a server that accepts and closes at once is not called in a loop") {
    raw_listener rude;
    auto options = to(rude.address());
    options.reconnect.base = 1h;
    options.reconnect.ceiling = 1h;
    futon::client client{options};
    auto call = client.stub<Echo>().echo(1);
    static_cast<void>(rude.accept());
    CHECK(error_of(std::move(call)).is(futon::cond::unavailable));
    CHECK(client.stats().connects == 1);
}

}  // namespace
