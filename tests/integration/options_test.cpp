// SPDX-License-Identifier: Apache-2.0
// Options of which no client, server or service can be made: said at once, with the option's name.

#include "integration/support/served.hpp"

#include <futon/filter/rate_limit.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/registry/static_registry.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <cstdint>
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

TEST_CASE("options: a weight that no registry takes is refused also while the server runs") {
    futon::server server{quiet_server()};
    CHECK(thrown_by([&] { server.set_weight(static_cast<std::uint32_t>(-1)); }) ==
          "bad_arguments: set_weight: 4294967295 is more than 1000000");
    CHECK(thrown_by([&] { server.set_weight(1'000'000); }).empty());
}

TEST_CASE("client: an address that nobody can connect to is refused by the constructor, and named") {
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:0"}) ==
          "bad_address: 'tcp://127.0.0.1:0' is no address to connect to: it has no port");
    CHECK(client_of({.endpoints = "tcp://a b:1"}) ==
          "bad_address: 'tcp://a b:1' is no address to connect to: its address has characters that no address has");
    CHECK(client_of({.endpoints = "unix:///run/x"}).empty());
}

TEST_CASE("client: a registry beside a list is refused, since one of them would be ignored") {
    const futon::memory_registry registry;
    const std::string why =
        "bad_arguments: client_options: .registry stands instead of .endpoints and .source: give one of them";
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:1", .registry = registry}) == why);
    CHECK(client_of({.source = [](const auto&) {}, .registry = registry}) == why);
    CHECK(client_of({.registry = registry}).empty());
    CHECK(client_of({.endpoints = "tcp://127.0.0.1:1", .source = [](const auto&) {}}).empty());
}

TEST_CASE("client: times and counts that cannot be meant are refused by name") {
    const auto starts = [](const std::string& text, const std::string& with) {
        return text.starts_with("bad_arguments: client_options: " + with);
    };
    CHECK(starts(client_of({.timeout = 0s}), ".timeout must be more than zero"));
    CHECK(starts(client_of({.timeout = -1s}), ".timeout must be more than zero"));
    CHECK(starts(client_of({.connect_timeout = 0s}), ".connect_timeout must be more than zero"));
    CHECK(starts(client_of({.connections_per_endpoint = 0}),
                 ".connections_per_endpoint is 0, and must be from 1 to 1024"));
    CHECK(starts(client_of({.connections_per_endpoint = 1'000'000}), ".connections_per_endpoint is 1000000, and"));
    CHECK(starts(client_of({.retry_budget = {.share = -1}}), "a number of .retry_budget is negative"));
    CHECK(starts(client_of({.retry_budget = {.reserve = std::numeric_limits<double>::quiet_NaN()}}),
                 "a number of .retry_budget"));
    CHECK(client_of({.timeout = futon::duration::max(), .connect_timeout = futon::duration::max()}).empty());
    CHECK(client_of({.retry_budget = {.share = 0, .per_second = 0, .reserve = 1e9, .hedge_share = 0}}).empty());
    CHECK(client_of({.retry = {.base = -1ms}}) == "bad_arguments: client_options: .retry.base is less than zero");
    CHECK(starts(client_of({.reconnect = {.ceiling = -1s}}), ".reconnect.ceiling is less than zero"));
    CHECK(starts(client_of({.reconnect = {.factor = 0.5}}), ".reconnect.factor must be at least 1"));
    CHECK(starts(client_of({.reconnect = {.jitter = 7}}), ".reconnect.jitter must be from 0 to 1"));
    CHECK(starts(client_of({.hedge = {.delay = -1ms}}), ".hedge.delay is less than zero"));
    CHECK(starts(client_of({.health = {.outliers = {.window = -1s}}}), ".health.outliers.window is less than zero"));
    CHECK(starts(client_of({.health = {.pings = {.timeout = -1s}}}), ".health.pings.timeout is less than zero"));
    CHECK(starts(client_of({.limits = {.idle_close = -1s}}), ".limits.idle_close is less than zero"));
    CHECK(client_of({.health = {.recovery = {.hold = 0s}}, .retry = {.base = 0s, .ceiling = 0s}}).empty());
}

TEST_CASE("client: an update that cannot be meant is refused by name, and changes nothing") {
    echo_server at{quiet_server()};
    futon::client client{to(at.server.addresses()[0])};
    CHECK(thrown_by([&] { client.update({.timeout = 0s}); }).starts_with("bad_arguments: client::update: .timeout must"));
    CHECK(thrown_by([&] { client.update({.timeout = 1ms, .retry = futon::exponential_backoff{.base = -1s}}); }) ==
          "bad_arguments: client::update: .retry.base is less than zero");
    CHECK(client.stub<Echo>().echo(7).get() == 7);
}

