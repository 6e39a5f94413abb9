// SPDX-License-Identifier: Apache-2.0
#include <futon/filter/gradient.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

using namespace std::chrono_literals;

namespace {

// A place that works on `width` calls at once, each for `service`: so many more wait for their turn.
futon::duration time_there(std::size_t under_way, std::size_t width, futon::duration service) {
    return under_way <= width ? service : service * static_cast<long>(under_way) / static_cast<long>(width);
}

TEST_CASE("gradient: under all the load that it admits, the limit stays near what the place works on at once") {
    for (const std::size_t width : {std::size_t{30}, std::size_t{100}, std::size_t{300}}) {
        futon::gradient rule;
        std::size_t highest = 0;
        for (int i = 0; i < 20'000; ++i) {
            rule.took(time_there(rule.limit(), width, 10ms), rule.limit());
            if (i >= 10'000) highest = std::max(highest, rule.limit());
        }
        CAPTURE(width);
        CAPTURE(rule.limit());
        CHECK(rule.limit() >= width);
        CHECK(highest <= 2 * width);
    }
}

TEST_CASE("gradient: a limit that is not reached does not move") {
    futon::gradient rule{{.initial = 50}};
    for (int i = 0; i < 1000; ++i) rule.took(i % 2 == 0 ? 1ms : 500ms, 10);
    CHECK(rule.limit() == 50);
}

TEST_CASE("gradient: it stays between its bounds") {
    futon::gradient low{{.initial = 1, .least = 10, .most = 40}};
    CHECK(low.limit() == 10);
    for (int i = 0; i < 1000; ++i) low.took(1ms, 100);
    CHECK(low.limit() == 40);
    for (int i = 0; i < 100; ++i) low.took(10s, 100);
    CHECK(low.limit() == 10);
}

TEST_CASE("gradient: a call that takes much longer than usual shrinks the limit, and it grows again") {
    futon::gradient rule{{.initial = 100, .least = 10}};
    for (int i = 0; i < 2000; ++i) rule.took(10ms, 100);
    const auto before = rule.limit();
    for (int i = 0; i < 10; ++i) rule.took(100ms, before);
    const auto after = rule.limit();
    CHECK(after < before / 2);
    for (int i = 0; i < 200; ++i) rule.took(10ms, rule.limit());
    CHECK(rule.limit() > after);
}

TEST_CASE("gradient: a place that has become slower for good is recognised as such") {
    futon::gradient rule{{.initial = 50, .least = 10, .most = 100}};
    for (int i = 0; i < 2000; ++i) rule.took(10ms, rule.limit());
    for (int i = 0; i < 300; ++i) rule.took(50ms, rule.limit());
    CHECK(rule.limit() < 20);
    for (int i = 0; i < 5000; ++i) rule.took(50ms, rule.limit());
    CHECK(rule.limit() > 50);
}

}  // namespace
