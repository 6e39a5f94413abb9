// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/calls_to_move.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

namespace {

using futon::detail::calls_to_move;

TEST_CASE("calls_to_move: a provider that changes many times before its turn is looked at once") {
    calls_to_move to;
    CHECK_FALSE(to.take());
    for (int i = 0; i < 1000; ++i) {
        to.add({.provider = 7});
        to.add({});  // calls that may go anywhere
    }
    std::multiset<std::uint64_t> taken;
    while (const auto next = to.take()) {
        CHECK_FALSE(next->all);
        taken.insert(next->provider);
    }
    CHECK(taken == std::multiset<std::uint64_t>{0, 7});
}

TEST_CASE("calls_to_move: where all are to be looked at, or very many, that is done once") {
    calls_to_move to;
    to.add({.provider = 1});
    to.add({.all = true});
    to.add({.provider = 2});
    auto next = to.take();
    REQUIRE(next);
    CHECK(next->all);
    CHECK_FALSE(to.take());

    for (std::uint64_t provider = 1; provider <= 10'000; ++provider) to.add({.provider = provider});
    next = to.take();
    REQUIRE(next);
    CHECK(next->all);
    CHECK_FALSE(to.take());
}

}  // namespace
