// SPDX-License-Identifier: Apache-2.0
#include <futon/transport/connector.hpp>

#include "transport/support/endpoints.hpp"

#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

TEST_CASE("connector: refused, it says the address and why, and that nothing ran") {
    place at;
    const auto dead = at.address_of_nobody();
    const auto how = at.connect(dead);
    REQUIRE_FALSE(how.has_value());
    CHECK(how.error() == futon::errc::connect_failed);
    CHECK(how.error().ran() == futon::executed::no);
    CHECK(how.error().message().find(dead.text()) != std::string::npos);
    CHECK(how.error().message().find("refused") != std::string::npos);
}

TEST_CASE("connector: a name that nobody knows") {
    place at;
    const auto how = at.connect({.host = "no-such-host.invalid", .port = 80});
    REQUIRE_FALSE(how.has_value());
    CHECK(how.error() == futon::errc::connect_failed);
    CHECK(how.error().message().find("cannot resolve the host") != std::string::npos);
}

TEST_CASE("connector: a scheme that is not compiled in") {
    place at;
    const auto how = at.connect({.scheme = "bolt", .host = "h", .port = 80});
    REQUIRE_FALSE(how.has_value());
    CHECK(how.error() == futon::errc::unsupported_protocol);
}

TEST_CASE("connector: no unix socket there") {
    place at;
    const auto how = at.connect({.scheme = "unix", .path = "/tmp/futon-no-such-socket"});
    REQUIRE_FALSE(how.has_value());
    CHECK(how.error() == futon::errc::connect_failed);
    CHECK(how.error().message().find("unix:///tmp/futon-no-such-socket") != std::string::npos);
}

TEST_CASE("connector: gives up in time where nobody answers, at once where it is stopped") {
    place at;
    // A listener whose queue of connections is full does not answer.
    const deaf_listener deaf;
    const auto how = at.connect(deaf.address(), 50ms);
    REQUIRE_FALSE(how.has_value());
    CHECK(how.error() == futon::errc::connect_failed);
    CHECK(how.error().message().find("no answer within the connect timeout") != std::string::npos);

    std::promise<futon::error> stopped;
    auto attempt =
        futon::detail::connector::start(at.io, deaf.address(), 1h, [&](futon::detail::connector::outcome got) {
            stopped.set_value(got ? futon::error{futon::errc::internal} : got.error());
        });
    asio::post(at.io.asio, [&] { attempt->stop(futon::error{futon::errc::client_closed}); });
    CHECK(stopped.get_future().get() == futon::errc::client_closed);
}

TEST_CASE("connector: when its runtime ends first, the attempt ends with it") {
    const deaf_listener deaf;
    std::promise<futon::error> ended;
    {
        place at;
        static_cast<void>(
            futon::detail::connector::start(at.io, deaf.address(), 1h, [&](futon::detail::connector::outcome got) {
                ended.set_value(got ? futon::error{futon::errc::internal} : got.error());
            }));
    }
    CHECK(ended.get_future().get() == futon::errc::connect_failed);
}

TEST_CASE("connector: tries the addresses of a name in turn") {
    // "localhost" is 127.0.0.1 and often ::1 as well; only the first of them is listened on.
    place at;
    listening one{at, {.host = "127.0.0.1"}};
    auto how = at.connect({.host = "localhost", .port = one.address().port});
    REQUIRE(how.has_value());
    CHECK((*how)->peer() == "tcp://localhost:" + std::to_string(one.address().port));
}

// Attempts on this thread, in virtual time: the clock moves when the test says so, the sockets are real.
struct stepped {
    futon::testing::manual_executor clock;
    asio::io_context sockets;
    std::vector<futon::detail::connector::outcome> ended;

