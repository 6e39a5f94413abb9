// SPDX-License-Identifier: Apache-2.0
// Servers that die, or stand still, under load.

#include "faults/support/town.hpp"

#include <futon/cluster/round_robin.hpp>
#include <futon/registry/file_registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace futon_tests;

namespace {

TEST_CASE("faults: one of three servers is killed: only what it was running is lost, and nothing idempotent (F1)") {
    town t{30ms};
    const auto victim = t.servers.address(0);
    const auto killed = futon::clock::now();
    t.servers.kill(0);
    const auto gone = futon::clock::now();
    t.load->goes_on(1s);
    t.servers.start(0);
    wait_for_providers(*t.client, 3);
    const auto back = futon::clock::now();
    t.load->goes_on(1s);
    t.load->finish();
    t.load->check_truth();
    if (!t.load->may_be_judged(t.servers.stalled())) return;

    const auto& load = *t.load;
    std::size_t lost = 0;
    futon::duration slowest{};
    for (const auto& each : load.calls()) {
        if (!each.why) continue;
        ++lost;
        slowest = std::max(slowest, each.ended - killed);
        CHECK_FALSE(each.idempotent);
        CHECK(*each.why == futon::errc::connection_lost);
        CHECK(each.why->ran() == futon::executed::maybe);
        CHECK(was_at(each, victim));
        CHECK(each.due <= gone);
    }
    // Not more than it can have had: a third of what was made while a call takes that long.
    CHECK_MESSAGE(lost <= 30, load.failures());
    CHECK(slowest < 2s);
    CHECK(load.answered_by(0, back) > 0);
    MESSAGE("F1: ", load.calls().size(), " calls, ", lost, " lost, the last ", ms(slowest),
            " after the kill (goal 50 ms); 99 % again after ", ms(load.recovers_after(killed)),
            " (goal 500 ms); slowest success ", ms(load.quantile(1.0, killed)));
}

TEST_CASE("faults: the only server is killed: calls fail at once until it is back, none by running out of time (F2)") {
    fleet_of_processes servers;
    servers[0].delay_us = 5'000;
    servers.start(0);
    const int port = servers[0].port;
    auto options = quiet_client();
    options.endpoints = servers.address(0);
    futon::client client{options};
    client.wait_ready(hung).get();
    open_load load{client.stub<Work>(), servers.book()};
    load.goes_on(500ms);
    servers.kill(0);
    const auto gone = futon::clock::now();
    load.goes_on(2s);
    servers.start(0, port);
    const auto back = futon::clock::now();
    REQUIRE(load.goes_on_until([&] { return client.stats().connections == 1; }));
    const auto connected = futon::clock::now();
    load.goes_on(500ms);
    load.finish();
    load.check_truth();
    if (!load.may_be_judged(servers.stalled())) return;

    std::size_t other = 0;
    std::size_t failed_again = 0;
    futon::duration slowest{};
    for (const auto& each : load.calls()) {
        if (!each.why) continue;
        slowest = std::max(slowest, each.latency());
        other += *each.why != futon::errc::connection_lost && *each.why != futon::errc::connect_failed;
        failed_again += each.due > connected;
    }
    CHECK_MESSAGE(other == 0, load.failures());
    CHECK(failed_again == 0);
    CHECK(load.failed() > 500);
    CHECK(slowest < 2s);
    CHECK(load.answered_by(0, connected) > 0);
    MESSAGE("F2: ", load.failed(), " calls failed in ", ms(back - gone), ", the slowest after ", ms(slowest),
            " (goal 50 ms); connected ", ms(connected - back), " after it listened (goal 1 s)");
}

TEST_CASE(
    "faults: one of three servers stands still and goes on: few calls are lost to it, and it is let back in (F3)") {
    auto options = quiet_client();
    std::string policy;
    SUBCASE("by the default policy, which sees that it does not answer") { policy = "peak_ewma"; }
    SUBCASE("in turns, until it is ejected") {
        policy = "round_robin";
        options.balancer = futon::round_robin{};
    }
    constexpr auto timeout = 400ms;
    town t{5ms, {.timeout = timeout}, options};
    const auto victim = t.servers.address(0);
    const auto frozen = futon::clock::now();
    t.servers.signal(0, SIGSTOP);
    bool ejected = false;
    for (int i = 0; i < 20; ++i) {
        t.load->goes_on(100ms);
        ejected = ejected || t.client->stats().ejected_providers == 1;
    }
    t.servers.signal(0, SIGCONT);
    const auto thawed = futon::clock::now();
    const auto ran = t.servers[0].ran.load();
    REQUIRE(t.load->goes_on_until(
        [&] { return t.client->stats().usable_providers == 3 && t.servers[0].ran.load() > ran + 20; }));
    const auto back = futon::clock::now();
    t.load->goes_on(200ms);
    t.load->finish();
    t.load->check_truth();
    if (!t.load->may_be_judged(t.servers.stalled(0))) return;

    const auto& load = *t.load;
    std::size_t elsewhere = 0;
    std::size_t at_once = 0;
    std::size_t later = 0;
    for (const auto& each : load.calls()) {
        if (!each.why) continue;
        elsewhere += !was_at(each, victim) || *each.why != futon::errc::deadline_exceeded;
        // What was made before the first of them can have run out of time, and what came after.
        ++(each.due < frozen + timeout ? at_once : later);
    }
    CHECK_MESSAGE(elsewhere == 0, load.failures());
    // An equal share of the calls of one timeout; then what it takes to be sure, and a trial each second or two.
    CHECK(at_once <= 67 + 5);
    CHECK(later <= 20);
    CHECK(at_once + later > 0);
    if (policy == "round_robin") CHECK(ejected);
    const auto wire = t.client->stats().wire;
    MESSAGE("F3, ", policy, ": ", load.calls().size(), " calls, lost ", at_once, " before any timeout and ", later,
            " later, ", std::string{ejected ? "ejected" : "not ejected"}, "; in use again ", ms(back - thawed),
            " after it went on; of ", wire.expired, " expired calls it ran ", t.servers[0].ran_late.load(),
            " late and answered ", wire.late_replies);
}

TEST_CASE("faults: a server that stands still while nobody calls is found out by a ping, and no call is lost to it") {
    auto options = quiet_client();
    options.balancer = futon::round_robin{};
    options.health.pings = {.interval = 500ms, .timeout = 500ms};
    temporary_directory directory;
    fleet_of_processes servers{"file://" + directory.path()};
    servers.start_first(3);
    options.registry = futon::file_registry{directory.path()};
    futon::client client{options};
    const auto stub = client.stub<Work>();
    std::int64_t asked = 0;
    const auto look = [&] { return stub.look(++asked).get_result(); };
    REQUIRE(eventually([&] { return look() && client.stats().usable_providers == 3; }));
    const auto frozen = futon::clock::now();
    servers.signal(0, SIGSTOP);
    REQUIRE(eventually([&] { return client.stats().ejected_providers == 1; }));
    const auto found = futon::clock::now() - frozen;
    int lost = 0;
    for (int i = 0; i < 100; ++i) lost += look() ? 0 : 1;
    servers.signal(0, SIGCONT);
    CHECK(eventually([&] { return client.stats().usable_providers == 3; }));
    if (servers.stalled(0) > 50ms) return;  // On such a machine another one may have been found out.
    CHECK(lost == 0);
    MESSAGE("a stopped server was out after ", ms(found), " (goal: interval and timeout, 1 s); lost ", lost,
            " of 100 calls");
}

TEST_CASE(
    "faults: all servers are down for 5 s and come back one by one: calls fail at once, the first is not buried (F21)") {
    town t{2ms};
    auto& load = *t.load;
    for (std::size_t i = 0; i < 3; ++i) t.servers.signal(i, SIGKILL);
    for (std::size_t i = 0; i < 3; ++i) t.servers.kill(i);
    const auto down = futon::clock::now();
    load.goes_on(5s);
    t.servers.start(0);
    wait_for_providers(*t.client, 1);
    const auto first = futon::clock::now();
    const auto ran_before = t.servers[0].ran.load();
    load.goes_on(1s);
    const auto first_over = futon::clock::now();
    const auto first_ran = t.servers[0].ran.load() - ran_before;
    t.servers.start(1);
    load.goes_on(300ms);
    t.servers.start(2);
    const auto last = futon::clock::now();
    wait_for_providers(*t.client, 3);
    load.goes_on(500ms);
    load.finish();
    load.check_truth();
    if (!load.may_be_judged(t.servers.stalled())) return;

    std::size_t unexpected = 0;
    std::size_t turned_away = 0;
    futon::duration slowest{};
    for (const auto& each : load.calls()) {
        if (!each.why) continue;
        const auto& why = *each.why;
        if (each.due > down) slowest = std::max(slowest, each.latency());
        turned_away += each.due > first && why == futon::errc::unavailable && why.ran() == futon::executed::no;
        unexpected += !why.is(futon::cond::unavailable);
    }
    const auto offered = load.count([&](const call_note& each) { return each.due >= first && each.due < first_over; });
    CHECK_MESSAGE(unexpected == 0, load.failures());
    CHECK(slowest < 2s);
    // Let through by chance, one of three.
    CHECK(turned_away > 0);
    CHECK(first_ran > 0);
    CHECK(static_cast<double>(first_ran) < 0.45 * static_cast<double>(offered));
    CHECK(load.recovers_after(last) < 10s);
    MESSAGE("F21: slowest failure ", ms(slowest), " (goal 10 ms); the first server that was back got ", first_ran,
            " of ", offered, " calls; 99 % again ", ms(load.recovers_after(last)),
            " after the last one listened (goal 3 s)");
}

}  // namespace
