// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/stream_calls.hpp>

#include "support/session_host.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace std::chrono_literals;
using futon::detail::item_fate;
using futon::detail::stream_terms;
using futon::testing::behaviour;
using futon::testing::host_port;
using futon::testing::session_host;
using kind = futon::event::kind;

namespace {

// An opener and an acceptor on one connection, with a clock that moves by hand.
struct joined {
    explicit joined(const futon::limits& a = {}, const futon::limits& b = {})
        : opener{futon::side::opener, now, a}, acceptor{futon::side::acceptor, now, b} {
        exchange();
    }

    void exchange() {
        for (bool moved = true; moved;) {
            moved = carry(opener, acceptor);
            moved = carry(acceptor, opener) || moved;
        }
    }
    bool carry(session_host& from, session_host& to) const {
        const auto all = from.written();
        for (std::size_t i = 0; i < all.size(); i += chunk)
            to.feed(futon::bytes_view{all}.subspan(i, std::min(chunk, all.size() - i)));
        return !all.empty();
    }
    void pass(futon::duration time) {
        now += time;
        opener.advance();
        acceptor.advance();
        exchange();
    }
    // A call with streams that is answered later; its index.
    std::size_t stream(const stream_terms& terms, const std::string& body = "s", futon::duration accept_within = 3s) {
        const auto index =
            opener.place({.body = body, .what = behaviour::later, .timeout = accept_within, .streams = terms});
        exchange();
        return index;
    }
    host_port& near(std::size_t index) const { return *opener.ports.at(index); }
    host_port& far(std::size_t index) { return *acceptor.ports_in.at(opener.calls.at(index)->id); }

