// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/cluster_health.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <vector>

using namespace std::chrono_literals;
using futon::errc;

namespace {

TEST_CASE("panic: below half healthy ejection is overlooked, until six in ten are") {
    tests::nodes ten{10};
    const futon::panic_threshold rule;
    const auto healthy = [&](std::size_t count) {
        for (std::size_t i = 0; i < 10; ++i) ten[i].set(futon::hold::ejected, i >= count);
        return rule.review(ten.set);
    };
    CHECK_FALSE(healthy(10));
    CHECK_FALSE(healthy(5));
    CHECK(healthy(4));
    CHECK(ten.set.panic());
    CHECK_FALSE(healthy(5));
    CHECK(ten.set.panic());
    CHECK(healthy(6));
    CHECK_FALSE(ten.set.panic());
}

TEST_CASE("panic: nodes that leave do not count, unconnected ones do") {
    tests::nodes ten{10};
    for (std::size_t i = 0; i < 6; ++i) ten[i].set(futon::hold::draining, true);
    CHECK_FALSE(futon::panic_threshold{}.review(ten.set));
    for (std::size_t i = 6; i < 9; ++i) ten[i].set_connected(false);
    CHECK(futon::panic_threshold{}.review(ten.set));
    CHECK_FALSE(futon::panic_threshold{.enter = 0, .leave = 0}.review(ten.set) == false);
    CHECK_FALSE(ten.set.panic());
}

TEST_CASE("warm_up: a new node's weight grows over its own time") {
    tests::nodes two{2};
    two[0].told.warm_up = 10s;
    two[0].first_seen = two.now;
    const futon::warm_up_ramp rule;
    CHECK(rule.factor(two[0], two.now) == doctest::Approx(0.1));
    CHECK(rule.factor(two[0], two.now + 5s) == doctest::Approx(0.5));
    CHECK(rule.factor(two[0], two.now + 10s) == 1);
    CHECK(rule.factor(two[1], two.now) == 1);
}

TEST_CASE("cluster_health: weights follow the ramps by steps, then rest") {
    tests::nodes three{3};
    futon::cluster_health health;
    three[0].told.warm_up = 10s;
    three[0].first_seen = three.now;
    for (const auto& n : three.owned) health.added(*n, false);
    const std::vector<futon::node*> listed{three.set.begin(), three.set.end()};
    CHECK(health.advance(listed, three.now).weights);
    CHECK(three[0].weight == doctest::Approx(10));
    CHECK(three[1].weight == 100);
    int changes = 0;
    for (int i = 0; i < 120; ++i) {
        three.now += 100ms;
        changes += health.advance(listed, three.now).weights;
    }
    CHECK(three[0].weight == 100);
    CHECK(changes > 15);
    CHECK(changes < 60);
    CHECK_FALSE(health.next_wakeup().has_value());
}

TEST_CASE("cluster_health: the nodes of a client's first list are warm") {
    tests::nodes one{1};
    futon::cluster_health health;
    one[0].told.warm_up = 1h;
    one[0].first_seen = one.now;
    health.added(one[0], true);
    const std::vector<futon::node*> listed{one.set.begin(), one.set.end()};
    CHECK_FALSE(health.advance(listed, one.now).weights);
    CHECK(one[0].weight == 100);
}

TEST_CASE("cluster_health: a node that fails leaves, returns with a tenth of its weight, and grows") {
    tests::nodes four{4};
    futon::cluster_health health;
    const std::vector<futon::node*> listed{four.set.begin(), four.set.end()};
    (void)health.advance(listed, four.now);
    for (int i = 0; i < 5; ++i) {
        health.started(four[0], four.now);
        health.ended(four[0], futon::attempt_outcome::failed(errc::unavailable, four.now, four.now), 4);
    }
    CHECK(four[0].is_held(futon::hold::ejected));
    REQUIRE(health.next_wakeup().has_value());
    four.now = *health.next_wakeup();
    CHECK(health.advance(listed, four.now).holds);
    health.started(four[0], four.now);
    CHECK(health.ended(four[0], futon::attempt_outcome::success(four.now, four.now + 1ms), 4));
    four.now += 1ms;
    CHECK(health.advance(listed, four.now).weights);
    CHECK(four[0].weight == doctest::Approx(10));
    for (int i = 0; i < 200 && health.next_wakeup(); ++i) {
        four.now = *health.next_wakeup();
        (void)health.advance(listed, four.now);
    }
    CHECK(four[0].weight == 100);
}

TEST_CASE("recovery_throttle: after a total outage calls are admitted as providers come back") {
    futon::dice random{7};
    futon::recovery_throttle rule;
    futon::time_point now{100s};
    const auto admitted = [&] {
        int count = 0;
        for (int i = 0; i < 10'000; ++i) count += rule.admits(random);
        return count;
    };
    rule.observe(0, 10, now);  // A client that starts.
    rule.observe(1, 10, now);
    CHECK(admitted() == 10'000);
    rule.observe(10, 10, now);
    rule.observe(0, 10, now);
    CHECK(rule.recovering());
    CHECK(admitted() == 10'000);  // These wait for a connection, or fail and say why.
    now += 60s;
    rule.observe(2, 10, now);
    CHECK(admitted() == doctest::Approx(2000).epsilon(0.1));
    rule.observe(5, 10, now += 3s);
    CHECK(admitted() == doctest::Approx(5000).epsilon(0.1));
    CHECK(rule.next_wakeup() == now + 5s);
    rule.observe(5, 10, now += 5s);
    CHECK_FALSE(rule.recovering());
    CHECK(admitted() == 10'000);
    rule.observe(0, 10, now);
    rule.observe(10, 10, now);
    CHECK_FALSE(rule.recovering());
}

TEST_CASE(
    "recovery_throttle: those that the registry took out while they were down still count, until the number rests") {
    futon::dice random{7};
    futon::recovery_throttle rule;
    futon::time_point now{100s};
    rule.observe(3, 3, now);
    rule.observe(0, 3, now);
    rule.observe(0, 0, now += 1s);
    rule.observe(1, 1, now += 5s);
    CHECK(rule.recovering());
    CHECK(rule.expected() == 3);
    int admitted = 0;
    for (int i = 0; i < 9'000; ++i) admitted += rule.admits(random);
    CHECK(admitted == doctest::Approx(3000).epsilon(0.1));
    rule.observe(1, 1, now += 5s);
    CHECK_FALSE(rule.recovering());
    CHECK(rule.expected() == 1);
    // It is forgotten then.
    rule.observe(0, 1, now);
    rule.observe(1, 1, now);
    CHECK_FALSE(rule.recovering());
}

TEST_CASE("recovery_throttle: those that left the list just before the last one failed belong to the outage") {
    futon::recovery_throttle rule;
    futon::time_point now{100s};
    rule.observe(3, 3, now);
    rule.observe(2, 2, now += 10ms);
    rule.observe(1, 1, now += 10ms);
    rule.observe(0, 1, now += 10ms);
    rule.observe(0, 0, now += 10ms);
    rule.observe(1, 1, now += 5s);
    CHECK(rule.recovering());
    CHECK(rule.expected() == 3);
    rule.observe(3, 3, now += 1s);
    CHECK_FALSE(rule.recovering());
    // What became fewer long before does not.
    rule.observe(1, 1, now += 1s);
    rule.observe(0, 1, now += 6s);
    rule.observe(1, 1, now += 1s);
    CHECK_FALSE(rule.recovering());
    CHECK(rule.expected() == 1);
}

TEST_CASE("recovery_throttle: off") {
    futon::recovery_throttle rule{{.hold = 0s}};
    rule.observe(5, 5, futon::time_point{1s});
    rule.observe(0, 5, futon::time_point{2s});
    CHECK_FALSE(rule.recovering());
}

}  // namespace
