// SPDX-License-Identifier: Apache-2.0
#include <futon/session/any_session.hpp>

#include "session/support/victim.hpp"

#include <doctest/doctest.h>

using futon::testing::behaviour;
using futon::testing::crafted;
using futon::testing::victim;

namespace {

constexpr auto later = static_cast<unsigned>(behaviour::later);

crafted greeting() { return crafted{}.preface().bind(later); }
crafted& request(crafted& to, std::uint64_t id, std::uint8_t window = 100) {
    return to.frame(1, 0x11, crafted{}.u64(id).raw({later, window}).text(std::to_string(id)));
}
crafted request(std::uint64_t id) {
    crafted made;
    return request(made, id);
}
crafted item(std::uint64_t id, std::string_view body) { return crafted{}.frame(0x10, 1, crafted{}.u64(id).text(body)); }
crafted items_end(std::uint64_t id) { return crafted{}.frame(0x11, 1, crafted{}.u64(id)); }
crafted credit(std::uint64_t id, std::initializer_list<unsigned> count) {
    return crafted{}.frame(0x12, 1, crafted{}.u64(id).raw(count));
}

// With one stream of the peer's that was accepted.
struct streamed : victim {
    explicit streamed(const futon::limits& bounds = {}) : victim{bounds} { hears(greeting()).hears(request(7)); }
};

TEST_CASE("streams: an item beyond its credit breaks the connection, the one that uses it up does not") {
    futon::limits small;
    small.stream_window = 1000;
    streamed v{small};
    CHECK_FALSE(v.hears(item(7, "caller 0 " + std::string(100'000, 'x'))).broke());
    CHECK(v.hears(item(7, "caller 1 ")).broke());
    CHECK(v.why() == "item without credit, stream: 7");
    CHECK(v.host.ports_in.at(7)->received == 1);
}

TEST_CASE("streams: an item for a call that never was is counted and dropped") {
    streamed v;
    v.hears(item(8, "x"))
        .hears(items_end(8))
        .hears(credit(8, {5}))
        .hears(crafted{}.frame(0x13, 0, crafted{}.u64(8).raw({5})));
    v.hears(crafted{}.frame(0x10, 0, crafted{}.u64(7).text("x")));  // Of a call that this side would have made.
    CHECK(v.serves());
    CHECK(v.host.machine().stats().late_items == 2);
}

TEST_CASE("streams: an item or an end for a call without streams is dropped") {
    victim v;
    v.hears(greeting().request(5, later, "plain"));
    CHECK(v.hears(item(5, "x")).hears(items_end(5)).serves());
    CHECK(v.host.machine().stats().late_items == 1);
}

TEST_CASE("streams: nothing may come before the call is accepted") {
    for (const auto& early : {item(7, "x"), items_end(7), credit(7, {1})}) {
        victim v;
        v.host.accepts = false;
        CHECK(v.hears(greeting()).hears(request(7)).hears(early).broke());
    }
}

TEST_CASE("streams: credit beyond reason breaks the connection, whether at once or in sum") {
    // 2^64 and more.
    CHECK(streamed{}.hears(credit(7, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02})).broke());
    // 2^64 - 1
    CHECK(streamed{}.hears(credit(7, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})).broke());
    // 2^61 - 1
    CHECK_FALSE(streamed{}.hears(credit(7, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F})).broke());
    streamed v;
    for (int i = 0; i < 2; ++i) v.hears(credit(7, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}));  // 2^61
    CHECK(v.broke());
    CHECK(v.why().find("credit beyond reason") == 0);

    victim huge;
    crafted most;
    most.frame(1, 0x11,
               crafted{}.u64(9).raw({later, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}).text("most"));
    CHECK_FALSE(huge.hears(greeting()).hears(most).broke());  // Counts as 2^62.
    CHECK(huge.host.machine().credit({9, false}) == 64 << 10);
}

TEST_CASE("streams: a side that grants everything and reads nothing is sent no more than the pause allows") {
    futon::limits bounds;
    bounds.write_pause_bytes = 10'000;
    streamed v{bounds};
    v.hears(credit(7, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}));
    int sent = 0;
    while (v.host.ports_in.at(7)->send(500) == futon::detail::item_fate::sent) ++sent;
    CHECK(v.host.machine().unsent() < 10'000 + 600);
    CHECK(sent >= 19);
}

TEST_CASE("streams: items end once, and nothing follows") {
    CHECK_FALSE(streamed{}.hears(items_end(7)).broke());
    CHECK(streamed{}.hears(items_end(7)).hears(items_end(7)).broke());
    CHECK(streamed{}.hears(items_end(7)).hears(item(7, "caller 0 ")).broke());
}

TEST_CASE("streams: a call from here is accepted once, and its items do not come before that") {
    const auto called = [](const crafted& answer) {
        victim v;
        v.hears(crafted{}.raw({0xC1, 'f', 'u', 't', 1, 5, 100, 100, 100, 100, 100}));
        const auto index = v.host.place(
            {.what = behaviour::later, .streams = futon::detail::stream_terms{.sends = true, .receives = true}});
        REQUIRE(v.host.calls[index]->id == std::uint64_t{1} << 32);
        return v.hears(answer).broke();
    };
    const auto id = std::uint64_t{1} << 32;
    const auto accepted = crafted{}.frame(0x13, 0, crafted{}.u64(id).raw({0x20}));
    auto twice = accepted;
    twice.frame(0x13, 0, crafted{}.u64(id).raw({0x20}));
    auto then_item = accepted;
    then_item.frame(0x10, 0, crafted{}.u64(id).text("callee 0 "));
    CHECK_FALSE(called(accepted));
    CHECK(called(twice));
    CHECK_FALSE(called(then_item));
    CHECK(called(crafted{}.frame(0x10, 0, crafted{}.u64(id).text("callee 0 "))));
    CHECK(called(crafted{}.frame(0x12, 0, crafted{}.u64(id).raw({1}))));
    CHECK(called(
        crafted{}.frame(0x13, 0, crafted{}.u64(id).raw({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}))));
}

TEST_CASE("streams: past the limit a stream is refused and not run") {
    futon::limits few;
    few.max_streams = 3;
    victim v{few};
    v.hears(greeting());
    for (std::uint64_t id = 1; id <= 5; ++id) v.hears(request(id));
    CHECK(v.refusals() == std::vector<futon::errc>(2, futon::errc::overloaded));
    CHECK(v.host.ran.size() == 3);
    CHECK(v.serves());
}

TEST_CASE("streams: an item past the limit of a body breaks the connection") {
    futon::limits bounds;
    bounds.max_body_bytes = 100'000;
    bounds.stream_window = 1u << 20;
    CHECK_FALSE(streamed{bounds}.hears(item(7, "caller 0 " + std::string(99'000, 'x'))).broke());
    CHECK(streamed{bounds}.hears(item(7, "caller 0 " + std::string(100'001, 'x'))).broke());
}

TEST_CASE("streams: a million tiny items are held to what the window allows") {
    crafted flood;
    for (int i = 0; i < 1'000'000; ++i) flood.frame(0x10, 1, crafted{}.u64(7).raw({'c'}));
    streamed v;
    v.hears(flood);
    CHECK(v.broke());
    CHECK(v.host.ports_in.at(7)->most_held <= (64u << 10) + 33);
    MESSAGE("held: " << v.host.ports_in.at(7)->received << " items");

    // And where each is consumed as it comes, all of them pass.
    streamed patient;
    for (int i = 0; i < 1000; ++i) {
        crafted some;
        for (int k = 0; k < 1000; ++k)
            some.frame(0x10, 1, crafted{}.u64(7).text("caller " + std::to_string(i * 1000 + k) + " "));
        patient.hears(some);
        patient.host.ports_in.at(7)->consume(patient.now);
    }
    CHECK(patient.host.ports_in.at(7)->received == 1'000'000);
    CHECK(patient.host.ports_in.at(7)->wrong == "");
    CHECK(patient.serves());
}

TEST_CASE("streams: calls that are opened and cancelled count until their handlers are done, and not as plain ones") {
    futon::limits few;
    few.max_streams = 2;
    few.max_in_flight = 1;
    victim v{few};
    v.hears(greeting());
    for (const std::uint64_t id : {3u, 4u}) v.hears(request(id)).hears(crafted{}.frame(5, 1, crafted{}.u64(id)));
    CHECK(v.refusals().empty());
    v.hears(request(5));
    CHECK(v.refusals() == std::vector{futon::errc::overloaded});
    v.hears(crafted{}.request(6, later, "plain"));
    CHECK(v.refusals().empty());
    v.hears(crafted{}.request(7, later, "another"));
    CHECK(v.refusals() == std::vector{futon::errc::overloaded});
}

}  // namespace
