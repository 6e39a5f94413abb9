// SPDX-License-Identifier: Apache-2.0
#include <futon/session/any_session.hpp>

#include "support/session_host.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using futon::testing::behaviour;
using futon::testing::session_host;
using kind = futon::event::kind;

namespace {

// Two connected sessions, after their prefaces.
struct quiet {
    explicit quiet(const futon::limits& bounds = {})
        : opener{futon::side::opener, now, bounds}, acceptor{futon::side::acceptor, now, bounds} {
        exchange();
    }
    void exchange() {
        for (int i = 0; i < 4; ++i) {
            acceptor.feed(opener.written());
            opener.feed(acceptor.written());
        }
    }
    futon::time_point now{100s};
    session_host opener;
    session_host acceptor;
};

TEST_CASE("session: silence brings a ping, and any byte is an answer") {
    quiet both;
    CHECK(both.opener.machine().next_wakeup() == both.now + 15s);
    both.now += 15s;
    both.opener.advance();
    CHECK(both.opener.machine().stats().pings_sent == 1);
    both.exchange();
    CHECK(both.opener.machine().next_wakeup() == both.now + 15s);
    for (int i = 0; i < 4; ++i) {
        both.now += 15s;
        both.opener.advance();
        both.acceptor.advance();
        both.exchange();
    }
    CHECK_FALSE(both.opener.has_event(kind::broken));
    CHECK_FALSE(both.acceptor.has_event(kind::broken));
}

TEST_CASE("session: a peer that answers no ping is dead five seconds later") {
    quiet both;
    both.opener.call("hangs", behaviour::later);
    both.now += 3s;
    both.opener.advance();  // The call's own deadline.
    both.now += 12s;
    both.opener.advance();
    CHECK(both.opener.machine().next_wakeup() == both.now + 5s);
    both.now += 5s - 1ns;
    both.opener.advance();
    CHECK_FALSE(both.opener.has_event(kind::broken));
    both.now += 1ns;
    both.opener.advance();
    CHECK(both.opener.has_event(kind::broken));
    CHECK(*both.opener.last_why == futon::errc::connection_lost);
}

TEST_CASE("session: a side that slept past the time of an answer gives the peer its time once more, and only once") {
    quiet both;
    both.now += 15s;
    both.opener.advance();
    both.now += 30s;
    both.opener.advance();
    CHECK_FALSE(both.opener.has_event(kind::broken));
    CHECK(both.opener.machine().next_wakeup() == both.now + 5s);
    both.now += 30s;
    both.opener.advance();
    CHECK(both.opener.has_event(kind::broken));
}

TEST_CASE("session: an acceptor without calls says goodbye after 90 seconds, whatever the pings") {
    quiet both;
    both.now += 50s;
    const auto used = both.opener.call("used");
    both.exchange();
    CHECK(both.opener.outcomes[used].ok);
    const auto last_use = both.now;
    while (!both.acceptor.machine().is_draining() && both.now < last_use + 200s) {
        both.now += 1s;
        both.opener.advance();
        both.acceptor.advance();
        both.exchange();
    }
    CHECK(both.now == last_use + 90s);
    CHECK(both.acceptor.has_event(kind::draining));
    CHECK(both.opener.has_event(kind::goodbye));
    CHECK(both.acceptor.machine().drained());
    CHECK(both.opener.machine().stats().pings_sent > 3);
}

TEST_CASE("session: a call that runs keeps the connection, and the idle time begins with its answer") {
    quiet both;
    both.opener.place({.body = "long", .what = behaviour::later, .timeout = futon::duration::max()});
    both.exchange();
    for (int i = 0; i < 200; ++i) {
        both.now += 1s;
        both.opener.advance();
        both.acceptor.advance();
        both.exchange();
    }
    CHECK_FALSE(both.acceptor.machine().is_draining());
    both.acceptor.answer_waiting();
    both.exchange();
    both.now += 89s;
    both.acceptor.feed({});
    CHECK_FALSE(both.acceptor.machine().is_draining());
}

TEST_CASE("session: times of zero turn the checks off") {
    futon::limits lax;
    lax.first_header_time = lax.heartbeat_after = lax.heartbeat_timeout = lax.idle_close = lax.write_stall_time = 0s;
    futon::time_point now{100s};
    session_host silent{futon::side::acceptor, now, lax};
    CHECK_FALSE(silent.machine().next_wakeup());
    now += 24h;
    silent.advance();
    CHECK(silent.seen.empty());
}

TEST_CASE("session: two sides that answer each other at length do not stop each other for ever") {
    quiet both;
    for (int i = 0; i < 30; ++i) {
        both.opener.call("a" + std::to_string(i) + std::string(60'000, 'a'), behaviour::segment);
        both.acceptor.call("b" + std::to_string(i) + std::string(60'000, 'b'), behaviour::segment);
    }
    // Neither socket takes answers while the other side's requests come in.
    const auto there = both.opener.written();
    const auto back = both.acceptor.written();
    both.acceptor.feed(there);
    both.opener.feed(back);
    CHECK(both.acceptor.machine().unsent() > (1u << 20));
    CHECK(both.acceptor.machine().reading_allowed());
    CHECK(both.opener.machine().reading_allowed());
    both.exchange();
    CHECK(both.opener.machine().drained());
    CHECK(both.acceptor.machine().drained());
}

TEST_CASE("session: its own requests do not stop a side from reading") {
    quiet both;
    for (int i = 0; i < 4; ++i) both.opener.call(std::string(5'000'000, 'r'), behaviour::later);
    CHECK(both.opener.machine().unsent() > 16'000'000);
    CHECK(both.opener.machine().reading_allowed());
    static_cast<void>(both.opener.machine().to_send());
    both.opener.advance();
    both.now += 10s;
    both.opener.advance();
    CHECK(both.opener.has_event(kind::broken));
    CHECK(both.opener.last_why->message() == "the peer does not read");
}

}  // namespace
