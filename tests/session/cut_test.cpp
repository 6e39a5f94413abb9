// SPDX-License-Identifier: Apache-2.0
#include <futon/session/any_session.hpp>

#include "support/session_host.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace std::chrono_literals;
using futon::testing::behaviour;
using futon::testing::judge;
using futon::testing::session_host;

namespace {

// Two sessions and the bytes between them, which may be cut after any count of delivered bytes.
struct wire {
    futon::time_point now{100s};
    session_host opener{futon::side::opener, now};
    session_host acceptor{futon::side::acceptor, now};
    futon::bytes to_acceptor;
    futon::bytes to_opener;
    std::size_t delivered = 0;
    std::size_t cut = static_cast<std::size_t>(-1);

    // Delivers at most `count` bytes to one side, one at a time; false if none were left or the wire is cut.
    bool deliver(session_host& from, session_host& to, futon::bytes& between, std::size_t count, std::size_t piece) {
        const auto fresh = from.written();
        between.insert(between.end(), fresh.begin(), fresh.end());
        std::size_t done = 0;
        while (done < count && !between.empty() && delivered < cut) {
            const auto size = std::min({piece, count - done, between.size(), cut - delivered});
            to.feed(futon::bytes_view{between}.first(size));
            between.erase(between.begin(), between.begin() + static_cast<std::ptrdiff_t>(size));
            done += size;
            delivered += size;
        }
        return done > 0;
    }
    void exchange(std::size_t piece) {
        for (bool moved = true; moved;) {
            moved = deliver(opener, acceptor, to_acceptor, 1u << 30, piece);
            moved = deliver(acceptor, opener, to_opener, 1u << 30, piece) || moved;
        }
    }
    void end() {
        opener.lose();
        acceptor.lose();
    }
};

// A bit of everything; returns after the last byte that the wire lets through.
void conversation(wire& on, std::size_t piece) {
    auto& a = on.opener;
    auto& b = on.acceptor;
    a.call("a1");
    a.place({.body = "a2", .what = behaviour::later, .timeout = 20ms});
    const auto withdrawn = a.call("a3");
    a.cancel(withdrawn);
    on.exchange(piece);
    b.call("b1", behaviour::later);
    const auto cancelled = a.call("a4", behaviour::later);
    a.place({.body = "a5", .headers = {{"k", "v"}}});
    on.exchange(piece);
    a.cancel(cancelled);
    a.place({.body = "a6", .oneway = true});
    on.now += 20ms;
    a.advance();
    b.advance();
    on.exchange(piece);
    a.call("a7", behaviour::error);
    a.call("a8", behaviour::later);
    on.exchange(piece);
    b.machine().begin_drain(futon::error{futon::errc::unavailable, "bye"}, on.now);
    a.call("a9");
    a.call("a10", behaviour::later);
    on.exchange(piece);
    a.answer_waiting();
    b.answer_waiting();
    a.call("a11");
    on.exchange(piece);
}

TEST_CASE("session: a conversation cut at any byte leaves each call ended once and truthfully") {
    wire whole;
    conversation(whole, 1);
    CHECK(whole.acceptor.machine().drained());
    CHECK(whole.opener.outcomes[7].ok);
    const auto length = whole.delivered;
    REQUIRE(length > 300);
    for (std::size_t cut = 0; cut <= length; ++cut) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
            wire on;
            on.cut = cut;
            conversation(on, piece);
            on.end();
            const auto wrong = judge(on.opener, on.acceptor) + judge(on.acceptor, on.opener);
            if (!wrong.empty()) FAIL_CHECK("cut after " << cut << " bytes, pieces of " << piece << ": " << wrong);
        }
    }
    MESSAGE("cut at each of " << length << " bytes");
}

TEST_CASE("session: random conversations leave each call ended once and truthfully") {
    for (std::uint32_t seed = 1; seed <= 400; ++seed) {
        std::mt19937 dice{seed};
        const auto roll = [&](std::size_t most) { return static_cast<std::size_t>(dice() % most); };
        wire on;
        int made = 0;
        const auto steps = 20 + roll(200);
        for (std::size_t step = 0; step < steps; ++step) {
            auto& one = roll(3) == 0 ? on.acceptor : on.opener;
            switch (roll(12)) {
                case 0: case 1: case 2: case 3: {
                    auto body = std::to_string(seed) + (&one == &on.opener ? "a" : "b") + std::to_string(made++);
                    if (roll(20) == 0) body += std::string(15'000 + roll(4000), 'z');
                    one.place({.body = body,
                               .what = static_cast<behaviour>(roll(5)),
                               .timeout = roll(4) == 0 ? futon::duration{std::chrono::milliseconds{
                                                             1 + static_cast<int>(roll(100))}}
                                                       : futon::duration{5s},
                               .headers = roll(5) == 0 ? futon::metadata{{"n", body.substr(0, 20)}} : futon::metadata{},
                               .oneway = roll(9) == 0,
                               .wants_times = roll(2) == 0});
                    break;
                }
                case 4:
                    if (!one.calls.empty()) one.cancel(roll(one.calls.size()));
                    break;
                case 5: case 6: on.deliver(on.opener, on.acceptor, on.to_acceptor, roll(300), 1 + roll(100)); break;
                case 7: case 8: on.deliver(on.acceptor, on.opener, on.to_opener, roll(300), 1 + roll(100)); break;
                case 9: one.answer_waiting(); break;
                case 10:
                    on.now += std::chrono::milliseconds{static_cast<int>(roll(40))};
                    on.opener.advance();
                    on.acceptor.advance();
                    break;
                default:
                    if (roll(30) == 0)
                        one.machine().begin_drain(futon::error{futon::errc::unavailable, "leaving"}, on.now);
            }
        }
        const bool heal = roll(2) == 0;
        if (heal) {
            on.exchange(1u << 20);
            on.opener.answer_waiting();
            on.acceptor.answer_waiting();
            on.exchange(1u << 20);
            CHECK(on.opener.machine().drained());
            CHECK(on.acceptor.machine().drained());
        }
        CHECK_FALSE(on.opener.has_event(futon::event::kind::broken));
        CHECK_FALSE(on.acceptor.has_event(futon::event::kind::broken));
        on.end();
        const auto wrong = judge(on.opener, on.acceptor) + judge(on.acceptor, on.opener);
        if (!wrong.empty()) FAIL_CHECK("seed " << seed << ": " << wrong);
    }
}

}  // namespace
