// SPDX-License-Identifier: Apache-2.0
#include <futon/session/any_session.hpp>

#include "session/support/victim.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::behaviour;
using futon::testing::crafted;
using futon::testing::session_host;
using futon::testing::victim;
using kind = futon::event::kind;

namespace {

TEST_CASE("session: FR1 FR2 FR22 bytes of something else break the connection at their first byte") {
    std::mt19937 dice{7};
    for (const auto& text : {std::string{"GET / HTTP/1.1\r\n"}, std::string{"\x16\x03\x01\x02"},
                             std::string{"SSH-2.0-x"}, std::string{"\x93\x00"}}) {
        victim v;
        v.hears(crafted{}.text(text.substr(0, 1)));
        CHECK(v.broke());
        CHECK(v.why().find("not the futon protocol") != std::string::npos);
        v.hears(crafted{}.text(text));
        CHECK(v.host.seen.size() == 1);
    }
    for (int round = 0; round < 200; ++round) {
        victim v;
        crafted noise;
        if (round % 2) noise.preface();
        for (int i = 0; i < 3000; ++i) noise.raw({static_cast<unsigned>(dice()) & 0xFF});
        v.hears(noise, 1 + dice() % 500);
        CHECK(v.host.ran.empty());
    }
}

TEST_CASE("session: FR3 another version is refused with both versions") {
    for (const unsigned version : {0u, 2u, 255u}) {
        victim v;
        v.hears(crafted{}.raw({0xC1, 'f', 'u', 't', version}));
        CHECK(v.broke());
        CHECK(*v.host.last_why == futon::errc::unsupported_protocol);
        CHECK(v.why().find("this side speaks 1; the peer's: " + std::to_string(version)) != std::string::npos);
    }
}

TEST_CASE("session: FR4 unknown frames are skipped if they say so, and break the connection if not") {
    victim v;
    CHECK(v.hears(crafted{}.preface().frame(0x91, 0xFF, crafted{}.text("anything"))).serves());
    for (const unsigned type : {0x00u, 0x0Bu, 0x0Fu, 0x14u, 0x20u, 0x7Fu}) {
        victim other;
        CHECK(other.hears(crafted{}.preface().frame(type, 0, crafted{}.u64(1))).broke());
        CHECK(other.why() == "unknown frame type: " + std::to_string(type));
    }
}

TEST_CASE("session: FR5 FR19 a reserved flag or the wrong initiator bit breaks the connection") {
    for (unsigned type = 1; type <= 0x13; ++type) {
        for (const unsigned bit : {0x10u, 0x20u, 0x40u, 0x80u}) {
            if (bit == 0x10 && (type == 1 || type == 10)) continue;  // Streams.
            victim v;
            const bool mine = type == 1 || type == 2 || type == 5 || type == 10 || type == 0x11;
            CHECK(v.hears(crafted{}.preface().frame(type, bit | (mine ? 1 : 0), crafted{}.u64(1).u64(0))).broke());
        }
    }
    // A request with the peer's id.
    CHECK(victim{}.hears(crafted{}.preface().frame(1, 0, crafted{}.u64(1).raw({0}))).broke());
    // A reply to the sender's own call.
    CHECK(victim{}.hears(crafted{}.preface().frame(3, 1, crafted{}.u64(1))).broke());
    // A cancel of somebody else's.
    CHECK(victim{}.hears(crafted{}.preface().frame(5, 0, crafted{}.u64(1))).broke());
}

TEST_CASE("session: FR6 FR7 a length past the limit is refused from its first four bytes, and asks for no memory") {
    const futon::limits small{.max_body_bytes = 100'000, .max_metadata_bytes = 1000};
    const auto most = static_cast<std::uint32_t>(futon::futon_protocol::max_frame_bytes(small));
    for (const auto length : {most + 1, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
        victim v{small};
        v.hears(crafted{}.preface().u32(length));
        CHECK(v.broke());
        CHECK(v.why() == "frame too long: length: " + std::to_string(length) + ", limit " + std::to_string(most));
    }
    victim v{small};
    v.hears(crafted{}.preface().u32(most).raw({1, 1}));
    CHECK_FALSE(v.broke());
    CHECK(v.host.machine().wanted() == 64 * 1024);
}

TEST_CASE("session: of a claimed length is believed 64 KiB, thrice what came of it, or the longest that came whole") {
    victim v{{.heartbeat_after = 0s}};
    const auto wanted = [&v] { return v.host.machine().wanted(); };
    const auto frame = crafted{}.request(7, 60, std::string(900'000, 'x'));
    const auto part = [&frame](std::size_t from, std::size_t to) {
        crafted some;
        some.all.assign(frame.all.begin() + static_cast<std::ptrdiff_t>(from),
                        frame.all.begin() + static_cast<std::ptrdiff_t>(to));
        return some;
    };
    const auto size = frame.all.size();
    v.hears(crafted{}.preface().bind(60)).hears(part(0, 100));
    CHECK(wanted() == 64 * 1024);
    v.hears(part(100, 100'000));
    CHECK(wanted() == 300'000);
    v.hears(part(100'000, 800'000));
    CHECK(wanted() == size - 800'000);
    v.hears(part(800'000, size));
    CHECK(wanted() == 0);
    v.hears(part(0, 100));
    CHECK(wanted() == size - 100);
    v.hears(part(100, size));
    v.host.written();

    // Not any more after a rest.
    v.host.feed({});
    v.now += 2s;
    v.host.feed({});
    v.hears(part(0, 100));
    CHECK(wanted() == 64 * 1024);
    CHECK_FALSE(v.broke());
}

TEST_CASE("session: FR8 lengths that contradict each other break the connection") {
    const auto broken = [](unsigned type, unsigned flags, const crafted& rest) {
        return victim{}.hears(crafted{}.preface().frame(type, flags, rest)).broke();
    };
    CHECK(victim{}.hears(crafted{}.preface().u32(0)).broke());
    CHECK(victim{}.hears(crafted{}.preface().u32(1)).broke());
    CHECK(broken(1, 1, crafted{}.u64(1)));                                              // No method.
    // A request with the id of a one-way call.
    CHECK(broken(1, 1, crafted{}.u64(0).raw({0})));
    CHECK(broken(2, 1, crafted{}.u64(9).raw({0})));                                     // And the other way.
    CHECK(broken(1, 5, crafted{}.u64(1).raw({0, 0x80})));                               // A deadline that is cut off.
    // Metadata longer than the frame.
    CHECK(broken(1, 3, crafted{}.u64(1).raw({0, 5, 0x80})));
    CHECK(broken(1, 3, crafted{}.u64(1).raw({0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1})));
    CHECK(broken(1, 1, crafted{}.u64(1).raw({0xFF, 0xFF, 0xFF, 0xFF, 0x1F})));          // A method past 32 bits.
    CHECK(broken(5, 1, crafted{}.u64(1).raw({0})));
    CHECK(broken(7, 0, crafted{}.u64(1).text("oversized")));
    CHECK(broken(6, 0, crafted{}.raw({0, 4}).text("Test").raw({9}).text("m").raw({0})));
    CHECK(broken(6, 0, crafted{}.raw({0, 1}).text("T").raw({1}).text("m").raw({0, 0}))); // Bytes behind the signature.
    CHECK(broken(9, 0, crafted{}.raw({0, 21, 9}).text("short")));
    CHECK(victim{}.hears(crafted{}.preface().u32(4097).raw({6, 0})).broke());
    CHECK(victim{}.hears(crafted{}.preface().u32(2049).raw({9, 0})).broke());
}

TEST_CASE("session: FR10 a frame that trickles in is given up after ten seconds, a slow one is not") {
    for (const std::size_t rate : {1u, 1023u, 1100u}) {
        CAPTURE(rate);
        victim v;
        v.hears(crafted{}.preface().bind(0).u32(1'000'000).raw({1, 1}));
        int seconds = 0;
        for (; seconds < 40 && !v.broke(); ++seconds) {
            v.now += 1s;
            v.hears(crafted{}.text(std::string(rate, 'x')));
            v.host.advance();
        }
        CHECK(v.broke() == (rate < 1024));
        if (rate < 1024) CHECK(seconds == 10);
    }
}

TEST_CASE("session: FR11 FR12 a peer that does not greet is given up after five seconds") {
    for (const std::size_t count : {0u, 1u, 5u}) {
        victim v;
        auto hello = crafted{}.preface();
        hello.all.resize(count);
        v.hears(hello);
        v.now += 4999ms;
        v.host.advance();
        CHECK_FALSE(v.broke());
        CHECK(v.host.machine().next_wakeup() == v.now + 1ms);
        v.now += 1ms;
        v.host.advance();
        CHECK(v.broke());
    }
}

TEST_CASE("session: FR13 a frame that is cut off by the end is not served") {
    victim v;
    auto script = crafted{}.preface().bind(1).request(1, 1, "whole").request(2, 1, "half");
    script.all.pop_back();
    v.hears(script);
    v.host.lose();
    CHECK(v.host.ran.size() == 1);
}

TEST_CASE("session: FR16 FR17 a thousand requests are answered in one piece as in single bytes") {
    crafted script;
    script.preface().bind(0);
    for (unsigned i = 0; i < 1000; ++i) script.request(i + 1, 0, "r" + std::to_string(i));
    for (const std::size_t piece : {std::size_t{1u}, script.all.size() / 2, script.all.size()}) {
        victim v;
        v.hears(script, piece);
        CHECK(v.host.ran.size() == 1000);
        CHECK(v.host.machine().stats().replies_sent == 1000);
    }
}

TEST_CASE("session: FR20 a flood of pings ends in goodbye, ordinary pings are answered") {
    victim v;
    v.hears(crafted{}.preface());
    for (int i = 0; i < 30; ++i) {
        v.hears(crafted{}.frame(7, 0, crafted{}.u64(5)));
        v.now += 200ms;
    }
    CHECK_FALSE(v.host.machine().is_draining());
    for (int i = 0; i < 10'000; ++i) v.hears(crafted{}.frame(7, 0, crafted{}.u64(5)));
    CHECK(v.host.has_event(kind::draining));
    CHECK(v.why() == "too many pings");
    CHECK(v.host.machine().unsent() < 2000);
}

TEST_CASE("session: HM1 HM2 HM3 HM4 bad metadata fails its call and nothing else") {
    const auto refused = [](const crafted& map) {
        victim v;
        crafted rest;
        rest.u64(1).raw({0});
        auto size = map.all.size();
        for (; size >= 0x80; size >>= 7) rest.raw({static_cast<unsigned>(size & 0x7F) | 0x80});
        rest.raw({static_cast<unsigned>(size)});
        rest.all.insert(rest.all.end(), map.all.begin(), map.all.end());
        v.hears(crafted{}.preface().bind(0).frame(1, 3, rest.text("body")));
        const auto codes = v.refusals();
        CHECK(v.host.ran.empty());
        CHECK(v.serves());
        return codes.size() == 1 ? codes[0] : futon::errc::internal;
    };
    CHECK(refused(crafted{}.text(std::string(16'385, '\x80'))) == futon::errc::message_too_big);
    crafted many;
    many.raw({0xDE, 0, 65});
    for (unsigned i = 0; i < 65; ++i) many.raw({0xA2, 'a' + i / 26, 'a' + i % 26, 0xA0});
    CHECK(refused(many) == futon::errc::message_too_big);
    CHECK(refused(crafted{}.raw({0xDF, 0xFF, 0xFF, 0xFF, 0xFF})) == futon::errc::message_too_big);
    CHECK(refused(crafted{}.raw({0x81, 0xD9, 129}).text(std::string(129, 'k')).raw({0xA0})) ==
          futon::errc::message_too_big);
    CHECK(refused(crafted{}.raw({0x81, 0xA1, 'k', 0xDA, 0x20, 0x01}).text(std::string(8193, 'v'))) ==
          futon::errc::message_too_big);
    CHECK(refused(crafted{}.raw({0x82, 0xA1, 'k', 0xA0, 0xA1, 'k', 0xA0})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x81, 0x01, 0xA0})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x81, 0xA1, 'k', 0x80})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x81, 0xA1, 0xFF, 0xA0})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x81, 0xA0, 0xA0})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x80, 0x80})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x81, 0xA1, 'k', 0xDB, 0xFF, 0xFF, 0xFF, 0xFF})) == futon::errc::bad_arguments);
    CHECK(refused(crafted{}.raw({0x93, 1, 2, 3})) == futon::errc::bad_arguments);
}

TEST_CASE("session: HM6 no time left fails the call, more time than there is means none") {
    victim v;
    v.hears(crafted{}.preface().bind(1).frame(1, 5, crafted{}.u64(1).raw({1, 0}).text("dead")));
    CHECK(v.refusals() == std::vector{futon::errc::deadline_exceeded});
    crafted rest;
    rest.u64(2).raw({1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}).text("long");
    v.hears(crafted{}.frame(1, 5, rest));
    CHECK(v.host.deadlines_received == std::vector{futon::no_deadline});
}

TEST_CASE("session: a method that was never bound does not exist, and a bind is taken once") {
    victim v;
    v.hears(crafted{}.preface().request(1, 3, "x"));
    CHECK(v.refusals() == std::vector{futon::errc::no_such_method});
    v.hears(crafted{}.frame(2, 1, crafted{}.u64(0).raw({3}).text("nobody hears")));
    CHECK(v.refusals().empty());
    CHECK(v.hears(crafted{}.bind(3).bind(3)).broke());
    victim other{{.max_binds = 10}};
    other.hears(crafted{}.preface().bind(20).request(1, 20, "x"));
    CHECK(other.refusals() == std::vector{futon::errc::no_such_method});
    CHECK(other.hears(crafted{}.bind(64)).broke());
}

TEST_CASE("session: PS1 an id that is under way cannot be used again") {
    victim v;
    v.hears(crafted{}.preface().bind(1).request(9, 1, "first").request(9, 1, "second"));
    CHECK(v.broke());
    CHECK(v.why() == "request with the id of a call that is under way: 9");
    CHECK(v.host.ran.count("first") == 1);
    CHECK(v.host.ran.count("second") == 0);
}

TEST_CASE("session: PS3 replies to calls that never were are counted and dropped") {
    victim v;
    crafted script;
    script.preface();
    for (unsigned i = 0; i < 2000; ++i) script.frame(3, 0, crafted{}.u64(i * 0x100000001u).text("ha"));
    for (unsigned i = 0; i < 100; ++i) script.frame(5, 1, crafted{}.u64(i));
    CHECK(v.hears(script, 100).serves());
    CHECK(v.host.machine().stats().late_replies == 2000);
}

TEST_CASE("session: PS5 a bad reply fails its call alone") {
    const auto answer = [](const crafted& reply) {
        futon::time_point now{100s};
        session_host caller{futon::side::opener, now, {.max_body_bytes = 1000}};
        caller.feed(crafted{}.preface().all);
        caller.call("a", behaviour::later);
        caller.feed(reply.all);
        CHECK_FALSE(caller.has_event(kind::broken));
        CHECK(caller.outcomes[0].endings == 1);
        return caller.outcomes[0].why;
    };
    const std::uint64_t id = std::uint64_t{1} << 32;
    CHECK(answer(crafted{}.frame(3, 0, crafted{}.u64(id).text(std::string(1001, 'x')))) ==
          futon::errc::message_too_big);
    CHECK(answer(crafted{}.frame(3, 2, crafted{}.u64(id).raw({1, 0x81}))) == futon::errc::bad_reply);
    const auto odd = answer(crafted{}.frame(4, 0, crafted{}.u64(id).raw({0xE7, 0x07, 77, 0, 0, 0, 4}).text("odd!")));
    CHECK(odd.code().value() == 999);
    CHECK(odd.ran() == futon::executed::maybe);
    CHECK(odd.message() == "odd!");
}

TEST_CASE("session: PS6 pings do not extend a call") {
    futon::time_point now{100s};
    session_host caller{futon::side::opener, now};
    caller.feed(crafted{}.preface().all);
    caller.place({.body = "a", .what = behaviour::later, .timeout = 2s});
    for (int i = 0; i < 4; ++i) {
        now += 500ms;
        caller.feed(crafted{}.frame(7, 0, crafted{}.u64(1)).all);
        caller.advance();
    }
    CHECK(caller.outcomes[0].why == futon::errc::deadline_exceeded);
}

TEST_CASE("session: PS8 requests past the limit are refused, and none is queued here") {
    victim v;
    crafted script;
    script.preface().bind(1);
    for (unsigned i = 0; i < 10'000; ++i) script.request(i + 1, 1, "q");
    v.hears(script);
    CHECK(v.host.waiting.size() == 8192);
    CHECK(v.refusals() == std::vector(10'000 - 8192, futon::errc::overloaded));
}

TEST_CASE("session: PS9 a peer that sends and never reads is read no more, then given up") {
    victim v;
    v.hears(crafted{}.preface().bind(0));
    unsigned id = 0;
    while (v.host.machine().reading_allowed()) v.hears(crafted{}.request(++id, 0, std::string(10'000, 'r')));
    CHECK(v.host.machine().unsent() < (1u << 20) + 20'000);
    static_cast<void>(v.host.machine().to_send());
    CHECK(v.host.machine().next_wakeup() <= v.now);  // Time has not been told since the last reply was written.
    v.host.advance();
    CHECK(v.host.machine().next_wakeup() == v.now + 10s);
    v.now += 9s;
    v.host.advance();
    CHECK_FALSE(v.broke());
    v.now += 1s;
    v.host.advance();
    CHECK(v.broke());
    CHECK(v.why() == "the peer does not read");
}

TEST_CASE("session: PS9 a peer that reads again is read again from half of the limit on") {
    victim v;
    v.hears(crafted{}.preface().bind(0));
    unsigned id = 0;
    while (v.host.machine().reading_allowed()) v.hears(crafted{}.request(++id, 0, std::string(10'000, 'r')));
    static_cast<void>(v.host.machine().to_send());
    v.now += 60s;  // Nothing is read meanwhile, so that silence proves nothing.
    v.host.machine().sent(400'000, v.now);
    CHECK_FALSE(v.host.machine().reading_allowed());
    v.host.machine().sent(200'000, v.now);
    CHECK(v.host.machine().reading_allowed());
    v.host.advance();
    CHECK_FALSE(v.broke());
}

TEST_CASE("session: PS11 calls that are cancelled as soon as they are made end in goodbye") {
    victim v;
    v.hears(crafted{}.preface().bind(1));
    for (unsigned i = 1; i <= 1000 && !v.host.machine().is_draining(); ++i)
        v.hears(crafted{}.request(i, 1, "q").frame(5, 1, crafted{}.u64(i)));
    CHECK(v.host.has_event(kind::draining));
    CHECK(v.host.machine().stats().cancels_received == 201);
    CHECK(v.host.waiting.size() == 201);
    CHECK(v.host.machine().stats().in_flight_received == 201);

    victim patient;  // Time-outs of an overloaded peer are not a flood.
    patient.hears(crafted{}.preface().bind(1));
    for (unsigned i = 1; i <= 1000; ++i) patient.hears(crafted{}.request(i, 1, "q"));
    patient.now += 50ms;
    for (unsigned i = 1; i <= 1000; ++i) patient.hears(crafted{}.frame(5, 1, crafted{}.u64(i)));
    CHECK_FALSE(patient.host.machine().is_draining());
}

TEST_CASE("session: goodbye may not accept what was never sent, and a second one may not accept more") {
    CHECK(victim{}.hears(crafted{}.preface().frame(9, 0, crafted{}.raw({1, 21, 0}))).broke());
    futon::time_point now{100s};
    session_host caller{futon::side::opener, now};
    caller.feed(crafted{}.preface().all);
    for (const auto* text : {"1", "2", "3"}) caller.call(text, behaviour::later);
    caller.feed(crafted{}.frame(9, 0, crafted{}.raw({2, 21, 4}).text("busy")).all);
    CHECK(caller.outcomes[2].why.message().find("busy") != std::string::npos);
    caller.feed(crafted{}.frame(9, 0, crafted{}.raw({3, 21, 0})).all);
    CHECK(caller.outcomes[1].endings == 0);
    caller.feed(crafted{}.frame(9, 0, crafted{}.raw({1, 21, 0})).all);
    CHECK(caller.outcomes[1].why.ran() == futon::executed::no);
    CHECK(caller.outcomes[0].endings == 0);
    CHECK(std::count(caller.seen.begin(), caller.seen.end(), kind::goodbye) == 1);
}

TEST_CASE("session: who breaks the protocol is told what was wrong and how much was accepted") {
    victim v;
    v.hears(crafted{}.preface().bind(1).request(1, 1, "a").frame(0x33, 0, crafted{}));
    const auto all = v.host.written();
    futon::time_point now{100s};
    session_host caller{futon::side::opener, now};
    caller.call("one");
    caller.feed(all);
    CHECK(caller.has_event(kind::goodbye));
    CHECK(*caller.last_why == futon::errc::protocol_error);
    CHECK(caller.last_why->message() == "unknown frame type: 51");
}

TEST_CASE("session: PS9 of answers to a peer that never reads no more is held than the limit, and one") {
    for (const auto how : {behaviour::echo, behaviour::segment, behaviour::later}) {
        CAPTURE(static_cast<int>(how));
        const auto method = static_cast<unsigned>(how);
        victim v{{.max_unsent_answer_bytes = 150'000}};
        crafted script;
        script.preface().bind(method);
        for (unsigned i = 0; i < 100; ++i) script.request(i + 1, method, std::string(20'000, 'r'));
        v.hears(script);
        v.host.answer_waiting();
        CHECK(v.host.machine().unsent() > 140'000);
        CHECK(v.host.machine().unsent() < 150'000 + 20'000 + 100 * 250);
        CHECK_FALSE(v.host.machine().has_room_for_answers());
        // It did not cost the connection.
        const auto all = v.host.written();
        CHECK(v.host.machine().has_room_for_answers());
        std::size_t refused = 0;
        for (std::string_view text{futon::as_text(all)}, limit{"limits.max_unsent_answer_bytes"};;) {
            const auto at = text.find(limit);
            if (at == text.npos) break;
            ++refused;
            text.remove_prefix(at + limit.size());
        }
        CHECK(refused >= 90);
        CHECK(refused < 100);
        v.greeted = true;
        CHECK(v.serves());
    }
}

TEST_CASE("session: PS9 one answer is sent whatever its size, where the peer has read all before it") {
    victim v{{.max_unsent_answer_bytes = 0}};
    const auto echo = static_cast<unsigned>(behaviour::echo);
    v.hears(crafted{}.preface().bind(echo));
    static_cast<void>(v.host.written());
    for (unsigned id = 1; id < 4; ++id) {
        v.hears(crafted{}.request(id, echo, std::string(50'000, 'r')));
        CHECK(v.host.written().size() > 50'000);
    }
}

TEST_CASE("session: PS9 what all connections hold is bounded, too, and costs only those whose peers do not read") {
    const auto all = futon::detail::make_intrusive<futon::detail::unsent_bytes>(std::size_t{500'000});
    const futon::limits bounds{.write_pause_bytes = 100'000};
    const auto echo = static_cast<unsigned>(behaviour::echo);
    crafted much;
    much.preface().bind(echo);
    for (unsigned i = 0; i < 30; ++i) much.request(i + 1, echo, std::string(20'000, 'r'));
    std::size_t held = 0;
    {
        std::vector<std::unique_ptr<victim>> victims;
        for (int i = 0; i < 8; ++i) {
            victims.push_back(std::make_unique<victim>(bounds, all));
            victims.back()->hears(much);
            held += victims.back()->host.machine().unsent();
        }
        CHECK(all->is_much());
        // The first took what there was, each other as much as it may have in any case.
        CHECK(victims.front()->host.machine().unsent() > 500'000);
        CHECK(victims.back()->host.machine().unsent() < 100'000 + 20'000 + 30 * 250);
        CHECK(held < 500'000 + 64 * 1024 + 8 * (120'000 + 30 * 250));

        victim reads{bounds, all};
        reads.hears(crafted{}.preface().bind(echo));
        static_cast<void>(reads.host.written());
        for (unsigned id = 1; id < 20; ++id) {
            reads.hears(crafted{}.request(id, echo, std::string(20'000, 'r')));
            CHECK(reads.host.written().size() > 20'000);
        }
        static_cast<void>(victims.front()->host.written());
        CHECK_FALSE(victims.front()->host.machine().unsent() > 0);
    }
    // What is gone holds nothing.
    CHECK_FALSE(all->is_much());
    victim later{bounds, all};
    later.hears(much);
    CHECK(later.host.machine().unsent() > 500'000);
}

}  // namespace
