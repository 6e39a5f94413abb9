// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come in at the port: the others are served on, and nothing of it costs more than its connection.

#include "integration/support/raw_socket.hpp"
#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace futon_tests;

namespace {

constexpr std::string_view preface{"\xc1" "fut\x01\x00", 6};

std::string little_endian(std::uint32_t n) {
    std::string text;
    for (int i = 0; i < 4; ++i) text.push_back(static_cast<char>(n >> (8 * i)));
    return text;
}

TEST_CASE("server: strangers at its port are turned away while others are served") {
    echo_server at{quiet_server()};
    const auto address = at.server.addresses()[0];
    futon::client client{to(at.address())};
    const auto stub = client.stub<Echo>();
    std::vector<std::string> strangers{
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11} + std::string(500, 'r'),  // TLS client hello
        std::string{"\x93\x00\x01\xa5hello", 9} + "\x90",                                         // MessagePack-RPC
        std::string{"\x01\x01\x00\x01\x01", 5} + std::string(64, '\0'),                           // Bolt
        std::string{preface} + little_endian(0xFFFF'FFFF) + std::string(100, 'x'),
        std::string{preface} + little_endian(0x7FFF'FFFF) + "\x01",
        std::string{preface} + little_endian(0),
        std::string{preface} + little_endian(1) + "\x01",
        std::string{"\xc1" "fut\x02\x00", 6},
        std::string{"\xc1" "fux\x01\x00", 6},
        // a method never bound
        std::string{preface} + little_endian(12) + std::string{"\x01\x00", 2} + std::string(8, '\0') + "\x05\x90",
        "\xc1",
        "",
    };
    std::mt19937 dice{42};
    for (int i = 0; i < 40; ++i) {
        std::string noise(1 + dice() % 3000, '\0');
        for (auto& each : noise) each = static_cast<char>(dice());
        strangers.push_back(i % 2 == 0 ? noise : std::string{preface} + noise);
    }
    std::int64_t n = 0;
    for (const auto& words : strangers) {
        raw_socket stranger{address};
        stranger.send(words);
        CHECK(stub.echo(++n).get() == n);
    }
    CHECK(soon([&] { return at.server.stats().connections == 1; }));
    CHECK(client.stats().failed == 0);
    CHECK(client.stats().connects == 1);
}

TEST_CASE("server: a stranger who stays without a word is shown out") {
    auto serving = quiet_server();
    serving.limits.first_header_time = 20ms;
    echo_server at{serving};
    raw_socket silent{at.server.addresses()[0]};
    raw_socket slow{at.server.addresses()[0]};
    slow.send(preface.substr(0, 3));
    // Its own preface, then perhaps a goodbye, then the end.
    CHECK(silent.read_all().starts_with("\xc1" "fut\x01"));
    CHECK(slow.read_all().starts_with("\xc1" "fut\x01"));
    CHECK(soon([&] { return at.server.stats().connections == 0; }));
}

TEST_CASE("server: a peer that pings without end is told to go") {
    echo_server at{quiet_server()};
    std::string pings{preface};
    for (int i = 0; i < 1000; ++i) pings += little_endian(10) + std::string{"\x07\x00", 2} + std::string(8, 'p');
    raw_socket flood{at.server.addresses()[0]};
    flood.send(pings);
    CHECK_FALSE(flood.read_all().empty());
    CHECK(soon([&] { return at.server.stats().connections == 0; }));
}

TEST_CASE("server: of signatures that fit nothing it keeps so many bytes, and answers without the others") {
    echo_server at{quiet_server()};
    const auto framed = [](const std::string& frame) {
        return little_endian(static_cast<std::uint32_t>(frame.size())) + frame;
    };
    std::string words{preface};
    constexpr char methods = 100;
    for (char number = 0; number < methods; ++number)
        words += framed(std::string{"\x06\x00", 2} + number +
                        "\x04"
                        "Echo"
                        "\x04"
                        "text"
                        "\xd0\x0f" +
                        std::string(2000, 's'));
    for (char number = 0; number < methods; ++number)
        words += framed(std::string{"\x01\x01", 2} + little_endian(1u + static_cast<unsigned>(number)) +
                        little_endian(0) + number + "\x91\xa1x");
    words += framed("\xff");  // Breaks the protocol: the end.
    raw_socket odd{at.server.addresses()[0]};
    odd.send(words);
    const auto replies = odd.read_all();
    const auto count = [&](std::string_view text) {
        int times = 0;
        for (auto found = replies.find(text); found != replies.npos; found = replies.find(text, found + 1)) ++times;
        return times;
    };
    CHECK(count("does not fit: the caller has ssss") > 16);
    CHECK(count("does not fit: the caller has ssss") < 40);
    CHECK(at.server.stats().failed == static_cast<std::uint64_t>(methods));
}

TEST_CASE("server: a peer that asks and never reads does not fill its memory") {
    auto serving = quiet_server();
    serving.limits.write_pause_bytes = 100'000;
    serving.limits.max_write_bytes = 200'000;
    serving.limits.write_stall_time = 500ms;
    echo_server at{serving};
    std::string words{preface};
    // bind 0 Echo.text
    std::string bind{"\x06\x00\x00", 3};
    bind += "\x04" "Echo" "\x04" "text" "\x0a" "(str)->str";
    words += little_endian(static_cast<std::uint32_t>(bind.size())) + bind;
    std::string argument{"\x91\xda\x40\x00", 4};
    argument += std::string(0x4000, 'x');
    for (std::uint32_t id = 1; id <= 4000; ++id) {
        std::string request{"\x01\x01", 2};
        request += little_endian(id) + little_endian(0) + std::string(1, '\0') + argument;
        words += little_endian(static_cast<std::uint32_t>(request.size())) + request;
    }
    // Not before all of it is there, which takes a slow machine longer than a stranger may be silent.
    raw_socket greedy{at.server.addresses()[0]};
    greedy.send(words);  // 64 MiB, until the server takes no more and closes.
    CHECK(soon([&] { return at.server.stats().connections == 0; }));
    CHECK(at.server.stats().calls < 4000);
    CHECK(at.server.stats().calls > 0);
}

TEST_CASE("client: a peer that is no futon server fails its calls, not the program") {
    const auto gone_wrong = std::string{preface} + little_endian(0xFFFF'FFFF);
    for (const auto& words : {std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, std::string(100, '\xff'), gone_wrong,
                              std::string{"SSH-2.0-OpenSSH_9.2\r\n"}}) {
        raw_listener stranger;
        auto options = to(stranger.address());
        options.retry.max_attempts = 1;
        options.reconnect.base = options.reconnect.ceiling = 1h;
        futon::client client{options};
        auto call = client.stub<Echo>().echo(1);
        auto taken = stranger.accept();
        taken.send(words);
        const auto why = error_of(std::move(call));
        // After a good preface the call is on its way, or just not yet.
        CHECK((why == futon::errc::protocol_error || (words == gone_wrong && why == futon::errc::unavailable)));
    }
}

TEST_CASE("client: a peer that closes without its preface was sent no call, and the call can go elsewhere") {
    raw_listener stranger;
    echo_server other{quiet_server()};
    auto options = to(stranger.address());
    options.retry.max_attempts = 1;
    options.reconnect.base = options.reconnect.ceiling = 1h;
    {
        futon::client client{options};
        auto call = client.stub<Echo>().text("x");
        { auto taken = stranger.accept(); }
        const auto why = error_of(std::move(call));
        CHECK(why.is(futon::cond::unavailable));
        CHECK(why.ran() == futon::executed::no);
    }
    options.endpoints = std::vector{stranger.address(), other.server.addresses()[0]};
    futon::client client{options};
    auto call = client.stub<Echo>().text("x");
    { auto taken = stranger.accept(); }
    CHECK(std::move(call).get() == "x");
}

TEST_CASE("client: a peer that resets while requests are written raises no signal") {
    for (int round = 0; round < 20; ++round) {
        raw_listener stranger;
        auto options = to(stranger.address());
        options.reconnect.base = options.reconnect.ceiling = 1h;
        futon::client client{options};
        const auto stub = client.stub<Echo>();
        std::vector<futon::future<std::string>> calls;
        for (int i = 0; i < 20; ++i) calls.push_back(stub.text(std::string(60'000, 'x')));
        {
            auto taken = stranger.accept();
            taken.send(preface);
            CHECK_FALSE(taken.read(1000).empty());  // Of more than a megabyte.
        }
        // A lost connection is replaced at once.
        { auto taken = stranger.accept(); }
        for (auto& each : calls) CHECK(error_of(std::move(each)).is(futon::cond::unavailable));
    }
}

}  // namespace
