// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/waiting_calls.hpp>

#include <futon/cluster/stable_hash.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/wire/limits.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::no_deadline;
using futon::time_point;
using futon::detail::call;
using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;
using futon::detail::waiting_calls;
using turns = std::vector<std::uint64_t>;

struct nobody final : futon::detail::call_router {
    void cancel(call&) noexcept override {}
    void failed(intrusive_ptr<call>, futon::error) noexcept override {}
};

// Calls of one channel: each has the next turn.
struct caller {
    intrusive_ptr<nobody> router = make_intrusive<nobody>();
    std::uint64_t made = 0;

    intrusive_ptr<call> operator()(futon::duration deadline = futon::duration::max()) {
        auto which = make_intrusive<call>(router);
        which->turn = ++made;
        which->request.deadline = futon::deadline_after(time_point{}, deadline);
        return which;
    }
    intrusive_ptr<call> to(const std::string& address, futon::duration deadline = futon::duration::max()) {
        auto which = (*this)(deadline);
        which->request.towards = std::make_shared<const futon::route>(futon::route{.address = address});
        return which;
    }
};

turns of(waiting_calls::list all) {
    turns each;
    while (const auto one = all.pop()) each.push_back(one->turn);
    return each;
}
turns of(const waiting_calls& all) {
    turns each;
    all.for_each([&](const call& one) { each.push_back(one.turn); });
    return each;
}

TEST_CASE("waiting calls: they stand in the order in which they were made, also one that comes back") {
    caller make;
    waiting_calls all;
    for (int i = 0; i < 4; ++i) all.push(make());
    auto first = all.take_first({.all = true}, [](const call&) { return waiting_calls::look::take; });
    CHECK(first->turn == 1);
    CHECK(of(all) == turns{2, 3, 4});
    all.push(std::move(first));
    CHECK(of(all) == turns{1, 2, 3, 4});
    CHECK_FALSE(all.take_first({.all = true}, [](const call& one) {
        return one.turn == 2 ? waiting_calls::look::stop : waiting_calls::look::pass;
    }));
    CHECK(of(all.take_if({.all = true}, [](const call& one) { return one.turn % 2 == 0; })) == turns{2, 4});
    CHECK(of(all.take_all()) == turns{1, 3});
    CHECK(all.empty());
}

waiting_calls::part at(const std::string& address) {
    return {.provider = futon::stable_hash(futon::endpoint::parse(address).value())};
}

TEST_CASE("waiting calls: of those that name a provider only its own are looked at, in turn with those that name none") {
    caller make;
    waiting_calls all;
    for (const auto* each : {"tcp://[::1]:1", "", "tcp://10.0.0.1:1", "tcp://[::1]:01", ""})
        all.push(*each ? make.to(each) : make());
    CHECK(all.size() == 5);
    CHECK(all.has_free());
    CHECK(of(all) == turns{1, 2, 3, 4, 5});
    const auto seen = [&](waiting_calls::part these, waiting_calls::look what) {
        turns looked;
        static_cast<void>(all.take_first(these, [&](const call& one) { return looked.push_back(one.turn), what; }));
        return looked;
    };
    using look = waiting_calls::look;
    CHECK(seen({.all = true}, look::pass) == turns{1, 2, 3, 4, 5});
    CHECK(seen(at("tcp://[::1]:1"), look::pass) == turns{1, 2, 4, 5});  // However it is spelled.
    CHECK(seen(at("tcp://10.0.0.1:1"), look::pass) == turns{2, 3, 5});
    CHECK(seen(at("tcp://10.0.0.9:1"), look::pass) == turns{2, 5});
    // Who stops those that may go anywhere does not stop those that name a provider, nor the other way about.
    CHECK(seen({.all = true}, look::stop) == turns{1, 2});
    CHECK(seen(at("tcp://10.0.0.1:1"), look::stop) == turns{2, 3});

    CHECK(of(all.take_if(at("tcp://[::1]:1"), [](const call& one) { return one.turn > 1; })) == turns{2, 4, 5});
    CHECK_FALSE(all.has_free());
    CHECK(all.has_routes());
    CHECK(seen(at("tcp://[::1]:1"), look::take) == turns{1});
    CHECK(seen(at("tcp://[::1]:1"), look::take) == turns{});
    CHECK(of(all.take_all()) == turns{3});
    CHECK(all.empty());
    CHECK_FALSE(all.has_routes());
}

