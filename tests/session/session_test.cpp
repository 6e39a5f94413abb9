// SPDX-License-Identifier: Apache-2.0
#include <futon/session/session.hpp>

#include "support/session_host.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using futon::testing::behaviour;
using futon::testing::session_host;
using kind = futon::event::kind;

namespace {

// An opener and an acceptor on one connection, with a clock that moves by hand.
struct joined {
    explicit joined(const futon::limits& a = {}, const futon::limits& b = {})
        : opener{futon::side::opener, now, a}, acceptor{futon::side::acceptor, now, b} {}

    // Carries bytes both ways until nothing moves.
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
    }

    futon::time_point now{100s};
    std::size_t chunk = 1u << 20;
    session_host opener;
    session_host acceptor;
};

TEST_CASE("session: a call is answered, whatever the pieces its bytes come in") {
    for (const std::size_t chunk : {1u, 2u, 3u, 7u, 64u, 1u << 20}) {
        CAPTURE(chunk);
        joined both;
        both.chunk = chunk;
        const auto first = both.opener.call("one");
        const auto second = both.opener.call("two", behaviour::error);
        both.exchange();
        CHECK(both.opener.outcomes[first].ok);
        CHECK(both.opener.outcomes[first].body == "one");
        CHECK_FALSE(both.opener.outcomes[second].ok);
        CHECK(both.opener.outcomes[second].why == futon::errc::remote_error);
        CHECK(both.opener.outcomes[second].why.message() == "two");
        CHECK(both.opener.outcomes[second].why.ran() == futon::executed::yes);
        CHECK(both.acceptor.bound.at(0) == "Test.m0");
        CHECK(both.opener.machine().drained());
        CHECK(both.acceptor.machine().drained());
    }
}

TEST_CASE("session: calls go both ways with the same ids and do not meet") {
    joined both;
    const auto there = both.opener.call("there", behaviour::later);
    const auto back = both.acceptor.call("back", behaviour::later);
    CHECK(both.opener.calls[there]->id == both.acceptor.calls[back]->id);
    both.exchange();
    both.opener.answer_waiting();
    both.exchange();
    CHECK(both.acceptor.outcomes[back].body == "back");
    CHECK(both.opener.outcomes[there].endings == 0);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.opener.outcomes[there].body == "there");
}

TEST_CASE("session: the first calls leave with the preface, before the peer has said a word") {
    joined both;
    both.opener.call("early");
    const auto first_flight = both.opener.written();
    both.acceptor.feed(first_flight);
    CHECK(both.acceptor.ran.count("early") == 1);
    CHECK_FALSE(both.opener.has_event(kind::ready));
    both.exchange();
    CHECK(both.opener.has_event(kind::ready));
}

TEST_CASE("session: a small call costs at most 24 bytes a direction beside its arguments") {
    joined both;
    both.opener.call("warm");
    both.exchange();
    both.opener.call("abc");
    const auto request = both.opener.written();
    CHECK(request.size() - 3 <= 24);
    both.acceptor.feed(request);
    const auto reply = both.acceptor.written();
    CHECK(reply.size() - 3 <= 24);
    MESSAGE("request: " << request.size() - 3 << " bytes, reply: " << reply.size() - 3 << " bytes");
}

TEST_CASE("session: a method is bound once, before its first call") {
    joined both;
    for (const auto* text : {"a", "b"}) both.opener.call(text);
    both.opener.call("c", behaviour::error);
    both.exchange();
    CHECK(std::count(both.acceptor.seen.begin(), both.acceptor.seen.end(), kind::bound) == 2);
}