    futon::time_point now{100s};
    std::size_t chunk = 1u << 20;
    session_host opener;
    session_host acceptor;
};

futon::limits with_window(std::size_t bytes) {
    futon::limits bounds;
    bounds.stream_window = bytes;
    return bounds;
}

TEST_CASE("streams: items come in order, whatever the pieces their bytes come in, and the reply ends the call") {
    for (const std::size_t chunk : {1u, 3u, 64u, 1u << 20}) {
        CAPTURE(chunk);
        joined both;
        both.chunk = chunk;
        const auto index = both.stream({.receives = true});
        CHECK(both.near(index).acceptances == 1);
        CHECK(both.opener.outcomes[index].endings == 0);
        for (std::size_t i = 0; i < 100; ++i) CHECK(both.far(index).send(i) == item_fate::sent);
        both.acceptor.answer_waiting();
        both.exchange();
        CHECK(both.near(index).received == 100);
        CHECK(both.near(index).wrong == "");
        CHECK(both.opener.outcomes[index].body == "s");
        CHECK(both.far(index).send(1) == item_fate::gone);
        CHECK(both.opener.machine().drained());
        CHECK(both.acceptor.machine().drained());
        CHECK(both.opener.machine().stats().items_received == 100);
    }
}

TEST_CASE("streams: both directions go at once, from either side, with the same ids") {
    joined both;
    const auto there = both.stream({.sends = true, .receives = true});
    const auto back = both.acceptor.place(
        {.body = "b", .what = behaviour::later, .streams = stream_terms{.sends = true, .receives = true}});
    both.exchange();
    auto& near_back = *both.acceptor.ports[back];
    auto& far_back = *both.opener.ports_in.at(near_back.id);
    REQUIRE(near_back.id == both.near(there).id);
    for (int i = 0; i < 20; ++i)
        for (auto* each : {&both.near(there), &both.far(there), &near_back, &far_back})
            CHECK(each->send(10) == item_fate::sent);
    both.opener.machine().end_items(both.near(there).id);
    both.exchange();
    for (auto* each : {&both.near(there), &both.far(there), &near_back, &far_back}) {
        CHECK(each->received == 20);
        CHECK(each->wrong == "");
    }
    CHECK(both.far(there).ended);
    CHECK_FALSE(far_back.ended);
}

TEST_CASE("streams: the caller's items wait until the call is accepted, and go nowhere where they are not wanted") {
    joined both;
    both.acceptor.accepts = false;
    const auto index = both.stream({.sends = true});
    CHECK(both.near(index).send(1) == item_fate::no_credit);
    const auto port = futon::detail::make_intrusive<host_port>(both.acceptor.machine(), false);
    CHECK(both.acceptor.machine().accept(both.near(index).id, port, false, both.now));
    CHECK_FALSE(both.acceptor.machine().accept(both.near(index).id, port, false, both.now));
    both.exchange();
    CHECK(both.near(index).acceptances == 1);
    CHECK(both.near(index).send(1) == item_fate::no_credit);
}

TEST_CASE("streams: a sender stops when the window is used up, and goes on with credit; nothing more is ever held") {
    joined both{with_window(1000)};
    const auto index = both.stream({.receives = true});
    int sent = 0;
    while (both.far(index).send(18) == item_fate::sent) ++sent;
    CHECK(sent == 20);  // 50 each, and none beyond.
    both.exchange();
    CHECK(both.near(index).most_held == 1000);
    CHECK(both.acceptor.machine().credit(both.far(index).key()) == 0);
    both.near(index).consume(both.now);
    both.exchange();
    CHECK(both.far(index).credits == 1);
    CHECK(both.acceptor.machine().credit(both.far(index).key()) == 1000);
    CHECK(both.far(index).send(968) == item_fate::sent);
    both.exchange();
    CHECK(both.near(index).wrong == "");
}

TEST_CASE("streams: an item that is larger than the window passes, and then nothing for as long as it lies there") {
    joined both{with_window(0)};
    const auto index = both.stream({.receives = true});
    CHECK(both.far(index).send(100'000) == item_fate::sent);
    CHECK(both.far(index).send(1) == item_fate::no_credit);
    both.exchange();
    CHECK(both.near(index).received == 1);
    both.near(index).consume(both.now);
    both.exchange();
    CHECK(both.acceptor.machine().credit(both.far(index).key()) == 1);
}

TEST_CASE("streams: items wait while much waits to be written, and are asked for when it has left") {
    futon::limits bounds;
    bounds.stream_window = 1u << 20;
    futon::limits careful = bounds;
    careful.write_pause_bytes = 1000;
    joined both{bounds, careful};
    const auto index = both.stream({.receives = true});
    CHECK(both.far(index).send(2000) == item_fate::sent);
    CHECK(both.far(index).send(1) == item_fate::no_room);
    CHECK(both.acceptor.machine().credit(both.far(index).key()) == 0);
    CHECK_FALSE(both.acceptor.machine().has_room_for_items());
    both.exchange();
    CHECK(both.acceptor.machine().has_room_for_items());
    CHECK(both.far(index).send(1) == item_fate::sent);
}

TEST_CASE("streams: a call waits for the peer's limits, and is refused past them beside any number of plain calls") {
    futon::limits few;
    few.max_streams = 2;
    few.max_in_flight = 1;
    joined both{{}, few};
    const auto plain = both.opener.call("plain", behaviour::later);
    both.stream({.receives = true}, "one");
    const auto second = both.stream({.receives = true}, "two");
    CHECK(both.opener.outcomes[second].endings == 0);
    const auto third = both.stream({.receives = true}, "three");
    CHECK(both.opener.outcomes[third].why == futon::errc::overloaded);
    CHECK(both.opener.outcomes[third].why.ran() == futon::executed::no);
    CHECK(both.opener.cancel(second));
    both.exchange();
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.opener.outcomes[plain].ok);
    CHECK(both.opener.outcomes[both.stream({.receives = true}, "four")].endings == 0);

    futon::time_point now{1s};
    session_host early{futon::side::opener, now, {}};
    futon::invocation request;
    request.method = &futon::testing::method_of(behaviour::later);
    CHECK(early.machine().may_start(request));
    request.has_streams = true;
    CHECK_FALSE(early.machine().may_start(request));
}

TEST_CASE("streams: a side that takes none says so, and the connection stays") {
    futon::limits none;
    none.max_streams = 0;
    joined both{{}, none};
    const auto refused = both.stream({.receives = true}, "refused");
    CHECK(both.opener.outcomes[refused].why == futon::errc::overloaded);
    const auto plain = both.opener.call("plain");
    both.exchange();
    CHECK(both.opener.outcomes[plain].ok);
}

TEST_CASE("streams: the request's deadline is that of its acceptance, the overall one is its own") {
    joined both;
    both.acceptor.accepts = false;
    const auto late = both.stream({.receives = true}, "late", 50ms);
    CHECK(both.acceptor.deadlines_received.back() == futon::no_deadline);
    both.pass(49ms);
    CHECK(both.opener.outcomes[late].endings == 0);
    both.pass(1ms);
    CHECK(both.opener.outcomes[late].why == futon::errc::deadline_exceeded);
    CHECK(both.opener.outcomes[late].why.message() == "the call was not accepted in time");
    CHECK(both.acceptor.cancelled.size() == 1);

    both.acceptor.accepts = true;
    const auto endless = both.stream({.receives = true}, "endless", 50ms);
    const auto bounded = both.stream({.receives = true, .deadline = both.now + 3600s}, "bounded", 50ms);
    CHECK(both.acceptor.deadlines_received.back() == both.now + 3600s);
    for (int i = 0; i < 36; ++i) both.pass(10s);
    CHECK(both.opener.outcomes[bounded].endings == 0);
    for (int i = 36; i < 360; ++i) both.pass(10s);
    CHECK(both.opener.outcomes[bounded].why == futon::errc::deadline_exceeded);
    CHECK(both.opener.outcomes[endless].endings == 0);
}

TEST_CASE("streams: an idle timeout counts the silence of a peer that could send, not our own slowness") {
    joined both{with_window(100)};
    const auto index = both.stream({.receives = true, .idle_timeout = 10s});
    for (int i = 0; i < 5; ++i) {
        both.pass(9s);
        CHECK(both.far(index).send(1) == item_fate::sent);
        both.exchange();
        both.near(index).consume(both.now);
        both.exchange();
    }
    CHECK(both.far(index).send(200) == item_fate::sent);
    both.exchange();
    both.pass(8s);
    both.pass(8s);
    both.pass(8s);
    CHECK(both.opener.outcomes[index].endings == 0);
    both.near(index).consume(both.now);
    both.pass(9s);
    CHECK(both.opener.outcomes[index].endings == 0);
    both.pass(1s);
    CHECK(both.opener.outcomes[index].why == futon::errc::deadline_exceeded);
    CHECK(both.opener.outcomes[index].why.message() == "nothing came within the idle_timeout");
}

TEST_CASE("streams: a cancelled call's late items are counted and dropped, on both sides") {
    joined both;
    const auto index = both.stream({.sends = true, .receives = true});
    auto& far = both.far(index);
    CHECK(both.near(index).send(10) == item_fate::sent);
    CHECK(far.send(10) == item_fate::sent);
    CHECK(both.opener.cancel(index));
    CHECK(both.near(index).send(10) == item_fate::gone);
    both.exchange();
    CHECK(both.opener.machine().stats().late_items == 1);
    CHECK(both.near(index).received == 0);
    CHECK(far.received == 1);  // It left before the cancel.
    CHECK(far.send(10) == item_fate::gone);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.acceptor.machine().drained());

    const auto answered = both.stream({.sends = true}, "answered");
    both.acceptor.answer_waiting();
    CHECK(both.near(answered).send(10) == item_fate::sent);
    both.exchange();
    CHECK(both.acceptor.machine().stats().late_items == 1);
    CHECK(both.opener.outcomes[answered].ok);
}

TEST_CASE(
    "streams: a stream in place of a goodbye goes on, one behind it fails unexecuted, and losing the connection ends each once") {
    joined both;
    const auto first = both.stream({.receives = true}, "first");
    both.acceptor.machine().begin_drain(futon::error{futon::errc::unavailable, "leaving"}, both.now);
    const auto crossed =
        both.opener.place({.body = "crossed", .what = behaviour::later, .streams = stream_terms{.receives = true}});
    both.exchange();
    CHECK(both.opener.outcomes[crossed].why == futon::errc::unavailable);
    CHECK(both.opener.outcomes[crossed].why.ran() == futon::executed::no);
    CHECK(both.far(first).send(3) == item_fate::sent);
    both.exchange();
    CHECK(both.near(first).received == 1);
    CHECK_FALSE(both.acceptor.machine().drained());
    auto& far = both.far(first);
    both.opener.lose();
    both.acceptor.lose();
    CHECK(both.opener.outcomes[first].endings == 1);
    CHECK(both.acceptor.cancelled.size() == 1);
    CHECK(far.send(3) == item_fate::gone);
    CHECK(both.near(first).send(3) == item_fate::gone);
}

TEST_CASE("streams: items of one batch reach their stream though the call ended behind them") {
    joined both;
    const auto index = both.stream({.receives = true});
    for (int i = 0; i < 1000; ++i) CHECK(both.far(index).send(1) == item_fate::sent);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.near(index).received == 1000);
    CHECK(both.opener.outcomes[index].ok);
}

