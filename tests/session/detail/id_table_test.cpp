// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/id_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

using futon::detail::id_table;

namespace {

struct entry {
    std::uint64_t id = 0;
    int value = 0;
};

TEST_CASE("id_table: holds what is in it, whatever the seed, through growth and removal") {
    for (const std::uint64_t seed :
         {std::uint64_t{0}, std::uint64_t{2}, ~std::uint64_t{0}, std::uint64_t{12345678901}}) {
        CAPTURE(seed);
        id_table<entry> table{seed};
        std::map<std::uint64_t, int> expected;
        std::uint64_t id = 1;
        for (int i = 0; i < 5000; ++i) {
            id = id * 6364136223846793005u + 1442695040888963407u;
            const auto key = i % 3 == 0 ? static_cast<std::uint64_t>(i + 1) : id | 1;
            CHECK((table.add({key, i}) != nullptr) == expected.emplace(key, i).second);
            if (i % 2 == 0) continue;
            const auto victim = expected.lower_bound(id);
            if (victim == expected.end()) continue;
            table.remove(*table.find(victim->first));
            expected.erase(victim);
        }
        CHECK(table.count() == expected.size());
        for (const auto& [key, value] : expected) {
            REQUIRE(table.find(key));
            CHECK(table.find(key)->value == value);
        }
        CHECK_FALSE(table.find(0));
    }
}

// How many ids stand in the place of another one's, at the worst: where ids and seed conspire it is nearly all of them.
std::size_t longest_run(std::uint64_t seed, const std::vector<std::uint64_t>& ids) {
    id_table<entry> table{seed};
    for (const auto id : ids) static_cast<void>(table.add({id, 0}));
    std::size_t longest = 0;
    std::size_t run = 0;
    for (const auto& each : table.take_all()) {
        run = each.id != 0 ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    return longest;
}

TEST_CASE("id_table: ids that collide under one seed do not under others") {
    // Multiples of the inverse of the multiplier that the seed 0 stands for, and ids that differ only in their highest bits.
    std::uint64_t inverse = 1;
    for (int i = 0; i < 6; ++i) inverse *= 2 - 0x9E37'79B9'7F4A'7C15u * inverse;
    std::vector<std::uint64_t> aimed;
    std::vector<std::uint64_t> high;
    for (std::uint64_t j = 1; j <= 4000; ++j) {
        aimed.push_back(j * inverse);
        high.push_back(j << 52);
    }
    CHECK(longest_run(0, aimed) == 4000);
    std::size_t worst = 0;
    std::uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 50; ++i) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        worst = std::max({worst, longest_run(seed, aimed), longest_run(seed, high)});
    }
    CHECK(worst < 400);
}

}  // namespace
