// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/recovery_trials.hpp>

#include "support/nodes.hpp"

#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/local_preference.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/cluster/prequal.hpp>
#include <futon/cluster/sticky.hpp>
#include <futon/cluster/zone_aware.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

using namespace std::chrono_literals;
using futon::errc;
using futon::executed;

namespace {

// Four nodes of which some fail, and calls that may be repeated if they were not executed.
struct avoided {
    explicit avoided(futon::trial_options options = {}) : rule{options} {}

    void end(std::size_t i, futon::attempt_outcome how) {
        cluster.now = how.now;
        rule.ended(cluster[i], how, cluster.random);
    }
    void fail(std::size_t i, errc code = errc::overloaded, executed ran = executed::no, futon::duration took = 1ms) {
        auto how = futon::attempt_outcome::failed(code, cluster.now, cluster.now + took, 1s);
        how.ran = ran;
        end(i, how);
    }
    void answer(std::size_t i) { end(i, futon::attempt_outcome::success(cluster.now, cluster.now + 1ms)); }
    // What a call is told; it goes there.
    futon::node* next(executed repeated_up_to = executed::no) {
        if (!rule.are_due(cluster.now)) return nullptr;
        auto* const to =
            rule.next(cluster.set, cluster.now, [&](executed ran) { return ran <= repeated_up_to; });
        if (to != nullptr) rule.begun(*to, cluster.now);
        return to;
    }
    // How long until there is one, in steps of 10 ms.
    futon::duration wait() {
        const auto since = cluster.now;
        while (cluster.now < since + 100s) {
            if (next() != nullptr) break;
            cluster.now += 10ms;
        }
        return cluster.now - since;
    }
    tests::nodes cluster{4};
    futon::recovery_trials rule;
};

TEST_CASE("recovery_trials: a node that failed at once is tried after one second, two, four, and each four") {
    avoided four;
    CHECK(four.wait() == 100s);
    four.fail(2);
    for (const auto pause : {1s, 2s, 4s, 4s, 4s}) {
        CAPTURE(pause.count());
        const auto waited = four.wait();
        CHECK(waited >= 0.8 * pause);
        CHECK(waited <= 1.2 * pause + 10ms);
        CHECK(four.next() == nullptr);  // One call, no more.
        four.fail(2);
    }
}

TEST_CASE("recovery_trials: answers in a row make it like one that is new") {
    avoided four;
    auto& n = four.cluster[1];
    four.fail(1);
    n.samples = 7;
    n.latency = 20;
    n.success_rate = 0.3f;
    for (int i = 0; i < 3; ++i) {
        CHECK(n.samples == 7);
        CHECK(four.wait() <= (i == 0 ? 1210ms : 0ms));
        four.answer(1);
    }
    CHECK(n.samples == 0);
    CHECK(n.latency == 0);
    CHECK(n.success_rate == 1);
    CHECK(four.wait() == 100s);
}

TEST_CASE("recovery_trials: what is answered now and then is tried ever more seldom") {
    avoided four{{.answers = 1}};
    four.fail(0);
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        CAPTURE(pause.count());
        const auto waited = four.wait();
        CHECK(waited >= 0.8 * pause);
        CHECK(waited <= 1.2 * pause + 10ms);
        four.answer(0);
        CHECK(four.cluster[0].success_rate == 1);
        four.cluster.now += 5s;
        four.fail(0);
    }
    four.wait();
    four.answer(0);
    four.cluster.now += 2min;
    four.fail(0);
    CHECK(four.wait() <= 1210ms);
}

TEST_CASE("recovery_trials: only calls that would be repeated are trials") {
    avoided four;
    four.fail(0, errc::unavailable, executed::maybe);
    four.cluster.now += 2s;
    CHECK(four.next(executed::no) == nullptr);
    CHECK(four.next(executed::maybe) == &four.cluster[0]);
    // What surely does not run there any call may try that has another attempt.
    four.fail(0, errc::unavailable, executed::no);
    four.cluster.now += 3s;
    CHECK(four.rule.next(four.cluster.set, four.cluster.now, [](executed) { return false; }) == nullptr);
    CHECK(four.next(executed::no) == &four.cluster[0]);
}

TEST_CASE("recovery_trials: what hangs, or fails so that no other attempt mends it, is not tried") {
    avoided four;
    four.fail(0, errc::deadline_exceeded, executed::maybe, 1s);
    four.fail(1, errc::unavailable, executed::no, 200ms);
    four.fail(2, errc::protocol_error);
    CHECK(four.wait() == 100s);
    // Nor what has calls wait for their next attempt.
    four.fail(3);
    auto asks_to_wait = futon::attempt_outcome::failed(errc::overloaded, four.cluster.now, four.cluster.now + 1ms, 1s);
    asks_to_wait.retry_after = 200ms;
    four.end(3, asks_to_wait);
    CHECK(four.wait() == 100s);
}

