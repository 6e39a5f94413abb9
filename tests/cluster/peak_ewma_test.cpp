// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/peak_ewma.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using futon::errc;

namespace {

struct timed {
    explicit timed(std::size_t count, futon::peak_ewma_options options = {}) : cluster{count}, policy{options} {
        policy.rebuild(cluster.set);
    }
    void call(std::size_t i, futon::duration latency) {
        futon::begin_attempt(policy, cluster[i], cluster.now);
        futon::end_attempt(policy, cluster[i], futon::attempt_outcome::success(cluster.now, cluster.now + latency));
    }
    void fail(std::size_t i, futon::duration latency, errc code, futon::duration timeout = {}) {
        futon::begin_attempt(policy, cluster[i], cluster.now);
        futon::end_attempt(policy, cluster[i],
                           futon::attempt_outcome::failed(code, cluster.now, cluster.now + latency, timeout));
    }
    futon::node* pick() {
        auto call = cluster.call();
        return policy.pick(cluster.set, call);
    }
    tests::nodes cluster;
    futon::peak_ewma policy;
};

TEST_CASE("peak_ewma: the quicker of two, until its queue makes up for it") {
    timed two{2};
    two.call(0, 10ms);
    two.call(1, 45ms);
    two.cluster.now += 45ms;
    for (int queued = 0; queued < 3; ++queued) {
        CHECK(two.pick() == &two.cluster[0]);
        ++two.cluster[0].in_flight;
    }
    ++two.cluster[0].in_flight;  // 5 * 10 ms against 1 * 45 ms.
    CHECK(two.pick() == &two.cluster[1]);
}

TEST_CASE("peak_ewma: follows a slower call at once, and quicker ones as they come") {
    timed one{1};
    for (int i = 0; i < 100; ++i) {
        one.call(0, 10ms);
        one.cluster.now += 20ms;
    }
    CHECK(one.cluster[0].latency == doctest::Approx(0.010).epsilon(0.01));
    one.call(0, 200ms);
    CHECK(one.cluster[0].latency == doctest::Approx(0.200));
    one.cluster.now += 200ms;
    for (int i = 0; i < 50; ++i) {
        one.call(0, 10ms);
        one.cluster.now += 20ms;
    }
    CHECK(one.cluster[0].latency < 0.09f);  // A second later, of a memory of one second.
    CHECK(one.cluster[0].latency > 0.06f);
}

TEST_CASE("peak_ewma: remembers a node that is seldom called for longer") {
    for (const auto& [gap, least, most] : {std::tuple{20ms, 0.30, 0.45}, std::tuple{2000ms, 0.85, 0.95}}) {
        timed one{1};
        for (int i = 0; i < 20; ++i) {
            one.call(0, 100ms);
            one.cluster.now += gap;
        }
        const auto before = one.cluster[0].latency_at;
        const auto faded = futon::detail::latency_now(one.cluster[0], before + 1s, {}) / one.cluster[0].latency;
        CHECK(faded > least);
        CHECK(faded < most);
    }
}

TEST_CASE("peak_ewma: a failure is charged with the timeout, and twice what the node took; not above the ceiling") {
    timed one{1};
    one.call(0, 10ms);
    one.cluster.now += 10ms;
    one.fail(0, 1ms, errc::unavailable, 500ms);
    CHECK(one.cluster[0].latency == doctest::Approx(0.5));
    one.cluster.now += 1ms;
    one.fail(0, 1ms, errc::connection_lost);
    CHECK(one.cluster[0].latency == doctest::Approx(1.0).epsilon(0.01));
    for (int i = 0; i < 10; ++i) one.fail(0, 1ms, errc::overloaded);
    CHECK(one.cluster[0].latency == doctest::Approx(30));
    CHECK(one.cluster[0].success_rate < 0.5f);
}

TEST_CASE("peak_ewma: what was given up counts only if it took long") {
    timed one{1};
    one.call(0, 100ms);
    one.cluster.now += 100ms;
    one.call(0, 100ms);
    one.fail(0, 10ms, errc::cancelled, 5s);
    CHECK(one.cluster[0].samples == 2);
    one.fail(0, 700ms, errc::cancelled, 5s);
    CHECK(one.cluster[0].latency == doctest::Approx(0.7));
    CHECK(one.cluster[0].success_rate == 1);
}

TEST_CASE("peak_ewma: a node that fails at once gets next to no calls, and is tried again when that has faded") {
    timed ten{10};
    std::size_t to_bad = 0;
    const auto run = [&](int calls) {
        to_bad = 0;
        for (int i = 0; i < calls; ++i) {
            auto* const n = ten.pick();
            const bool bad = n == &ten.cluster[3];
            to_bad += bad;
            if (bad) {
                ten.fail(n->slot, 100us, errc::unavailable, 1s);
            } else {
                ten.call(n->slot, 5ms);
            }
            ten.cluster.now += 1ms;
        }
    };
    run(5000);
    CHECK(to_bad >= 1);
    CHECK(to_bad < 25);  // A fair share were 500.
}

TEST_CASE("peak_ewma: an error that was answered at once is no sign of quickness") {
    timed two{2};
    for (int i = 0; i < 100; ++i)
        for (std::size_t n : {0u, 1u}) two.call(n, 10ms);
    SUBCASE("of a handler: it counts against the node, if others do not err") {
        for (int i = 0; i < 50; ++i) two.fail(0, 100us, errc::remote_error, 5s);
        CHECK(two.cluster[0].success_rate < 0.25f);
    }
    SUBCASE("of the caller's request: it does not") {
        for (int i = 0; i < 50; ++i) two.fail(0, 100us, errc::bad_arguments, 5s);
        CHECK(two.cluster[0].success_rate == 1);
    }
    // What is typical, not the timeout.
    CHECK(two.cluster[0].latency == doctest::Approx(0.01).epsilon(0.05));
}

TEST_CASE(
    "peak_ewma: a node whose handlers fail at once gets far less than its fair share, also where it never did anything else") {
    for (const auto code : {errc::remote_error, errc::internal, errc::broken_promise}) {
        for (const bool from_start : {false, true}) {
            CAPTURE(from_start);
            timed three{3};
            std::size_t to_bad = 0;
            for (int i = 0; i < 3000; ++i) {
                if (i == 1000) to_bad = 0;
                auto* const n = three.pick();
                const bool bad = n == &three.cluster[1] && (from_start || i >= 1000);
                to_bad += bad;
                bad ? three.fail(n->slot, 100us, code, 1s) : three.call(n->slot, 5ms);
                three.cluster.now += 2ms;
            }
            // A fair share were 667. It looks like the quickest, and nothing is ever in flight there.
            CHECK(to_bad < 200);
        }
    }
}

TEST_CASE("peak_ewma: when what all nodes need is back they all get calls again, not only those that are tried first") {
    for (const std::size_t count : {2u, 3u, 10u}) {
        CAPTURE(count);
        timed some{count};
        const auto round = [&](bool works) {
            // As many calls at once as there are nodes.
            std::vector<std::size_t> calls(count);
            for (std::size_t i = 0; i < count; ++i) {
                auto* const n = some.pick();
                ++n->in_flight;
                ++calls[n->slot];
            }
            for (std::size_t i = 0; i < count; ++i) {
                for (; calls[i] > 0; --calls[i]) {
                    works ? some.call(i, 5ms) : some.fail(i, 5ms, errc::remote_error, 1s);
                    --some.cluster[i].in_flight;
                }
            }
            some.cluster.now += 5ms;
        };
        for (int i = 0; i < 500; ++i) round(i < 100);
        for (std::size_t i = 0; i < count; ++i) CHECK(some.cluster[i].success_rate > 0.3f);
        for (int i = 0; i < 50; ++i) round(true);
        for (std::size_t i = 0; i < count; ++i) CHECK(some.cluster[i].success_rate > 0.9f);
    }
}

TEST_CASE("peak_ewma: where all nodes err alike their latencies count as ever, and a slow one is avoided") {
    for (const double errs : {0.3, 1.0}) {
        CAPTURE(errs);
        timed ten{10};
        std::size_t to_slow = 0;
        for (int i = 0; i < 5000; ++i) {
            if (i == 1000) to_slow = 0;
            auto* const n = ten.pick();
            const bool slow = n == &ten.cluster[4];
            to_slow += slow;
            const auto takes = slow ? 50ms : 5ms;
            ten.cluster.random.fraction() < errs ? ten.fail(n->slot, takes, errc::remote_error, 1s)
                                                 : ten.call(n->slot, takes);
            ten.cluster.now += 1ms;
        }
        CHECK(to_slow < 60);  // A fair share were 400.
    }
}

TEST_CASE("peak_ewma: an answer after a long silence does not bring back what had faded") {
    timed one{1};
    for (int i = 0; i < 100; ++i) {
        one.call(0, 10ms);
        one.cluster.now += 10ms;
    }
    one.fail(0, 400ms, errc::deadline_exceeded, 2500ms);
    one.cluster.now += 6s;
    const auto faded = futon::detail::latency_now(one.cluster[0], one.cluster.now, {});
    CHECK(faded < 0.01f);
    one.call(0, 10ms);
    CHECK(one.cluster[0].latency <= faded + 0.01f);
}

TEST_CASE("peak_ewma: unknown nodes count as the median, with one call until they have answered") {
    timed ten{10};
    for (std::size_t i = 0; i < 9; ++i)
        for (int k = 0; k < 20; ++k) ten.call(i, 10ms);
    ten.cluster.now += 10ms;
    // Unknown and idle: like the others.
    const auto first = tests::count_picks(ten.policy, ten.cluster, 10'000);
    CHECK(first[9] > 300);
    CHECK(first[9] < 2500);
    // Unknown and busy: no more.
    ten.cluster[9].in_flight = 1;
    CHECK(tests::count_picks(ten.policy, ten.cluster, 10'000)[9] == 0);
    // Unless there is nothing else.
    for (std::size_t i = 0; i < 9; ++i) ten.cluster[i].set(futon::hold::draining, true);
    CHECK(ten.pick() == &ten.cluster[9]);
}

TEST_CASE("peak_ewma: where nothing is known it goes by calls in flight") {
    timed five{5};
    five.policy = futon::peak_ewma{{.choices = 5}};
    five.policy.rebuild(five.cluster.set);
    for (std::size_t i = 0; i < 5; ++i) five.cluster[i].in_flight = 2;
    five.cluster[2].in_flight = 1;
    CHECK(five.pick() == &five.cluster[2]);
}

TEST_CASE("peak_ewma: a reconnected node starts anew") {
    timed two{2};
    two.call(0, 10ms);
    two.call(1, 2s);
    two.cluster[1].set_connected(false);
    two.cluster[1].set_connected(true);
    CHECK(two.cluster[1].samples == 0);
    two.call(1, 10ms);
    CHECK(two.cluster[1].latency == doctest::Approx(0.01));
}

TEST_CASE("peak_ewma: spans of zero and absurd choices are borne") {
    timed some{5, {.choices = -3, .shortest_memory = 0s, .longest_memory = 0s, .failure_ceiling = 0s}};
    for (int i = 0; i < 100; ++i) {
        auto* const n = some.pick();
        REQUIRE(n != nullptr);
        some.fail(n->slot, 1ms, errc::unavailable, 1s);
        CHECK(n->latency == doctest::Approx(0.001));
        some.cluster.now += 1ms;
    }
}

}  // namespace
