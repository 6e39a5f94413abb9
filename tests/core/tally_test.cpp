// SPDX-License-Identifier: Apache-2.0
#include <futon/core/tally.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

namespace {

using futon::detail::tally;

TEST_CASE("tally: counts what all parts have counted, in whatever order they come and go") {
    tally all;
    CHECK(all.sum() == 0);
    std::optional<tally::part> first{std::in_place, all};
    std::optional<tally::part> second{std::in_place, all};
    std::optional<tally::part> third{std::in_place, all};
    for (auto* each : {&first, &second, &second, &third, &third, &third}) (*each)->add();
    CHECK(all.sum() == 6);
    second.reset();
    CHECK(all.sum() == 6);
    third.reset();
    first->add();
    second.emplace(all);
    second->add();
    CHECK(all.sum() == 8);
    first.reset();
    second.reset();
    CHECK(all.sum() == 8);
}

TEST_CASE("tally: threads with parts of their own lose nothing, and may be asked meanwhile") {
    constexpr std::uint64_t each = 10000;
    tally all;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            tally::part mine{all};
            for (std::uint64_t k = 0; k < each; ++k) mine.add();
        });
    bool fell = false;
    for (std::uint64_t last = 0; last < 4 * each;) {
        const auto now = all.sum();
        fell = fell || now < last;
        if (now == last) std::this_thread::yield();
        last = now;
    }
    for (auto& thread : threads) thread.join();
    CHECK_FALSE(fell);
    CHECK(all.sum() == 4 * each);
}

}  // namespace
