// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/outlier.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

using namespace std::chrono_literals;
using futon::errc;

namespace {

// Attempts of a millisecond each, one after the other.
struct ward {
    explicit ward(std::size_t count, futon::outlier_options options = {.jitter = 0}) : cluster{count}, rule{options} {}

    bool end(futon::node& n, const futon::attempt_outcome& outcome) {
        cluster.now = outcome.now;
        return rule.ended(n, outcome, cluster.owned.size(), cluster.random);
    }
    bool succeed(futon::node& n) {
        rule.started(n, cluster.now);
        return end(n, futon::attempt_outcome::success(cluster.now, cluster.now + 1ms));
    }
    bool fail(futon::node& n, errc code = errc::deadline_exceeded) {
        rule.started(n, cluster.now);
        return end(n, futon::attempt_outcome::failed(code, cluster.now, cluster.now + 1ms));
    }
    // Until it is out.
    futon::duration eject(futon::node& n) {
        for (int i = 0; i < 5 && !n.is_held(futon::hold::ejected); ++i) fail(n);
        REQUIRE(n.is_held(futon::hold::ejected));
        return n.held_until - cluster.now;
    }
    bool pass(futon::duration time) {
        cluster.now += time;
        return rule.advance(cluster.now);
    }

    tests::nodes cluster;
    futon::outlier_ejection rule;
};

TEST_CASE("outlier: five failures in a row eject, an answer in between starts the count anew") {
    ward w{10};
    auto& n = w.cluster[3];
    for (int i = 0; i < 4; ++i) CHECK_FALSE(w.fail(n));
    w.succeed(n);
    for (int i = 0; i < 4; ++i) CHECK_FALSE(w.fail(n));
    CHECK(w.fail(n));
    CHECK(n.is_held(futon::hold::ejected));
    CHECK(w.rule.next_wakeup() == w.cluster.now + 1s);
}

TEST_CASE("outlier: errors of handlers and of callers do not count, those of handlers unless that is wanted") {
    ward w{10};
    auto& n = w.cluster[0];
    for (const auto code : {errc::remote_error, errc::bad_arguments, errc::no_such_method, errc::cancelled,
                            errc::client_closed, errc::permission_denied, errc::broken_promise})
        for (int i = 0; i < 30; ++i) CHECK_FALSE(w.fail(n, code));
    CHECK(n.holds == 0);
    // Nor do calls that were given up help a failing node.
    for (int i = 0; i < 4; ++i) {
        w.fail(n);
        w.fail(n, errc::cancelled);
    }
    CHECK(w.fail(n));
}

TEST_CASE("outlier: errors of handlers eject where they are said to mean that a server is sick") {
    ward w{10, {.handler_errors = true, .jitter = 0}};
    auto& n = w.cluster[0];
    for (int i = 0; i < 4; ++i) CHECK_FALSE(w.fail(n, errc::remote_error));
    CHECK(w.fail(n, errc::internal));
    CHECK(n.is_held(futon::hold::ejected));
    w.pass(1s);
    CHECK(w.fail(n, errc::remote_error));  // The trial.
    CHECK(n.is_held(futon::hold::ejected));
    for (int i = 0; i < 30; ++i) CHECK_FALSE(w.fail(w.cluster[1], errc::bad_arguments));
}

TEST_CASE("outlier: half of at least twenty calls in ten seconds") {
    ward w{10};
    auto& n = w.cluster[0];
    for (int i = 0; i < 9; ++i) {
        w.succeed(n);
        w.fail(n);
    }
    CHECK_FALSE(w.succeed(n));
    CHECK(w.fail(n));  // The twentieth.

    // The same spread over two windows is not enough.
    auto& other = w.cluster[1];
    for (int i = 0; i < 12; ++i) {
        if (i == 6) w.cluster.now += 10s;
        w.succeed(other);
        CHECK_FALSE(w.fail(other));
    }
}

TEST_CASE("outlier: ejections double up to thirty seconds, and are forgiven one a minute") {
    ward w{10};
    auto& n = w.cluster[0];
    for (const auto expected : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        CHECK(w.eject(n) == expected);
        w.pass(expected);
        CHECK(n.half_open);
        CHECK(w.succeed(n));
        CHECK(n.holds == 0);
    }
    w.pass(3min);
    CHECK(w.eject(n) == 16s);  // The seventh less three: 2^4.
}

TEST_CASE("outlier: the length varies by a fifth, so that clients do not come back as one") {
    futon::duration shortest = 1h;
    futon::duration longest{};
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        ward w{4, {}};
        w.cluster.random = futon::dice{seed};
        const auto length = w.eject(w.cluster[0]);
        shortest = std::min(shortest, length);
        longest = std::max(longest, length);
    }
    CHECK(shortest >= 800ms);
    CHECK(shortest < 820ms);
    CHECK(longest > 1180ms);
    CHECK(longest <= 1200ms);
}

