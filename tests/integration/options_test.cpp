// SPDX-License-Identifier: Apache-2.0
// Options of which no client, server or service can be made: said at once, with the option's name.

#include "integration/support/served.hpp"

#include <futon/registry/memory_registry.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>

using namespace futon_tests;

namespace {

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)
struct greeter {
    std::string greet(std::string name) { return "hello " + name; }
};
struct no_filter_at_all {
    void before(futon::filtered_call&) {}
};

// What it throws, in a line; empty if it does not.
template <class F>
std::string thrown_by(F f) {
    try {
        f();
    } catch (const futon::rpc_error& why) {
        return why.detail().describe();
    }
    return {};
}
std::string client_of(futon::client_options options) {
    return thrown_by([&] { futon::client client{std::move(options)}; });
}

TEST_CASE("client: an address that nobody can connect to is refused by the constructor, and named") {
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:0"}) == "bad_address: 'tcp://127.0.0.1:0' is no address to connect to: it has no port");
    CHECK(client_of({.endpoints = "tcp://a b:1"}) ==
          "bad_address: 'tcp://a b:1' is no address to connect to: its address has characters that no address has");
    CHECK(client_of({.endpoints = "unix:///run/x"}).empty());
}

TEST_CASE("client: a registry beside a list is refused, since one of them would be ignored") {
    const futon::memory_registry registry;
    const std::string why = "bad_arguments: client_options: .registry stands instead of .endpoints and .source: give one of them";
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:1", .registry = registry}) == why);
    CHECK(client_of({.source = [](const auto&) {}, .registry = registry}) == why);
    CHECK(client_of({.registry = registry}).empty());
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:1", .source = [](const auto&) {}}).empty());
}

TEST_CASE("client: times and counts that cannot be meant are refused by name") {
    const auto starts = [](const std::string& text, const std::string& with) { return text.starts_with("bad_arguments: client_options: " + with); };
    CHECK(starts(client_of({.timeout = 0s}), ".timeout must be more than zero"));
    CHECK(starts(client_of({.timeout = -1s}), ".timeout must be more than zero"));
    CHECK(starts(client_of({.connect_timeout = 0s}), ".connect_timeout must be more than zero"));
    CHECK(starts(client_of({.connections_per_endpoint = 0}), ".connections_per_endpoint is 0, and must be from 1 to 1024"));
    CHECK(starts(client_of({.connections_per_endpoint = 1'000'000}), ".connections_per_endpoint is 1000000, and"));
    CHECK(starts(client_of({.retry_budget = {.share = -1}}), "a number of .retry_budget is negative"));
    CHECK(starts(client_of({.retry_budget = {.reserve = std::numeric_limits<double>::quiet_NaN()}}), "a number of .retry_budget"));
    CHECK(client_of({.timeout = futon::duration::max(), .connect_timeout = futon::duration::max()}).empty());
    CHECK(client_of({.retry_budget = {.share = 0, .per_second = 0, .reserve = 1e9, .hedge_share = 0}}).empty());
}

TEST_CASE("server: what the registry could never take is refused by the constructor") {
    const futon::memory_registry registry;
    const auto server_of = [&](futon::provider who) {
        return thrown_by([&] { futon::server server{{.registry = registry, .advertise = std::move(who)}}; });
    };
    CHECK(server_of({.weight = 2'000'000}) == "bad_arguments: server_options: .advertise cannot be registered: its weight is more than 1000000");
    CHECK(server_of({.warm_up = -1s}).find("its warm-up is negative") != std::string::npos);
    CHECK(server_of({.tags = {{"zone", "a"}}}).find("a tag has the name of a parameter") != std::string::npos);
    CHECK(server_of({}).empty());
    CHECK(server_of({.address = {.host = "203.0.113.7"}, .weight = 0}).empty());
    CHECK(server_of({.address = {.scheme = "unix", .path = "/run/x"}}).empty());
}

TEST_CASE("server: an implementation or a filter that is a null pointer is refused, not called") {
    futon::server server{quiet_server()};
    CHECK(thrown_by([&] { server.provide<Greeter>(std::shared_ptr<greeter>{}); }) ==
          "bad_arguments: provide: the implementation of 'Greeter' is a null pointer");
    CHECK(thrown_by([&] { server.provide<Greeter>(greeter{}, {.filters = {std::shared_ptr<no_filter_at_all>{}}}); }) ==
          "bad_arguments: a filter is a null pointer");
    CHECK(thrown_by([&] { server.provide<Greeter>(greeter{}); }).empty());
}

TEST_CASE("server: a version that would read as two parts of the name is refused") {
    futon::server server{quiet_server()};
    CHECK(thrown_by([&] { server.provide<Greeter>(greeter{}, {.version = "1:2"}); }).find("'1:2' of 'Greeter:1:2' has a ':'") != std::string::npos);
    CHECK(thrown_by([&] { server.provide<Greeter>(greeter{}, {.unique_id = "a:b"}); }).find("has a ':'") != std::string::npos);
}

}  // namespace
