// SPDX-License-Identifier: Apache-2.0
#include <futon/serving/load_meter.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace std::chrono_literals;

namespace {

struct metered {
    futon::load_report ask(std::size_t in_flight, std::uint64_t answered = 0, std::uint64_t failed = 0) {
        return meter->report(in_flight, [&] { return answered; }, failed, now);
    }

    std::unique_ptr<futon::detail::load_meter> meter = std::make_unique<futon::detail::load_meter>();
    futon::time_point now{100s};
};

TEST_CASE("load_meter: wants nothing noted before somebody asks") {
    metered it;
    CHECK_FALSE(it.meter->is_wanted());
    const auto first = it.ask(3);
    CHECK(first.in_flight == 3);
    CHECK(first.latency == futon::duration{});
    CHECK(first.qps == 0);
    CHECK(it.meter->is_wanted());
}

TEST_CASE("load_meter: tells the median of what calls took at about as many in flight") {
    metered it;
    static_cast<void>(it.ask(0));
    for (const auto took : {1ms, 2ms, 100ms}) it.meter->note(2, took);
    for (int i = 0; i < 100; ++i) it.meter->note(40, 8ms);
    CHECK(it.ask(2).latency == 2ms);
    CHECK(it.ask(41).latency == 8ms);   // The same level: four to each doubling.
    CHECK(it.ask(0).latency == 2ms);    // The nearest one that is known.
    CHECK(it.ask(1'000'000).latency == 8ms);
}

TEST_CASE("load_meter: only the last sixteen calls of a level count") {
    metered it;
    static_cast<void>(it.ask(0));
    for (int i = 0; i < 50; ++i) it.meter->note(0, 9ms);
    for (int i = 0; i < 16; ++i) it.meter->note(0, 1ms);
    CHECK(it.ask(0).latency == 1ms);
}

TEST_CASE("load_meter: rates are those between two questions, half a second apart or more") {
    metered it;
    static_cast<void>(it.ask(0, 1000, 10));
    it.now += 100ms;
    CHECK(it.ask(0, 1100, 10).qps == 0);
    it.now += 900ms;
    const auto told = it.ask(0, 3000, 30);
    CHECK(told.qps == 2000);
    CHECK(told.eps == 20);
    CHECK(told.utilisation > 0);
}

TEST_CASE("load_meter: what was noted two seconds ago counts no more, also if it is asked all the time") {
    metered it;
    static_cast<void>(it.ask(0));
    for (int i = 0; i < 16; ++i) it.meter->note(0, 50ms);
    for (int i = 0; i < 19; ++i) {
        CHECK(it.ask(0).latency == 50ms);
        it.now += 100ms;
    }
    it.meter->note(3, 8ms);
    CHECK(it.ask(0).latency == 50ms);
    it.now += 100ms;
    CHECK(it.ask(0).latency == 8ms);  // Of what is known still, the nearest.
    it.now += 2s;
    CHECK(it.ask(0).latency == futon::duration{});
}

TEST_CASE("load_meter: the new calls of a level count beside what is left of the old ones") {
    metered it;
    static_cast<void>(it.ask(0));
    for (int i = 0; i < 10; ++i) it.meter->note(0, 50ms);
    it.now += 1900ms;
    static_cast<void>(it.ask(0));
    it.meter->note(0, 1ms);
    CHECK(it.ask(0).latency == 50ms);
    it.now += 100ms;
    CHECK(it.ask(0).latency == 1ms);
}

TEST_CASE("load_meter: what was noted long before the next question is forgotten") {
    metered it;
    static_cast<void>(it.ask(0));
    it.meter->note(0, 5ms);
    CHECK(it.ask(0).latency == 5ms);
    it.now += 1min;
    CHECK(it.ask(0).latency == futon::duration{});
}

}  // namespace