TEST_CASE("session: a deadline travels as remaining time and ends the call here") {
    joined both;
    const auto late = both.opener.place({.body = "late", .what = behaviour::later, .timeout = 50ms});
    const auto unhurried =
        both.opener.place({.body = "unhurried", .what = behaviour::later, .timeout = futon::duration::max()});
    CHECK(both.opener.machine().next_wakeup() <= both.now + 50ms);
    both.exchange();
    CHECK(both.acceptor.deadlines_received == std::vector{both.now + 50ms, futon::no_deadline});
    both.pass(49ms);
    CHECK(both.opener.outcomes[late].endings == 0);
    both.pass(1ms);
    CHECK(both.opener.outcomes[late].endings == 1);
    CHECK(both.opener.outcomes[late].why == futon::errc::deadline_exceeded);
    CHECK(both.opener.outcomes[late].why.ran() == futon::executed::maybe);
    both.exchange();
    CHECK(both.acceptor.cancelled.size() == 1);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.opener.outcomes[late].endings == 1);
    CHECK(both.opener.outcomes[unhurried].ok);
    CHECK(both.acceptor.machine().stats().dropped_replies == 1);
}

TEST_CASE("session: a reply that crosses the end of its call is counted and dropped, and the connection lives") {
    joined both;
    const auto crossed = both.opener.call("crossed", behaviour::later);
    both.exchange();
    both.acceptor.answer_waiting();
    const auto reply = both.acceptor.written();
    CHECK(both.opener.cancel(crossed));
    both.opener.feed(reply);
    CHECK(both.opener.outcomes[crossed].endings == 1);
    CHECK(both.opener.machine().stats().late_replies == 1);
    both.exchange();
    const auto next = both.opener.call("next");
    both.exchange();
    CHECK(both.opener.outcomes[next].ok);
}