    intrusive_ptr<futon::detail::connector> connect(const std::vector<futon::endpoint>& to, futon::duration limit) {
        futon::detail::socket_addresses all;
        for (const auto& each : to) all.push_back(futon::detail::known_addresses(each).value().at(0));
        return futon::detail::connector::start(
            {clock, sockets.get_executor()}, {.host = "some.name", .port = 1}, limit,
            [this](futon::detail::connector::outcome how) { ended.push_back(std::move(how)); }, std::move(all));
    }
    // What has happened by now.
    void run() {
        sockets.restart();
        sockets.poll();
    }
    // Until somebody answers.
    void run_until_ended() {
        sockets.restart();
        while (ended.empty() && sockets.run_one() > 0) {}
    }
};

TEST_CASE("connector: a first address that is silent does not keep the second from being taken") {
    place at;
    const deaf_listener deaf;
    listening one{at, {.host = "127.0.0.1"}};
    stepped here;
    const auto attempt = here.connect({deaf.address(), one.address()}, 1s);
    here.run();
    here.clock.advance(futon::detail::connector::head_start - 1ms);
    here.run();
    CHECK(here.ended.empty());
    here.clock.advance(1ms);
    here.run_until_ended();
    REQUIRE(here.ended.size() == 1);
    REQUIRE(here.ended[0].has_value());
    CHECK((*here.ended[0])->peer() == "tcp://some.name:1");
    // Nothing is left of the other, and nothing comes after it.
    CHECK(here.clock.timers() == 0);
    here.clock.advance(1h);
    here.run();
    CHECK(here.ended.size() == 1);
    CHECK(attempt->unique());
}

TEST_CASE("connector: however many are silent, each address has its turn within the limit, which holds for all") {
    place at;
    const deaf_listener deaf;
    listening one{at, {.host = "127.0.0.1"}};
    stepped here;
    std::vector<futon::endpoint> many(9, deaf.address());
    many.push_back(one.address());
    const auto attempt = here.connect(many, 1s);
    here.run();
    here.clock.advance(999ms);
    here.run_until_ended();
    CHECK(here.ended.at(0).has_value());

    stepped in_vain;
    const auto none = in_vain.connect({deaf.address(), deaf.address(), deaf.address()}, 1s);
    in_vain.run();
    in_vain.clock.advance(999ms);
    in_vain.run();
    CHECK(in_vain.ended.empty());
    in_vain.clock.advance(1ms);
    REQUIRE(in_vain.ended.size() == 1);
    CHECK(in_vain.ended[0].error().message().find("no answer within the connect timeout") != std::string::npos);
    in_vain.run();
    CHECK(none->unique());
}

TEST_CASE("connector: one that refuses gives way at once, and the last to refuse ends it if none is silent") {
    place at;
    const deaf_listener deaf;
    const auto dead = at.address_of_nobody();
    stepped here;
    const auto attempt = here.connect({dead, dead}, 1h);
    here.run_until_ended();
    CHECK(here.ended.at(0).error().message().find("refused") != std::string::npos);
    CHECK(here.clock.now() == futon::time_point{});
    CHECK(here.clock.timers() == 0);

    stepped waits;
    const auto other = waits.connect({deaf.address(), dead}, 1s);
    waits.run();
    waits.clock.advance(500ms);
    waits.run();
    CHECK(waits.ended.empty());
    waits.clock.advance(500ms);
    CHECK(waits.ended.size() == 1);
    waits.run();
}

TEST_CASE("connector: stopped while two addresses are tried, it ends once") {
    const deaf_listener deaf;
    stepped here;
    const auto attempt = here.connect({deaf.address(), deaf.address(), deaf.address()}, 1s);
    here.run();
    here.clock.advance(300ms);
    attempt->stop(futon::error{futon::errc::client_closed});
    CHECK(here.ended.at(0).error() == futon::errc::client_closed);
    CHECK(here.clock.timers() == 0);
    here.clock.advance(1h);
    here.run();
    CHECK(here.ended.size() == 1);
    CHECK(attempt->unique());
}

}  // namespace
