// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/active_pings.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>

using namespace std::chrono_literals;
using verdict = futon::active_pings::verdict;

namespace {

struct watched {
    explicit watched(futon::ping_options how, int count = 1) : pings{how} {
        for (int i = 0; i < count; ++i) {
            nodes.emplace_back(
                futon::provider{.address = futon::endpoint::parse("tcp://10.0.0.1:" + std::to_string(i + 1)).value()});
            nodes.back().slot = static_cast<std::uint32_t>(i);
            pings.add(nodes.back(), now, random);
        }
    }
    futon::node& one() { return nodes.front(); }

    futon::time_point now{100s};
    futon::dice random{7};
    std::list<futon::node> nodes;
    futon::active_pings pings;
};

TEST_CASE("active pings, rules: the first turn comes within an interval, the next one an interval after it was heard") {
    watched w{{.interval = 1s, .jitter = 0}};
    const auto first = w.pings.next_wakeup().value();
    CHECK(first >= w.now);
    CHECK(first <= w.now + 1s);
    CHECK(w.pings.next(first) == &w.one());
    CHECK(w.pings.next(first - 1ns) == nullptr);
    w.pings.heard(w.one(), first - 300ms, w.random);
    CHECK(w.pings.next_wakeup() == first + 700ms);
    CHECK(w.pings.heard_lately(first) == first - 1s);
}

TEST_CASE("active pings, rules: the interval is shortened by chance, never lengthened") {
    watched w{{.interval = 1s, .jitter = 0.5}};
    auto shortest = futon::duration::max();
    for (int i = 0; i < 200; ++i) {
        w.pings.heard(w.one(), w.now, w.random);
        const auto after = *w.pings.next_wakeup() - w.now;
        CHECK(after >= 500ms);
        CHECK(after <= 1s);
        shortest = std::min(shortest, after);
    }
    CHECK(shortest < 550ms);
}

TEST_CASE("active pings, rules: as many on the way as may be, and others wait for their turn") {
    watched w{{.interval = 1s, .timeout = 100ms, .most_in_flight = 2}, 5};
    const auto at = w.now + 1s;
    auto* const first = w.pings.next(at);
    REQUIRE(first != nullptr);
    const auto token = w.pings.sent(*first, at);
    static_cast<void>(w.pings.sent(*w.pings.next(at), at));
    CHECK(w.pings.in_flight() == 2);
    CHECK(w.pings.next(at) == nullptr);
    CHECK(w.pings.next_wakeup() == at + 100ms);
    CHECK(w.pings.answered(*first, token, at, w.random) == verdict::works);
    auto* const third = w.pings.next(at);
    CHECK(third != nullptr);
    CHECK(third != first);
}

TEST_CASE("active pings, rules: only the answer to the last ping counts, in time, and so often in a row") {
    watched w{{.interval = 1s, .jitter = 0, .timeout = 100ms, .failures = 2, .successes = 2}};
    auto at = w.now + 1s;
    auto token = w.pings.sent(w.one(), at);
    CHECK(w.pings.answered(w.one(), token + 1, at, w.random) == verdict::nothing);
    CHECK(w.pings.answered(w.one(), token, at, w.random) == verdict::nothing);
    CHECK(w.pings.answered(w.one(), token, at, w.random) == verdict::nothing);  // Once more is not twice.
    at += 1s;
    token = w.pings.sent(w.one(), at);
    CHECK(w.pings.answered(w.one(), token, at, w.random) == verdict::works);

    const auto silence = [&] {
        at += 1s;
        token = w.pings.sent(w.one(), at);
        CHECK_FALSE(w.pings.expired(at + 99ms, w.random));
        const auto over = w.pings.expired(at + 100ms, w.random);
        CHECK(over.whose == &w.one());
        CHECK(w.pings.answered(w.one(), token, at + 100ms, w.random) == verdict::nothing);
        return over.what;
    };
    CHECK(silence() == verdict::nothing);
    CHECK(silence() == verdict::silent);
    CHECK(silence() == verdict::nothing);
    w.pings.heard(w.one(), at, w.random);
    CHECK(silence() == verdict::nothing);
    // On trial one is enough.
    w.one().set(futon::hold::on_trial, true);
    w.pings.heard(w.one(), at, w.random);
    CHECK(silence() == verdict::silent);
}

TEST_CASE("active pings, rules: who slept itself waits once more, and not for ever") {
    watched w{{.interval = 1s, .timeout = 100ms}};
    const auto at = w.now + 1s;
    const auto token = w.pings.sent(w.one(), at);
    CHECK(w.pings.expired(at + 5s, w.random).what == verdict::nothing);
    CHECK_FALSE(w.pings.expired(at + 5s, w.random));
    SUBCASE("the answer is read then") {
        CHECK(w.pings.answered(w.one(), token, at + 5s + 1ms, w.random) == verdict::works);
    }
    SUBCASE("or it is silent") { CHECK(w.pings.expired(at + 9s, w.random).what == verdict::silent); }
}

TEST_CASE("active pings, rules: a node that may be tried has its turn at once, and one that is forgotten has none") {
    watched w{{.interval = 10s}, 2};
    w.pings.hurry(w.one(), w.now);
    CHECK(w.pings.next(w.now) == &w.one());
    static_cast<void>(w.pings.sent(w.one(), w.now));
    w.pings.hurry(w.one(), w.now);  // It is on the way.
    CHECK(w.pings.next(w.now) == nullptr);
    w.pings.forget(w.one());
    w.pings.forget(w.nodes.back());
    CHECK(w.pings.in_flight() == 0);
    CHECK_FALSE(w.pings.next_wakeup().has_value());
}

}  // namespace
