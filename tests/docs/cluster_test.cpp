// SPDX-License-Identifier: Apache-2.0
// The code of docs/cluster.md, and what it claims.
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/prequal.hpp>
#include <futon/futon.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/registry/open_registry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Rates {
    double rate(std::string currency);
};
FUTON_SERVICE(Rates, (rate, futon::idempotent))

struct rates_impl {
    double rate(const std::string& currency) { return currency == "EUR" ? 1.0 : 0.9; }
};

// [failfast_contract]
struct Market {
    double quote(std::string currency);
    void order(std::string currency, int amount);
};
FUTON_SERVICE(Market, (quote, futon::idempotent), (order, futon::failfast))
// [/failfast_contract]

struct Cache {
    int forget(std::string key);
};
FUTON_SERVICE(Cache, (forget, futon::idempotent))

struct cache_impl {
    int forget(const std::string&) { return 1; }
};

struct market_impl {
    double quote(const std::string& currency) { return currency == "EUR" ? 1.0 : 0.9; }
    void order(const std::string&, int) {}
};

TEST_CASE("docs: a server and a client that find each other in a registry") {
    const futon::memory_registry registry;
    // [both]
    // The same registry on both sides, here within one process. Between processes: file:, dns:, etcd:, zookeeper:.
    futon::server server{{.listen = "tcp://127.0.0.1:0", .registry = registry}};
    server.provide<Rates>(rates_impl{});
    server.start();

    futon::client client{{.registry = registry}};
    auto rates = client.stub<Rates>();
    double euro = rates.rate("EUR").get();
    // [/both]
    CHECK(euro == 1.0);

    // [update]
    client.update({.timeout = 2s, .balancer = futon::any_load_balancer{futon::prequal{}}});
    // [/update]
    CHECK(rates.rate("USD").get() == 0.9);
    server.stop().get();
    CHECK(rates.rate("EUR").get_result().error() == futon::errc::no_provider);
}

TEST_CASE("docs: what a server says of itself, and kinds of calls") {
    const futon::memory_registry registry;
    // [advertise]
    futon::server canary{{.listen = "tcp://127.0.0.1:0",
                          .registry = registry,
                          .advertise = {.weight = 10, .zone = "eu-1a", .version = "1.5", .group = "canary", .warm_up = 30s}}};
    canary.provide<Rates>(rates_impl{});
    canary.start();
    canary.set_weight(50);  // reaches clients with the next push
    canary.offline();       // no new calls; what it has goes on
    canary.online();
    // [/advertise]
    futon::client client{{.registry = registry, .balancer = futon::least_request{}}};
    auto rates = client.stub<Rates>();
    // [kinds]
    auto keyed = rates.with({.hash_key = "user-7"});            // the same provider for the same key
    auto daring = rates.with({.route = {.group = "canary"}});   // providers of that group only
    auto pinned = rates.with({.route = {.address = canary.addresses().front().text()}});  // that one and no other
    // [/kinds]
    CHECK(keyed.rate("EUR").get() == 1.0);
    CHECK(daring.rate("EUR").get() == 1.0);
    CHECK(pinned.rate("EUR").get() == 1.0);
}

TEST_CASE("docs: attempts") {
    const futon::memory_registry registry;
    futon::server server{{.listen = "tcp://127.0.0.1:0", .registry = registry}};
    server.provide<Market>(market_impl{});
    server.start();
    // [hedge]
    futon::client client{{.registry = registry, .hedge = {.max_attempts = 2}}};  // idempotent methods only
    auto market = client.stub<Market>();
    auto eager = market.with({.hedge = futon::hedging{.max_attempts = 3, .delay = 5ms}});
    auto patient = market.with({.hedge = futon::hedging{}});
    // [/hedge]
    // [failfast]
    auto once = market.with({.retry = futon::failfast});                                // for a stub, or a call
    auto again = market.with({.retry = futon::exponential_backoff{.max_attempts = 5}});
    client.update({.retry = futon::failfast});                                          // for all that say nothing else
    // [/failfast]
    for (const auto& each : {market, eager, patient, once, again}) CHECK(each.quote("EUR").get() == 1.0);
    market.order("EUR", 5).get();
}

TEST_CASE("docs: one call at every provider") {
    const futon::memory_registry registry;
    futon::server one{{.listen = "tcp://127.0.0.1:0", .registry = registry}};
    futon::server two{{.listen = "tcp://127.0.0.1:0", .registry = registry}};
    for (auto* each : {&one, &two}) {
        each->provide<Cache>(cache_impl{});
        each->start();
    }
    futon::client client{{.registry = registry}};
    int forgotten = 0;
    std::vector<std::string> failed;
    // [broadcast]
    auto cache = client.stub<Cache>();
    for (const auto& [from, outcome] : futon::broadcast<&Cache::forget>(cache, "user-7").get()) {
        if (outcome) forgotten += *outcome;
        else failed.push_back(from.text() + ": " + outcome.error().message());
    }
    // [/broadcast]
    CHECK(forgotten == 2);
    CHECK(failed.empty());
}

}  // namespace
