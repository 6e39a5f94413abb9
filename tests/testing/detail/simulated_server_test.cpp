// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/detail/simulated_server.hpp>

#include <futon/serving/load_meter.hpp>
#include <futon/testing/detail/chance.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>

using namespace std::chrono_literals;

namespace {

TEST_CASE("simulated_server: tells of its latency what a real server would") {
    const auto real = std::make_unique<futon::detail::load_meter>();
    futon::detail::latency_by_load simulated;
    const futon::detail::chance_stream dice{7, futon::detail::chance::demand};
    futon::duration now = 100s;
    int silent = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        // Mostly calls in quick succession; now and then nothing for a few seconds, so that what was noted grows old.
        now += dice.below(1000, 4 * i) == 0 ? futon::duration{3s} : futon::duration{dice.below(20'000'000, 4 * i + 1)};
        const auto in_flight = dice.below(dice.below(200, 4 * i + 2) == 0 ? 10'000 : 40, 4 * i + 3);
        const auto told = real->report(in_flight, [] { return std::uint64_t{0}; }, 0, futon::time_point{now}).latency;
        REQUIRE(simulated.median(in_flight, now) == told);
        silent += told == futon::duration{};
        const auto took = futon::duration{dice.below(90'000'000, 4 * i + 1)};
        real->note(in_flight, took);
        simulated.add(in_flight, took, now);
    }
    CHECK(silent > 5);
    CHECK(silent < 100);
}

}  // namespace