TEST_CASE("session: a request that is cancelled before it leaves never reaches the peer, and was not executed") {
    joined both;
    both.exchange();
    both.opener.call("kept");
    const auto gone = both.opener.call("gone");
    const auto large = both.opener.call(std::string(100'000, 'x'));
    CHECK(both.opener.cancel(gone));
    CHECK(both.opener.cancel(large));
    CHECK_FALSE(both.opener.cancel(gone));
    CHECK(both.opener.machine().unsent() < 1000);
    CHECK(both.opener.outcomes[gone].why.ran() == futon::executed::no);
    CHECK(both.opener.outcomes[large].why.ran() == futon::executed::no);
    const auto after = both.opener.call("after");
    both.exchange();
    CHECK(both.acceptor.ran.size() == 2);
    CHECK(both.opener.outcomes[after].ok);
    CHECK(both.opener.machine().stats().withdrawn == 2);
}

TEST_CASE("session: a request that was given to the socket may have run when it is cancelled") {
    joined both;
    const auto sent = both.opener.call("sent", behaviour::later);
    both.exchange();
    CHECK(both.opener.cancel(sent));
    CHECK(both.opener.outcomes[sent].why.ran() == futon::executed::maybe);
    both.exchange();
    CHECK(both.acceptor.cancelled == std::vector{both.acceptor.waiting.begin()->first});
    CHECK(both.acceptor.machine().tag(both.acceptor.cancelled[0]) == &both.acceptor);
}

TEST_CASE("session: a place is free when the handler ends, not when its caller gives up") {
    joined both{{}, {.max_in_flight = 1}};
    both.exchange();
    const auto first = both.opener.call("first", behaviour::later);
    both.exchange();
    both.opener.cancel(first);
    const auto second = both.opener.call("second");
    both.exchange();
    CHECK(both.opener.outcomes[second].why == futon::errc::overloaded);
    CHECK(both.opener.outcomes[second].why.ran() == futon::executed::no);
    both.acceptor.answer_waiting();
    const auto third = both.opener.call("third");
    both.exchange();
    CHECK(both.opener.outcomes[third].ok);
}

TEST_CASE("session: calls past the peer's limit wait outside, and those sent before it was known are refused alone") {
    joined both{{}, {.max_in_flight = 3}};
    futon::invocation some;
    some.method = &futon::testing::method_of(behaviour::later);
    for (int i = 0; i < 5; ++i) both.opener.call(std::to_string(i), behaviour::later);
    both.exchange();
    CHECK(both.acceptor.waiting.size() == 3);
    CHECK(both.opener.outcomes[3].why == futon::errc::overloaded);
    CHECK(both.opener.outcomes[4].why.ran() == futon::executed::no);
    CHECK_FALSE(both.opener.machine().may_start(some));
    const auto refused = both.opener.call("refused");
    CHECK(both.opener.outcomes[refused].why == futon::errc::overloaded);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.opener.machine().may_start(some));
}

TEST_CASE("session: before the peer's limits are known large arguments wait, afterwards its limit decides") {
    joined both{{}, {.max_body_bytes = 200'000}};
    futon::invocation large;
    const std::string text(150'000, 'x');
    large.method = &futon::testing::method_of(behaviour::echo);
    large.arguments.append(futon::as_bytes(text));
    CHECK_FALSE(both.opener.machine().may_start(large));
    const auto hasty = both.opener.call(text);
    CHECK(both.opener.outcomes[hasty].why == futon::errc::overloaded);
    both.exchange();
    CHECK(both.opener.machine().may_start(large));
    const auto fits = both.opener.call(text);
    const auto too_big = both.opener.call(std::string(200'001, 'x'));
    both.exchange();
    CHECK(both.opener.outcomes[fits].body == text);
    CHECK(both.opener.outcomes[too_big].why == futon::errc::message_too_big);
    CHECK(both.opener.outcomes[too_big].why.ran() == futon::executed::no);
    CHECK_FALSE(both.acceptor.has_event(kind::broken));
}

TEST_CASE("session: a result past the peer's limit becomes an error, and the connection lives") {
    joined both{{.max_body_bytes = 100'000}, {}};
    both.exchange();
    for (const std::size_t size : {100'000u, 100'001u}) {
        CAPTURE(size);
        both.acceptor.oversize = size;
        const auto encoded = both.opener.call("encoded", behaviour::oversize);
        both.exchange();
        CHECK(both.opener.outcomes[encoded].ok == (size == 100'000));
        if (size > 100'000) {
            CHECK(both.opener.outcomes[encoded].why == futon::errc::message_too_big);
            CHECK(both.opener.outcomes[encoded].why.ran() == futon::executed::yes);
        }
    }
}

TEST_CASE("session: a reply that is given up halfway leaves no byte behind") {
    joined both;
    const auto half = both.opener.call("half", behaviour::abandon);
    const auto whole = both.opener.call("whole");
    both.exchange();
    CHECK(both.opener.outcomes[half].why == futon::errc::internal);
    CHECK(both.opener.outcomes[whole].body == "whole");
}

TEST_CASE("session: large bodies are sent from where they are, in both directions") {
    joined both;
    both.exchange();
    const std::string text(1'000'000, 'L');
    const auto index = both.opener.call(text, behaviour::segment);
    const auto parts = both.opener.machine().to_send();
    const auto& own = both.opener.calls[index]->request.arguments;
    CHECK(std::any_of(parts.begin(), parts.end(), [&](futon::bytes_view part) { return part.data() == own.data(); }));
    const auto small = both.opener.call("small");
    both.exchange();
    CHECK(both.opener.outcomes[index].body == text);
    CHECK(both.opener.outcomes[small].body == "small");
    CHECK(both.opener.machine().unsent() == 0);
}

// A text that tells when it is let go of.
struct watched_text {
    const char* data() const { return text.data(); }
    std::size_t size() const { return text.size(); }
    std::string text;
    std::shared_ptr<int> alive;
};

TEST_CASE("session: what stands behind a reply is sent from where it is, and let go of when it was written") {
    joined both;
    both.exchange();
    auto& server = both.acceptor.machine();
    for (const bool in_one_go : {false, true}) {
        CAPTURE(in_one_go);
        const auto index = both.opener.call(in_one_go ? "one" : "two", behaviour::later);
        both.exchange();
        const auto id = both.acceptor.waiting.begin()->first;
        both.acceptor.waiting.clear();
        const auto alive = std::make_shared<int>();
        auto rest = futon::detail::make_intrusive<futon::detail::held_bytes_of<watched_text>>(
            watched_text{std::string(5000, 'r'), alive});
        const auto view = rest->view();
        if (in_one_go) {
            futon::byte_buffer head;
            head.append(futon::as_bytes("head "));
            CHECK(server.reply(id, std::move(head), {}, std::move(rest)));
        } else {
            server.begin_reply(id)->append(futon::as_bytes("head "));
            server.end_reply(std::move(rest));
        }
        const auto parts = server.to_send();
        CHECK(std::any_of(parts.begin(), parts.end(), [&](auto part) { return part.data() == view.data(); }));
        CHECK(alive.use_count() == 2);
        both.exchange();
        CHECK(alive.use_count() == 1);
        CHECK(both.opener.outcomes[index].body == "head " + std::string(5000, 'r'));
    }
    CHECK(server.unsent() == 0);
}

TEST_CASE("session: what stands behind a reply counts for the limit of the peer, and goes with a reply that is refused") {
    joined both{{.max_body_bytes = 4000}};
    both.exchange();
    const auto index = both.opener.call("x", behaviour::later);
    both.exchange();
    const auto alive = std::make_shared<int>();
    const auto id = both.acceptor.waiting.begin()->first;
    both.acceptor.waiting.clear();
    both.acceptor.machine().begin_reply(id)->append(futon::as_bytes("head "));
    both.acceptor.machine().end_reply(futon::detail::make_intrusive<futon::detail::held_bytes_of<watched_text>>(
        watched_text{std::string(4000, 'r'), alive}));
    CHECK(alive.use_count() == 1);
    both.exchange();
    CHECK(both.opener.outcomes[index].why == futon::errc::message_too_big);
}

TEST_CASE("session: a large request that is given up while it is being written keeps its bytes alive") {
    joined both;
    both.exchange();
    const auto index = both.opener.call(std::string(50'000, 'q'), behaviour::later);
    const auto part = both.opener.machine().to_send();
    CHECK(both.opener.cancel(index));
    CHECK(both.opener.outcomes[index].why.ran() == futon::executed::maybe);
    both.opener.calls[index] = nullptr;  // Only the session holds it now.
    futon::bytes all;
    for (const auto view : part) all.insert(all.end(), view.begin(), view.end());
    both.opener.machine().sent(all.size(), both.now);
    both.acceptor.feed(all);
    CHECK(both.acceptor.waiting.size() == 1);
    both.exchange();
    CHECK(both.acceptor.cancelled.size() == 1);
}

TEST_CASE("session: metadata travels with requests and replies") {
    joined both;
    both.acceptor.reply_headers = {{"server", "s1"}};
    const auto index = both.opener.place({.body = "m", .headers = {{"trace", "t"}, {"user", std::string(300, 'u')}}});
    both.exchange();
    CHECK(both.acceptor.headers_received ==
          std::vector{futon::metadata{{"trace", "t"}, {"user", std::string(300, 'u')}}});
    CHECK(both.opener.outcomes[index].headers == futon::metadata{{"server", "s1"}});
}

TEST_CASE("session: metadata past the limits fails its call alone, before a byte is written") {
    joined both;
    both.exchange();
    futon::metadata many;
    for (int i = 0; i < 65; ++i) many.set("k" + std::to_string(i), "v");
    for (const auto& headers :
         {many, futon::metadata{{std::string(129, 'k'), "v"}}, futon::metadata{{"k", std::string(8193, 'v')}},
          futon::metadata{
              {"a", std::string(8000, 'v')}, {"b", std::string(8000, 'v')}, {"c", std::string(8000, 'v')}}}) {
        const auto index = both.opener.place({.body = "m", .headers = headers});
        CHECK(both.opener.outcomes[index].why == futon::errc::message_too_big);
        CHECK(both.opener.outcomes[index].why.ran() == futon::executed::no);
    }
    const auto index = both.opener.place({.body = "m", .headers = {{"k\xff", "v"}}});
    CHECK(both.opener.outcomes[index].why == futon::errc::bad_arguments);
    CHECK(both.opener.machine().unsent() == 0);
    both.acceptor.reply_headers = many;
    const auto answered = both.opener.call("answered");
    both.exchange();
    CHECK(both.opener.outcomes[answered].why == futon::errc::message_too_big);
    CHECK(both.opener.outcomes[answered].why.ran() == futon::executed::yes);
}

TEST_CASE("session: who asks is told how busy the peer is, in both directions") {
    joined both;
    both.acceptor.load = {.in_flight = 70'000, .latency = 3ms, .utilisation = 0.25f, .qps = 900, .eps = 1};
    both.opener.load = {.in_flight = 2};
    const auto first = both.opener.machine().ask_load();
    const auto second = both.opener.machine().ask_load();
    CHECK(first != second);
    const auto back = both.acceptor.machine().ask_load();
    both.exchange();
    using told = std::vector<std::pair<std::uint64_t, futon::load_report>>;
    CHECK(both.opener.loads_told == told{{first, both.acceptor.load}, {second, both.acceptor.load}});
    CHECK(both.acceptor.loads_told == told{{back, both.opener.load}});
}

TEST_CASE("session: who asks for a sign of life gets one, of the last question, and heartbeats tell nothing") {
    joined both;
    both.exchange();
    const auto since = both.now;
    CHECK(both.opener.machine().last_received() == since);
    both.now += 1s;
    both.opener.machine().ask_alive(7);
    both.opener.machine().ask_alive(8);
    both.exchange();
    CHECK(both.opener.signs_of_life == std::vector<std::uint64_t>{8});
    CHECK(both.acceptor.signs_of_life.empty());
    CHECK(both.opener.machine().last_received() == since + 1s);
    CHECK(both.opener.machine().stats().pings_sent == 2);
    both.now += 16s;
    static_cast<void>(both.opener.machine().advance(both.now));
    both.exchange();
    CHECK(both.opener.machine().stats().pings_sent == 3);
    CHECK(both.opener.signs_of_life.size() == 1);
}

TEST_CASE("session: times are told to who asks for them") {
    joined both;
    both.exchange();
    const auto index = both.opener.place({.body = "t", .what = behaviour::timed, .wants_times = true});
    const auto silent = both.opener.place({.body = "s", .what = behaviour::timed});
    const auto bytes = both.opener.written();
    both.now += 10ms;
    both.acceptor.feed(bytes);
    both.exchange();
    CHECK(both.opener.outcomes[index].times.handler == 7ms);
    CHECK(both.opener.outcomes[index].times.wire == 3ms);
    CHECK(both.opener.outcomes[silent].times.handler == 0ms);
    CHECK(both.opener.outcomes[silent].times.wire == 10ms);
}

TEST_CASE("session: one-way calls run once and leave nothing behind") {
    joined both;
    for (int i = 0; i < 100; ++i) both.opener.place({.body = "o" + std::to_string(i), .oneway = true});
    both.opener.place({.body = std::string(20'000, 'o'), .oneway = true});
    both.exchange();
    CHECK(both.acceptor.ran.size() == 101);
    CHECK(both.opener.machine().drained());
    CHECK(both.acceptor.machine().drained());
}

TEST_CASE("session: an application's own error code arrives where its category is known, else in words") {
    const auto& category = std::iostream_category();
    const std::error_category* const known[] = {&category};
    futon::frame told;
    told.what = futon::frame::kind::error;
    told.code = -7;
    told.category = category.name();
    told.text = "why";
    CHECK(futon::detail::remote_error(told, known) == std::error_code{-7, category});
    const auto unknown = futon::detail::remote_error(told, {});
    CHECK(unknown == futon::errc::remote_error);
    CHECK(unknown.message() == "iostream:-7: why");
}

TEST_CASE("session: drain says how many requests were accepted, finishes those and no others") {
    joined both;
    const auto accepted = both.opener.call("accepted", behaviour::later);
    both.exchange();
    both.acceptor.machine().begin_drain(futon::error{futon::errc::unavailable, "restarting"}, both.now);
    const auto crossing = both.opener.call("crossing");
    both.exchange();
    CHECK(both.opener.outcomes[crossing].why == futon::errc::unavailable);
    CHECK(both.opener.outcomes[crossing].why.ran() == futon::executed::no);
    CHECK(both.acceptor.ran.count("crossing") == 0);
    CHECK(both.opener.has_event(kind::goodbye));
    CHECK(both.opener.last_why->message() == "restarting");
    CHECK_FALSE(both.opener.machine().is_open());
    CHECK_FALSE(both.acceptor.machine().drained());
    const auto back = both.acceptor.call("back");  // The one who leaves may still ask.
    const auto later = both.opener.call("later");
    CHECK(both.opener.outcomes[later].why.ran() == futon::executed::no);
    both.exchange();
    CHECK(both.acceptor.outcomes[back].ok);
    both.acceptor.answer_waiting();
    both.exchange();
    CHECK(both.opener.outcomes[accepted].ok);
    CHECK(both.acceptor.machine().drained());
}

TEST_CASE("session: one-way calls past the count of a goodbye come back as not executed, and no others") {
    joined both;
    both.opener.place({.body = "taken", .oneway = true});
    both.exchange();
    both.acceptor.machine().begin_drain(futon::error{futon::errc::unavailable, "restarting"}, both.now);
    const auto crossing = both.opener.place({.body = "crossing", .oneway = true});
    both.opener.place({.body = "crossing too", .oneway = true});
    both.exchange();
    CHECK(both.opener.given_back == std::vector<std::string>{"crossing", "crossing too"});
    CHECK(both.opener.outcomes[crossing].why == futon::errc::unavailable);
    CHECK(both.opener.outcomes[crossing].why.ran() == futon::executed::no);
    CHECK(both.acceptor.ran.size() == 1);
    CHECK(both.opener.oneways_lost == 0);
    CHECK(both.opener.machine().drained());
}

TEST_CASE("session: one-way calls past the count of a goodbye that are too many to be kept are counted") {
    joined both;
    both.exchange();
    both.acceptor.machine().begin_drain(futon::error{futon::errc::unavailable, "restarting"}, both.now);
    for (int i = 0; i < 5000; ++i) both.opener.place({.body = "o" + std::to_string(i), .oneway = true});
    both.exchange();
    CHECK(both.opener.given_back.size() + both.opener.oneways_lost == 5000);
    CHECK(both.opener.last_why->describe() ==
          "unavailable: one-way calls that did not run, and were too many to be kept: at most " +
              std::to_string(both.opener.oneways_lost) + "; restarting");
    CHECK(both.opener.given_back.back() == "o4999");
    CHECK(both.acceptor.ran.empty());
}

TEST_CASE("session: a reply, and the answer to a ping, prove that the one-way calls before them were taken") {
    for (const bool by_ping : {true, false}) {
        CAPTURE(by_ping);
        joined both;
        both.exchange();
        for (int i = 0; i < 5000; ++i) both.opener.place({.body = "o" + std::to_string(i), .oneway = true});
        by_ping ? both.opener.machine().ask_alive(1) : void(both.opener.call("asked"));
        both.exchange();
        both.acceptor.machine().begin_drain(futon::error{futon::errc::unavailable, "restarting"}, both.now);
        both.opener.place({.body = "crossing", .oneway = true});
        both.exchange();
        CHECK(both.opener.given_back == std::vector<std::string>{"crossing"});
        CHECK(both.opener.oneways_lost == 0);
    }
}

TEST_CASE("session: one-way calls that had not begun to leave come back when the connection is lost") {
    joined both;
    both.exchange();
    const auto exposed = both.opener.place({.body = "exposed", .oneway = true});
    static_cast<void>(both.opener.machine().to_send());
    const auto waiting = both.opener.place({.body = "waiting", .oneway = true});
    both.opener.lose();
    CHECK(both.opener.given_back == std::vector<std::string>{"waiting"});
    CHECK(both.opener.outcomes[exposed].ok);  // Nobody knows.
    CHECK(both.opener.outcomes[waiting].why.ran() == futon::executed::no);
}

TEST_CASE("session: losing the connection ends each call once and tells the handlers") {
    joined both;
    both.exchange();
    const auto sent = both.opener.call("sent", behaviour::later);
    both.exchange();
    const auto exposed = both.opener.call("exposed");
    static_cast<void>(both.opener.machine().to_send());
    const auto waiting = both.opener.call("waiting");
    both.opener.lose();
    both.acceptor.lose();
    CHECK(both.opener.outcomes[sent].why.ran() == futon::executed::maybe);
    CHECK(both.opener.outcomes[exposed].why.ran() == futon::executed::maybe);
    CHECK(both.opener.outcomes[waiting].why.ran() == futon::executed::no);
    CHECK(both.acceptor.cancelled.size() == 1);
    CHECK(both.acceptor.machine().tag(both.acceptor.cancelled[0]) == &both.acceptor);
    both.acceptor.answer_waiting();
    CHECK(both.acceptor.machine().drained());
    CHECK_FALSE(both.opener.machine().next_wakeup());
    CHECK(futon::testing::judge(both.opener, both.acceptor) == "");
}

TEST_CASE("session: a batch of frames is bounded, and says when more is left") {
    joined both;
    both.exchange();
    for (int i = 0; i < 1000; ++i) both.opener.call("n" + std::to_string(i));
    futon::byte_buffer input;
    input.append(both.opener.written());
    std::size_t requests = 0;
    int batches = 0;
    do {
        ++batches;
        for (auto& it : both.acceptor.machine().receive(input, both.now)) {
            if (it.what != kind::request) continue;
            ++requests;
            CHECK(both.acceptor.machine().begin_reply(it.id));
            both.acceptor.machine().end_reply();
        }
    } while (both.acceptor.machine().has_more());
    CHECK(requests == 1000);
    CHECK(batches == 4);
    both.exchange();
    CHECK(both.opener.machine().stats().replies_received == 1000);
}

TEST_CASE("session: places are used again and never confused") {
    joined both;
    std::set<std::uint64_t> ids;
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 8; ++i)
            ids.insert(both.opener.calls[both.opener.call("p" + std::to_string(round * 8 + i))]->id);
        both.exchange();
    }
    CHECK(ids.size() == 400);
    CHECK((*ids.rbegin() & 0xFFFFFFFF) < 8);
    for (const auto& its : both.opener.outcomes) CHECK(its.ok);
}

TEST_CASE("session: a call whose names fit into no frame is refused here, and costs no other call anything") {
    joined both;
    const auto before = both.opener.call("before", behaviour::later);
    both.exchange();
    futon::method_info endless = futon::testing::method_of(70);
    endless.service = "Test:1.0:" + std::string(5000, 'x');
    endless.number = 71;
    auto asked = futon::detail::intrusive_ptr<futon::detail::call>::adopt(
        new futon::detail::call{nullptr, nullptr, nullptr});
    asked->request.method = &endless;
    asked->request.deadline = both.now + 3s;
    asked->request.oneway = true;
    const auto got = both.opener.machine().start(asked, both.now);
    REQUIRE_FALSE(got);
    CHECK(got.error() == futon::errc::bad_arguments);
    CHECK(got.error().ran() == futon::executed::no);
    CHECK(got.error().message().size() < 500);
    both.exchange();
    CHECK_FALSE(both.acceptor.has_event(futon::event::kind::broken));
    CHECK(both.opener.outcomes[before].endings == 0);
    endless.service.resize(4000 - endless.name.size() - endless.signature.size());
    CHECK(both.opener.machine().start(asked, both.now).has_value());
    both.exchange();
    CHECK_FALSE(both.acceptor.has_event(futon::event::kind::broken));
}

}  // namespace
