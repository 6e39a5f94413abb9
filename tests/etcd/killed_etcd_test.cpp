// SPDX-License-Identifier: Apache-2.0
// A registry of its own process that dies and loses all it knew, while servers, in processes of theirs, are called.

#include <futon/registry/etcd_registry.hpp>

#include "etcd/support/etcd_server.hpp"
#include "faults/support/load.hpp"
#include "registry/conformance.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>

using namespace futon_tests;

namespace {

TEST_CASE("etcd: child: a server process" * doctest::skip()) { serve_if_told<futon::etcd_registry>(); }

TEST_CASE(
    "etcd: it is killed and comes back empty: the list is kept, all are registered again, and no call fails (F17)") {
    if (!etcd_server::is_installed()) return;
    etcd_server etcd;
    const auto url = "etcd" + etcd.url().substr(4) + "/f17?lease=2s";
    fleet_of_processes servers{url, "etcd: child: a server process"};
    for (std::size_t i = 0; i < 3; ++i) servers[i].delay_us = 5'000;
    servers.start_first(3);
    const futon::etcd_registry_options how{
        .servers = {etcd.url()}, .prefix = "/f17", .lease = 2s, .timeout = 2s, .retry = 100ms};
    futon::client client{quiet_client(futon::etcd_registry{how})};
    const auto stub = client.stub<Work>();
    client.wait_ready(hung).get();
    open_load load{stub, servers.book()};
    wait_for_providers(client, 3);
    load.goes_on(300ms);

    etcd.kill();
    load.goes_on(1s);
    etcd.wipe();
    etcd.start();
    const auto empty = futon::clock::now();
    CHECK(client.stats().providers == 3);
    // Somebody who has never heard of them before.
    futon::any_registry registry = futon::etcd_registry{how};
    conformance::ear heard;
    const auto listening = registry.subscribe("Work", heard.listener());
    REQUIRE(heard.wait_for_count(3));
    const auto registered = futon::clock::now();
    REQUIRE(load.goes_on_until(
        [&] { return client.stats().suspect_providers == 0 && client.stats().usable_providers == 3; }));
    // And the client hears of changes again.
    CHECK(servers.stop(0));
    servers.start(0);
    const auto before = servers[0].ran.load();
    REQUIRE(load.goes_on_until([&] { return servers[0].ran.load() > before; }));
    load.goes_on(300ms);
    load.finish();
    load.check_truth();
    if (!load.may_be_judged(servers.stalled())) return;
    CHECK_MESSAGE(load.failed() == 0, load.failures());
    MESSAGE("F17, etcd: ", load.calls().size(), " calls, ", load.failed(), " failed; all were registered again ",
            ms(registered - empty), " after the empty registry answered (goal: a third of the lease and 1 s, 1.7 s)");
}

}  // namespace