TEST_CASE("waiting calls: very many that name a provider each cost one look each, and expire with all others") {
    caller make;
    waiting_calls all;
    constexpr std::uint64_t many = 10'000;
    const auto address = [](std::uint64_t i) { return "tcp://10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1"; };
    for (std::uint64_t i = 0; i < many; ++i) all.push(make.to(address(i), i % 2 == 0 ? 1s : 2s));
    all.push(make(1s));
    CHECK(of(all.take_expired(time_point{} + 1s)).size() == many / 2 + 1);
    CHECK(all.earliest_deadline() == time_point{} + 2s);
    std::uint64_t looks = 0;
    for (std::uint64_t i = 1; i < many; i += 2) {
        const auto found = all.take_first(at(address(i)), [&](const call&) { return ++looks, waiting_calls::look::take; });
        REQUIRE(found);
        CHECK(found->turn == i + 1);
    }
    CHECK(looks == many / 2);
    CHECK(all.empty());
    CHECK(all.earliest_deadline() == no_deadline);
}

TEST_CASE("waiting calls: any one is taken out, once, and makes room for its bytes") {
    caller make;
    waiting_calls all;
    const futon::limits bounds{.max_queued_calls = 3, .max_queued_bytes = 10};
    std::vector<intrusive_ptr<call>> each;
    for (int i = 0; i < 3; ++i) {
        each.push_back(make());
        each.back()->request.arguments.append("xxx", 3);
        CHECK(all.has_room(*each.back(), bounds));
        all.push(each.back());
    }
    CHECK_FALSE(all.has_room(*each[0], bounds));
    CHECK(all.take(*each[1]) == each[1]);
    CHECK_FALSE(all.take(*each[1]));
    CHECK_FALSE(all.take(*make()));
    CHECK(of(all) == turns{1, 3});
    CHECK(all.has_room(*each[1], bounds));
    // Not by its turn alone.
    const auto other = make();
    other->turn = 3;
    CHECK_FALSE(all.take(*other));
    CHECK(all.take(*each[2]) == each[2]);
    CHECK(all.take(*each[0]) == each[0]);
    CHECK(all.empty());
}

TEST_CASE("waiting calls: those whose time has come are taken out, the earliest first, and no others") {
    caller make;
    waiting_calls all;
    CHECK(all.earliest_deadline() == no_deadline);
    for (const auto deadline : {30ms, 10ms, 20ms, 10ms, 40ms}) all.push(make(deadline));
    all.push(make());
    CHECK(all.earliest_deadline() == time_point{10ms});
    CHECK(all.take_expired(time_point{9ms}).empty());
    CHECK(of(all.take_expired(time_point{20ms})) == turns{2, 4, 3});
    CHECK(all.earliest_deadline() == time_point{30ms});
    CHECK(of(all) == turns{1, 5, 6});
    CHECK(of(all.take_expired(time_point{1h})) == turns{1, 5});
    CHECK(all.earliest_deadline() == no_deadline);
    CHECK(of(all) == turns{6});
}

TEST_CASE("waiting calls: the deadline of a call that is gone counts no more; of one that came back, once") {
    caller make;
    waiting_calls all;
    const auto early = make(10ms);
    const auto late = make(20ms);
    all.push(early);
    all.push(late);
    static_cast<void>(all.take(*early));
    CHECK(all.earliest_deadline() == time_point{20ms});
    all.push(early);
    static_cast<void>(all.take(*late));
    all.push(late);
    CHECK(all.earliest_deadline() == time_point{10ms});
    CHECK(of(all.take_expired(time_point{20ms})) == turns{1, 2});
    CHECK(all.empty());
}

TEST_CASE("waiting calls: deadlines stay right while very many calls come and go before theirs") {
    caller make;
    waiting_calls all;
    const auto stays = make(5s);
    const auto longest = make(7s);
    all.push(stays);
    all.push(longest);
    for (int i = 0; i < 10'000; ++i) {
        const auto passing = make(6s + std::chrono::microseconds{i});
        all.push(passing);
        CHECK(all.take(*passing) == passing);
    }
    CHECK(all.deadlines_held() < 100);
    CHECK(all.earliest_deadline() == time_point{5s});
    CHECK(of(all.take_expired(time_point{6s})) == turns{1});
    CHECK(all.earliest_deadline() == time_point{7s});
    CHECK(of(all.take_expired(time_point{7s})) == turns{2});
}

}  // namespace