TEST_CASE("server: what the registry could never take is refused by the constructor") {
    const futon::memory_registry registry;
    const auto server_of = [&](futon::provider who) {
        return thrown_by([&] { futon::server server{{.registry = registry, .advertise = std::move(who)}}; });
    };
    CHECK(server_of({.weight = 2'000'000}) ==
          "bad_arguments: server_options: .advertise cannot be registered: its weight is more than 1000000");
    CHECK(server_of({.warm_up = -1s}).find("its warm-up is negative") != std::string::npos);
    CHECK(server_of({.tags = {{"zone", "a"}}}).find("a tag has the name of a parameter") != std::string::npos);
    CHECK(server_of({}).empty());
    CHECK(server_of({.address = {.host = "203.0.113.7"}, .weight = 0}).empty());
    CHECK(server_of({.address = {.scheme = "unix", .path = "/run/x"}}).empty());
}

TEST_CASE("server: options that cannot be meant, or would be ignored, are refused by name") {
    const auto server_of = [&](futon::server_options options) {
        return thrown_by([&] { futon::server server{std::move(options)}; });
    };
    CHECK(server_of({.advertise = {.zone = "a"}}) ==
          "bad_arguments: server_options: .advertise says how a registry describes the server, and there is no .registry");
    CHECK(server_of({.limits = {.heartbeat_after = -1s}}) ==
          "bad_arguments: server_options: .limits.heartbeat_after is less than zero");
    CHECK(server_of({.drain_time = -1s}) == "bad_arguments: server_options: .drain_time is less than zero");
    CHECK(server_of({.timeout = 0s}).starts_with("bad_arguments: server_options: .timeout must be more than zero"));
    CHECK(server_of({.drain_time = 0s, .slow_handler = 0s}).empty());
    CHECK(server_of({.io_threads = static_cast<std::size_t>(-1)}).find(".io_threads is 18446744073709551615, and must") !=
          std::string::npos);
    CHECK(thrown_by([] { futon::rate_limit{{.per_second = -1}}; }) ==
          "bad_arguments: rate_limit: .per_second must be more than zero");
}

TEST_CASE("server: whether the registry has taken it can be waited for") {
    const auto outcome = [](futon::server_options options) {
        futon::testing::simulation world;
        options.listen = "memory://a";
        options.runtime = world.runtime();
        futon::server server{std::move(options)};
        server.provide<Greeter>(greeter{});
        server.start();
        const auto got = world.get_result(server.wait_registered(5s));
        return got ? std::string{"taken"} : got.error().describe();
    };
    CHECK(outcome({.registry = futon::memory_registry{}}) == "taken");
    CHECK(outcome({.registry = futon::static_registry{}}) ==
          "permission_denied: a static registry takes no registrations: Greeter at memory://a");
    CHECK(outcome({}).starts_with("bad_arguments: nothing to wait for: the server has no registry"));
    futon::server never{{.registry = futon::memory_registry{}}};
    CHECK(thrown_by([&] { never.wait_registered(1ms).get(); }) ==
          "deadline_exceeded: memory: has not taken all services in time");
}

TEST_CASE("client: a version or a unique id that would be taken for two parts of a name is refused") {
    futon::client client{"tcp://127.0.0.1:1"};
    CHECK(thrown_by([&] { static_cast<void>(client.stub<Greeter>({.version = "1.0:blue"})); }) ==
          "bad_arguments: stub_options: '1.0:blue' has a ':', which separates the parts of a name");
    CHECK(thrown_by([&] { static_cast<void>(client.stub<Greeter>({.unique_id = ":"})); }).starts_with("bad_arguments"));
    CHECK(thrown_by([&] { static_cast<void>(client.stub<Greeter>({.version = "1.0", .unique_id = "blue"})); }).empty());
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
    CHECK(thrown_by([&] {
              server.provide<Greeter>(greeter{}, {.version = "1:2"});
          }).find("'1:2' of 'Greeter:1:2' has a ':'") != std::string::npos);
    CHECK(thrown_by([&] { server.provide<Greeter>(greeter{}, {.unique_id = "a:b"}); }).find("has a ':'") !=
          std::string::npos);
}

}  // namespace
