// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/network.hpp>

#include <futon/futon.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Greeter {
    std::string greet(std::string name);
    std::size_t length(std::string text);
};
FUTON_SERVICE(Greeter, greet, length)

struct greeter_impl {
    std::string greet(const std::string& name) { return "hi " + name; }
    std::size_t length(const std::string& text) { return text.size(); }
};

futon::runtime_options quiet(const futon::testing::network& net) {
    return {.log = [](const futon::log_record&) {}, .network = net};
}

TEST_CASE("network: a server and a client with threads of their own talk in memory, also many megabytes") {
    const futon::testing::network net;
    futon::server server{{.listen = "memory://greeter", .threads = quiet(net)}};
    server.provide<Greeter>(greeter_impl{});
    server.start();
    CHECK(server.addresses().front().text() == "memory://greeter");
    CHECK(server.port() == 0);
    futon::client client{{.endpoints = "memory://greeter", .threads = quiet(net)}};
    const auto stub = client.stub<Greeter>();
    CHECK(stub.greet("ann").get() == "hi ann");
    CHECK(stub.length(std::string(4u << 20, 'x')).get() == 4u << 20);
    CHECK(stub.length(std::string(9u << 20, 'x')).get_result().error() == futon::errc::message_too_big);
    CHECK(net.connections("memory://greeter") == 1);
}

TEST_CASE("network: many threads call over many connections; races between calls, cuts and the end lose nothing") {
    const futon::testing::network net;
    const futon::runtime shared{{.io_threads = 2, .log = [](const futon::log_record&) {}, .network = net}};
    std::atomic<int> ended = 0;
    std::atomic<int> answered = 0;
    constexpr int each = 200;
    {
        futon::server server{{.listen = "memory://greeter", .runtime = shared}};
        server.provide<Greeter>(greeter_impl{});
        server.start();
        futon::client client{{.endpoints = server.addresses(),
                              .connections_per_endpoint = 3,
                              .wait_for_ready = true,
                              .reconnect = {.base = 1ms, .ceiling = 2ms},
                              .runtime = shared}};
        std::vector<std::jthread> callers;
        for (int n = 0; n < 3; ++n) {
            callers.emplace_back([&, stub = client.stub<Greeter>()] {
                for (int i = 0; i < each; ++i) {
                    const auto got = stub.greet(std::to_string(i)).get_result();
                    if (got && *got == "hi " + std::to_string(i)) ++answered;
                    ++ended;
                }
            });
        }
        for (int next = 50; next < 3 * each; next += 50) {
            while (ended < next) std::this_thread::yield();
            net.cut("memory://greeter");
        }
    }
    CHECK(ended == 3 * each);
    CHECK(answered > each);  // At most a few are lost with each cut.
    // One that was just being made ends on a thread of the runtime, which goes on.
    for (const auto hung = std::chrono::steady_clock::now() + 5s;
         net.connections("memory://greeter") != 0 && std::chrono::steady_clock::now() < hung;)
        std::this_thread::yield();
    CHECK(net.connections("memory://greeter") == 0);
}

TEST_CASE("network: a name is taken by one server, and free again when that has ended") {
    const futon::testing::network net;
    std::optional<futon::server> first{std::in_place,
                                       futon::server_options{.listen = "memory://name", .threads = quiet(net)}};
    first->start();
    futon::server second{{.listen = "memory://name", .threads = quiet(net)}};
    try {
        second.start();
        FAIL("the name is taken");
    } catch (const futon::rpc_error& e) {
        CHECK(e.code() == futon::errc::listen_failed);
    }
    first.reset();
    second.start();
}

TEST_CASE(
    "network: an address that nobody listens on refuses, one in another network too, and without a network it says "
    "so") {
    const futon::testing::network net;
    const futon::testing::network other;
    futon::server server{{.listen = "memory://name", .threads = quiet(other)}};
    server.start();
    futon::client client{{.endpoints = "memory://name", .threads = quiet(net)}};
    const auto refused = client.stub<Greeter>().greet("x").get_result();
    REQUIRE(!refused);
    CHECK(refused.error() == futon::errc::connect_failed);
    CHECK(refused.error().ran() == futon::executed::no);
    CHECK(refused.error().message().find("nobody listens there") != std::string::npos);

    futon::client lost{{.endpoints = "memory://name", .threads = {.log = [](const futon::log_record&) {}}}};
    const auto unsupported = lost.stub<Greeter>().greet("x").get_result();
    REQUIRE(!unsupported);
    CHECK(unsupported.error() == futon::errc::unsupported_protocol);
    futon::server nowhere{"memory://name"};
    CHECK_THROWS_AS(nowhere.start(), futon::rpc_error);
}

TEST_CASE("network: an address that no server has had is an error that names the nearest, whatever is asked of it") {
    const futon::testing::network net;
    const auto thrown = [](auto ask) -> std::string {
        try {
            ask();
        } catch (const futon::rpc_error& e) {
            CHECK(e.code() == futon::errc::no_provider);
            return e.detail().message();
        }
        return "nothing";
    };
    const auto each_says = [&](const char* address, const std::string& what) {
        CHECK(thrown([&] { net.faults(address, {.drop = true}); }) == what);
        CHECK(thrown([&] { net.cut(address); }) == what);
        CHECK(thrown([&] { static_cast<void>(net.connections(address)); }) == what);
    };
    each_says("memory://quotes",
              "no server of this network has had the address memory://quotes; none has been started yet");
    std::optional<futon::server> quotes{std::in_place,
                                        futon::server_options{.listen = "memory://quotes", .threads = quiet(net)}};
    quotes->start();
    futon::server rates{{.listen = "memory://rates", .threads = quiet(net)}};
    rates.start();
    each_says(
        "memory://qoutes",
        "no server of this network has had the address memory://qoutes; did you mean 'quotes'? Known: quotes, rates");
    each_says("memory://desk", "no server of this network has had the address memory://desk; known: quotes, rates");

    // One that has stopped may come back.
    quotes.reset();
    net.faults("memory://quotes", {.drop = true});
    net.cut("memory://quotes");
    CHECK(net.connections("memory://quotes") == 0);
}

TEST_CASE("network: an address of another kind cannot have faults") {
    const futon::testing::network net;
    CHECK_THROWS_AS(net.faults("tcp://127.0.0.1:1", {}), futon::rpc_error);
    CHECK_THROWS_AS(net.faults("memory://", {}), futon::rpc_error);
}

}  // namespace