TEST_CASE(
    "streams: where many are open a new one gets a smaller window, never none, and what one held goes to the next") {
    auto bounds = with_window(4096);
    bounds.max_stream_bytes = 6000;
    joined both{{}, bounds};
    // With 68 bytes an item counts 100.
    const auto filled = [&](std::size_t index) {
        int count = 0;
        while (both.near(index).send(68) == item_fate::sent) ++count;
        both.exchange();
        return count;
    };
    std::vector<std::size_t> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(both.stream({.receives = true}));
    CHECK(filled(calls[0]) == 41);
    CHECK(filled(calls[1]) == 20);  // 6000 - 4096
    CHECK(filled(calls[2]) == 11);  // at least 1024
    CHECK(filled(calls[3]) == 11);
    CHECK(both.opener.cancel(calls[0]));
    both.exchange();
    CHECK(filled(both.stream({.receives = true})) == 21);  // 6000 - 1904 - 2 * 1024
    // A small window is granted again as it is consumed.
    both.far(calls[3]).consume(both.now);
    both.exchange();
    CHECK(filled(calls[3]) > 0);
}

TEST_CASE("streams: ten thousand at once on one connection, each with its own credit") {
    joined both{with_window(200)};
    std::vector<std::size_t> all;
    for (int i = 0; i < 10'000; ++i)
        all.push_back(both.opener.place({.body = std::to_string(i),
                                         .what = behaviour::later,
                                         .streams = stream_terms{.sends = true, .receives = true}}));
    both.exchange();
    for (int round = 0; round < 3; ++round) {
        for (const auto index : all) {
            CHECK(both.far(index).send(20) == item_fate::sent);
            CHECK(both.near(index).send(20) == item_fate::sent);
        }
        both.exchange();
    }
    both.acceptor.answer_waiting();
    both.exchange();
    std::size_t good = 0;
    for (const auto index : all)
        good += both.opener.outcomes[index].ok && both.near(index).received == 3 && both.near(index).wrong.empty();
    CHECK(good == 10'000);
    CHECK(both.opener.machine().drained());
}

TEST_CASE("streams: a call without streams goes on when its peer says that it was accepted") {
    joined both;
    const auto plain = both.opener.call("plain", behaviour::later);
    both.exchange();
    // accepted, for its id, with a window of 5
    futon::byte_buffer words;
    futon::futon_protocol::write_accepted(words, both.opener.calls.at(plain)->id, 5);
    both.opener.feed(words.view());
    CHECK_FALSE(both.opener.has_event(kind::broken));
    CHECK(both.opener.outcomes[plain].endings == 0);
    both.pass(3s);
    CHECK(both.opener.outcomes[plain].why == futon::errc::deadline_exceeded);
}

}  // namespace
