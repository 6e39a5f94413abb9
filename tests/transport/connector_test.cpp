// SPDX-License-Identifier: Apache-2.0
#include <futon/transport/connector.hpp>

#include "transport/support/endpoints.hpp"

#include <doctest/doctest.h>

#include <string>

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
    auto attempt = futon::detail::connector::start(at.io, deaf.address(), 1h, [&](futon::detail::connector::outcome got) {
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
        static_cast<void>(futon::detail::connector::start(at.io, deaf.address(), 1h, [&](futon::detail::connector::outcome got) {
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

}  // namespace