TEST_CASE("outlier: half open, one call is the trial; its answer lets the node in with a ramp") {
    ward w{10};
    auto& n = w.cluster[0];
    w.eject(n);
    CHECK_FALSE(w.cluster.set.usable(n));
    CHECK_FALSE(w.pass(999ms));
    CHECK(w.pass(1ms));
    CHECK(w.cluster.set.usable(n));
    w.rule.started(n, w.cluster.now);
    CHECK_FALSE(w.cluster.set.usable(n));  // Only one.
    CHECK(w.end(n, futon::attempt_outcome::success(w.cluster.now, w.cluster.now + 1ms)));
    CHECK(w.cluster.set.usable(n));
    CHECK(w.rule.ramp_factor(n, w.cluster.now) == doctest::Approx(0.1));
    CHECK(w.rule.ramp_factor(n, w.cluster.now + 5s) == doctest::Approx(0.55));
    CHECK(w.rule.ramp_factor(n, w.cluster.now + 10s) == 1);
}

TEST_CASE("outlier: a failed trial ejects for twice as long, a trial that shows nothing leaves the next one free") {
    ward w{10};
    auto& n = w.cluster[0];
    w.eject(n);
    w.pass(1s);
    w.rule.started(n, w.cluster.now);
    CHECK_FALSE(w.end(n, futon::attempt_outcome::failed(errc::cancelled, w.cluster.now, w.cluster.now + 1ms)));
    CHECK(w.cluster.set.usable(n));
    CHECK(w.fail(n));
    CHECK(n.is_held(futon::hold::ejected));
    CHECK_FALSE(n.is_held(futon::hold::on_trial));
    CHECK(n.held_until - w.cluster.now == 2s);
}

TEST_CASE("outlier: calls from before the ejection neither help nor harm") {
    ward w{10};
    auto& n = w.cluster[0];
    const auto before = w.cluster.now;
    w.eject(n);
    const auto until = n.held_until;
    CHECK_FALSE(w.end(n, futon::attempt_outcome::success(before, w.cluster.now + 1ms)));
    CHECK_FALSE(w.end(n, futon::attempt_outcome::failed(errc::deadline_exceeded, before, w.cluster.now + 1ms)));
    CHECK(n.is_held(futon::hold::ejected));
    CHECK(n.held_until == until);
    w.pass(1s);
    w.rule.started(n, w.cluster.now);
    CHECK_FALSE(w.end(n, futon::attempt_outcome::failed(errc::deadline_exceeded, before, w.cluster.now + 1ms)));
    CHECK(n.is_held(futon::hold::on_trial));
}

TEST_CASE("outlier: an answer to a call made in a panic ends the ejection at once") {
    ward w{2};
    auto& n = w.cluster[0];
    w.eject(n);
    w.cluster.now += 10ms;
    CHECK(w.succeed(n));
    CHECK(n.holds == 0);
    CHECK(w.rule.ejected().empty());
}

TEST_CASE("outlier: a third may be out, and always one") {
    struct row {
        std::size_t nodes, out;
    };
    for (const auto& [count, out] : {row{1, 1}, row{2, 1}, row{3, 1}, row{5, 1}, row{6, 2}, row{9, 3}, row{100, 33}}) {
        CAPTURE(count);
        ward w{count};
        for (std::size_t i = 0; i < count; ++i)
            for (int k = 0; k < 10; ++k) w.fail(w.cluster[i]);
        CHECK(w.rule.ejected().size() == out);
    }
}

TEST_CASE("outlier: all calls that one lost connection took along are one failure") {
    ward w{10};
    auto& n = w.cluster[0];
    for (int i = 0; i < 100; ++i) CHECK_FALSE(w.fail(n, errc::connection_lost));
    for (int loss = 0; loss < 3; ++loss) {
        n.set_connected(false);
        n.set_connected(true);
        CHECK_FALSE(w.fail(n, errc::connection_lost));
    }
    n.set_connected(false);
    n.set_connected(true);
    CHECK(w.fail(n, errc::connection_lost));  // The fifth connection in a row without an answer.
}

TEST_CASE("outlier: rules that are off do nothing") {
    ward w{10, {.consecutive_failures = 0, .failure_share = 0}};
    for (int i = 0; i < 100; ++i) CHECK_FALSE(w.fail(w.cluster[0]));
    CHECK_FALSE(w.rule.next_wakeup().has_value());
}

TEST_CASE("outlier: a forgotten node is held no more") {
    ward w{10};
    auto& n = w.cluster[0];
    w.eject(n);
    w.rule.forget(n);
    CHECK(n.holds == 0);
    CHECK(w.rule.ejected().empty());
}

}  // namespace
