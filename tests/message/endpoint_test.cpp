// SPDX-License-Identifier: Apache-2.0
#include <futon/message/endpoint.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

TEST_CASE("endpoint: reads an address and writes it back") {
    struct row {
        const char* text;
        const char* scheme;
        const char* host;
        unsigned port;
        const char* path;
        const char* written;
    };
    const row rows[] = {
        {"tcp://127.0.0.1:12200", "tcp", "127.0.0.1", 12200, "", "tcp://127.0.0.1:12200"},
        {"tcp://localhost:0", "tcp", "localhost", 0, "", "tcp://localhost:0"},
        {"tcp://[::1]:65535", "tcp", "::1", 65535, "", "tcp://[::1]:65535"},
        {"127.0.0.1:80", "tcp", "127.0.0.1", 80, "", "tcp://127.0.0.1:80"},
        {"unix:///run/futon.sock", "unix", "", 0, "/run/futon.sock", "unix:///run/futon.sock"},
        // Kept, and refused where it is used: the message can then name it.
        {"bolt://10.0.0.1:12200", "bolt", "10.0.0.1", 12200, "", "bolt://10.0.0.1:12200"},
    };
    for (const auto& each : rows) {
        CAPTURE(each.text);
        const auto read = futon::endpoint::parse(each.text);
        REQUIRE(read.has_value());
        CHECK(read->scheme == each.scheme);
        CHECK(read->host == each.host);
        CHECK(read->port == each.port);
        CHECK(read->path == each.path);
        CHECK(read->text() == each.written);
        CHECK(futon::endpoint::parse(read->text()) == *read);
    }
}

TEST_CASE("endpoint: says what is wrong with a text, and quotes it") {
    struct row {
        const char* text;
        const char* why;
    };
    const row rows[] = {
        {"", "the port is missing"},
        {"localhost", "the port is missing"},
        {"tcp://localhost", "the port is missing"},
        {"tcp://localhost:", "the port must be a number from 0 to 65535"},
        {"tcp://localhost:65536", "the port must be a number from 0 to 65535"},
        {"tcp://localhost:-1", "the port must be a number from 0 to 65535"},
        {"tcp://localhost:8o", "the port must be a number from 0 to 65535"},
        {"tcp://:80", "the host is missing"},
        {"tcp://::1:80", "an IPv6 address must stand in brackets"},
        {"tcp://[::1:80", "']' is missing"},
        {"tcp://[::1]", "the port is missing"},
        {"://h:1", "the scheme is missing"},
        {"unix://relative", "the path must be absolute"},
        {"unix://", "the path must be absolute"},
        {"tcp://*:1", "all addresses of a machine are 0.0.0.0"},
        {"tcp:/h:1", "the scheme ends in ://"},
        {"unix:/run/x", "the scheme ends in ://"},
        {"tcp://a:1,tcp://b:2", "it has a comma: give several addresses as a list"},
    };
    for (const auto& each : rows) {
        CAPTURE(each.text);
        const auto read = futon::endpoint::parse(each.text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error() == futon::errc::bad_address);
        CHECK(read.error().ran() == futon::executed::no);
        CHECK(read.error().message().find("'" + std::string{each.text} + "'") != std::string::npos);
        CHECK(read.error().message().find(each.why) != std::string::npos);
    }
    CHECK_FALSE(futon::endpoint::parse("unix:///" + std::string(103, 'x')).has_value());
    CHECK(futon::endpoint::parse("unix:///run/a,b").has_value());
}

TEST_CASE("endpoints: one text, a list of texts, or endpoints, without ambiguity") {
    const futon::endpoints one = "tcp://h:1";
    const futon::endpoints same = std::string{"tcp://h:1"};
    const futon::endpoints two = {"tcp://h:1", "tcp://i:2"};
    const std::vector<std::string> read_somewhere{"tcp://h:1", "tcp://i:2"};
    const futon::endpoints listed = read_somewhere;
    const futon::endpoints single = futon::endpoint::parse("tcp://h:1").value();
    CHECK(one == same);
    CHECK(one == single);
    CHECK(two == listed);
    CHECK(one.size() == 1);
    CHECK(two.size() == 2);
    CHECK(two[1].port == 2);
    CHECK(futon::endpoints{}.empty());
}

TEST_CASE("endpoints: a bad text throws at once, or is returned by parse") {
    CHECK_THROWS_AS(futon::endpoints{"nowhere"}, futon::rpc_error);
    const auto read = futon::endpoints::parse({"tcp://h:1", "nowhere"});
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == futon::errc::bad_address);
}

}  // namespace
