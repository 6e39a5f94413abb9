// SPDX-License-Identifier: Apache-2.0
#include <futon/core/rough_time.hpp>

#include <futon/core/time.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;

TEST_CASE("rough_now: never later than the exact clock, and not far behind it") {
    for (int i = 0; i < 1000; ++i) {
        const auto rough = futon::detail::rough_now();
        const auto exact = futon::clock::now();
        CHECK(rough.earliest <= exact);
        CHECK(rough.earliest <= rough.latest);
        CHECK(rough.latest - rough.earliest < 100ms);
    }
}

TEST_CASE("exactly: a time that is known") {
    const futon::time_point now{5s};
    CHECK(futon::detail::exactly(now).earliest == now);
    CHECK(futon::detail::exactly(now).latest == now);
}

}  // namespace
