// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon_tests::Echo;
using futon_tests::echo_service;
using futon_tests::served;
using state = futon::pending_call::state;

namespace {

TEST_CASE("pending: a client with no calls has none to show") {
    served<Echo> at{std::make_shared<echo_service>()};
    CHECK(at.client->pending_calls().get().empty());
    CHECK(at.stub.echo(1).get() == 1);
    CHECK(at.client->dump_pending().get().empty());
}

TEST_CASE("pending: shows each call in flight with its method, address, age, time left, place and who waits for it") {
    const auto service = std::make_shared<echo_service>();
    served<Echo> at{service};
    const auto address = at.server.addresses()[0].text();
    auto nobody = at.stub.with({}).hold(1);
    const auto line = __LINE__ - 1;
    auto staged = at.stub.hold(2).then([](std::int64_t n) { return n; });
    at.stub.hold(3, [](futon::result<std::int64_t>) {});
    auto forever = at.stub.with({.timeout = futon::duration::max()}).hold(4);
    REQUIRE(service->arrived.reaches(4));

    const auto all = at.client->pending_calls().get();
    REQUIRE(all.size() == 4);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(all[i].method == "Echo.hold");
        CHECK(all[i].peer == address);
        CHECK(all[i].where == state::sent);
        CHECK(all[i].attempts == 1);
        CHECK(all[i].age >= futon::duration{});
        if (i > 0) CHECK(all[i - 1].age >= all[i].age);
    }
    CHECK(all[0].waited_by == "a future that nobody waits for");
    CHECK(all[0].stub_made_at.line() == line);
    CHECK(all[0].time_left <= futon_tests::ceiling);
    CHECK(std::string_view{all[1].stub_made_at.file_name()}.ends_with("served.hpp"));
    CHECK(all[1].waited_by == "a stage or a task");
    CHECK(all[2].waited_by == "a callback or a coroutine");
    CHECK(all[3].time_left == futon::duration::max());

    const auto text = at.client->dump_pending().get();
    CHECK(std::count(text.begin(), text.end(), '\n') == 4);
    CHECK(text.starts_with("Echo.hold at " + address + ": sent, attempt 1, "));
    CHECK(text.find("for a future that nobody waits for, by the stub of pending_test.cpp:" + std::to_string(line) +
                    "\n") != std::string::npos);
    CHECK(text.find("no deadline") != std::string::npos);
    service->drop();
}

TEST_CASE("pending: shows calls that wait for a connection, and why is in their errors") {
    auto options = futon_tests::to({"tcp://127.0.0.1:1"});
    options.wait_for_ready = true;
    futon::client client{std::move(options)};
    auto call = client.stub<Echo>().echo(1);
    const auto all = client.pending_calls().get();
    REQUIRE(all.size() == 1);
    CHECK(all[0].where == state::queued);
    CHECK(all[0].peer.empty());
    CHECK(all[0].attempts == 0);
    CHECK(all[0].describe().starts_with("Echo.echo: queued, attempt 0, "));
}

TEST_CASE("stats: failures that nobody saw, and threads kept from blocking on themselves, are counted") {
    auto options = futon_tests::to({});
    options.threads.on_unhandled_error = [](const futon::error&) {};
    const auto service = std::make_shared<echo_service>();
    served<Echo> at{service, {}, futon_tests::quiet_server(), std::move(options)};
    const auto blocked = at.stub.echo(1).then([&](std::int64_t) { return at.stub.hold(1).get_result(); }).get_result();
    REQUIRE(!blocked);
    CHECK(blocked.error() == futon::errc::would_deadlock);
    CHECK(at.client->stats().threads.would_deadlock == 1);

    at.stub.echo(1).then([](std::int64_t) -> futon::result<int> { return futon::errc::internal; }).detach();
    CHECK(futon_tests::soon([&] { return at.client->stats().threads.unhandled_errors == 1; }));
    CHECK(at.server.stats().threads.unhandled_errors == 0);
}

TEST_CASE("pending: what is asked of a client that has been closed is ready, and empty") {
    served<Echo> at{std::make_shared<echo_service>()};
    CHECK(at.stub.echo(1).get() == 1);
    at.client->close();
    CHECK(at.client->pending_calls().get().empty());
}

}  // namespace