TEST_CASE("recovery_trials: a trial that shows nothing is followed by another one") {
    avoided four;
    four.fail(0);
    four.wait();
    four.end(0, futon::attempt_outcome::failed(errc::cancelled, four.cluster.now, four.cluster.now + 1ms));
    CHECK(four.next() == &four.cluster[0]);
    // Handlers that fail are for the policy to judge: it is there, and not forgiven.
    four.cluster[0].success_rate = 0.5f;
    for (int i = 0; i < 5; ++i) {
        four.end(0, futon::attempt_outcome::failed(errc::remote_error, four.cluster.now, four.cluster.now + 1ms));
        four.wait();
    }
    CHECK(four.cluster[0].success_rate == 0.5f);
}

TEST_CASE("recovery_trials: several calls that fail together are one failure") {
    avoided four;
    const auto began = four.cluster.now;
    for (int i = 0; i < 20; ++i) {
        four.cluster.now = began;
        four.fail(0, errc::overloaded, executed::no, 1ms * i);
    }
    CHECK(four.wait() <= 1210ms);
}

TEST_CASE("recovery_trials: none go to what is not usable, is not of the set, or was connected anew, nor in a panic") {
    avoided four;
    four.fail(0);
    four.fail(1);
    four.fail(2);
    four.cluster[0].set(futon::hold::draining, true);
    const futon::node_set other{{&four.cluster[3]}};
    four.rule.forget(four.cluster[2]);
    four.cluster.now += 2s;
    CHECK(four.rule.next(other, four.cluster.now, [](executed) { return true; }) == nullptr);
    four.cluster.set.set_panic(true);
    four.cluster.now += 1s;
    CHECK(four.next() == nullptr);
    four.cluster.set.set_panic(false);
    four.cluster.now += 1s;
    CHECK(four.next() == &four.cluster[1]);
    CHECK(four.next() == nullptr);
}

TEST_CASE("recovery_trials: with an interval of zero there are none") {
    avoided four{{.interval = 0s}};
    four.fail(0);
    CHECK(four.wait() == 100s);
}

TEST_CASE("cluster_health: a node that is avoided and fails its trials is not ejected for them") {
    tests::nodes four{4};
    futon::cluster_health health;
    const auto fail = [&] {
        health.started(four[0], four.now);
        auto how = futon::attempt_outcome::failed(errc::overloaded, four.now, four.now + 1ms, 1s);
        how.ran = executed::no;
        static_cast<void>(health.ended(four[0], how, 4));
        four.now += 10s;
    };
    fail();
    for (int i = 0; i < 10; ++i) {
        REQUIRE(health.trials().are_due(four.now));
        auto* const to = health.trials().next(four.set, four.now, [](executed) { return true; });
        REQUIRE(to == &four[0]);
        health.trials().begun(*to, four.now);
        fail();
    }
    CHECK_FALSE(four[0].is_held(futon::hold::ejected));
    for (int i = 0; i < 4; ++i) fail();
    CHECK(four[0].is_held(futon::hold::ejected));
    // When that is over it is the next call's turn that can go elsewhere.
    four.now += 1s;
    CHECK(health.advance({four.set.begin(), four.set.end()}, four.now).holds);
    CHECK(health.trials().next(four.set, four.now, [](executed) { return true; }) == &four[0]);
}

TEST_CASE("recovery_trials: policies that avoid nodes take the one that is to be tried, and sticky does not") {
    tests::nodes eight{8};
    auto& to_try = eight[5];
    to_try.samples = 1;
    to_try.latency = 30;
    to_try.latency_at = eight.now;
    to_try.success_rate = 0.1f;
    const auto takes = [&](auto policy) {
        policy.rebuild(eight.set);
        auto call = eight.call();
        call.trial = &to_try;
        return policy.pick(eight.set, call) == &to_try;
    };
    CHECK(takes(futon::peak_ewma{}));
    CHECK(takes(futon::least_request{}));
    CHECK(takes(futon::prequal{}));
    CHECK(takes(futon::local_preference<futon::peak_ewma>{{.hosts = {to_try.told.address.host}}}));
    CHECK(takes(futon::local_preference<futon::peak_ewma>{{.hosts = {eight[0].told.address.host}}}));
    for (std::size_t i = 0; i < 8; ++i) eight[i].told.zone = i < 6 ? "here" : "there";
    CHECK(takes(futon::zone_aware<futon::peak_ewma>{{.zone = "here"}}));
    CHECK_FALSE(takes(futon::zone_aware<futon::peak_ewma>{{.zone = "there"}}));
    CHECK_FALSE(takes(futon::sticky<futon::peak_ewma>{}));
}

}  // namespace
