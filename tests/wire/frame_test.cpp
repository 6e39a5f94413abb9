// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/frame.hpp>

#include <doctest/doctest.h>

namespace {

TEST_CASE("frame: a fault is worded with its value, and with its limit if it has one") {
    CHECK(futon::describe({"frame too long: length", 9, 8}) == "frame too long: length: 9, limit 8");
    CHECK(futon::describe({"unknown frame type", 51}) == "unknown frame type: 51");
}

TEST_CASE("frame: nothing is taken for granted before it was read") {
    const futon::frame empty;
    CHECK(empty.what == futon::frame::kind::skipped);
    CHECK(empty.remaining < futon::duration::zero());
    CHECK(empty.ran == futon::executed::maybe);
}

}  // namespace
