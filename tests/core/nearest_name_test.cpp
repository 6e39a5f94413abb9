// SPDX-License-Identifier: Apache-2.0
#include <futon/core/nearest_name.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace {

using futon::detail::name_distance;
using futon::detail::nearest_name;
constexpr std::array<std::string_view, 5> known{"timeout", "retries", "cluster", "hedge", "balancer"};

TEST_CASE("nearest name: the distance counts bytes put in, left out and replaced, whatever their case") {
    CHECK(name_distance("", "") == 0);
    CHECK(name_distance("", "abc") == 3);
    CHECK(name_distance("kitten", "sitting") == 3);
    CHECK(name_distance("sitting", "kitten") == 3);
    CHECK(name_distance("TimeOut", "timeout") == 0);
    // Beginnings are all that is compared of what is very long.
    CHECK(name_distance(std::string(10'000, 'a'), std::string(20'000, 'a')) == 0);
}

TEST_CASE("nearest name: a slip finds the name that was meant, another word finds none") {
    struct pair {
        std::string_view written;
        std::string_view meant;
    };
    for (const auto& [written, meant] : {pair{"timout", "timeout"}, pair{"timeOut", "timeout"}, pair{"retires", "retries"},
                                         pair{"retry", "retries"}, pair{"hedging", "hedge"},
                                         pair{"loadbalancer", "balancer"}, pair{"weight", ""}, pair{"colour", ""},
                                         pair{"t", ""}, pair{"", ""}}) {
        CAPTURE(written);
        CHECK(nearest_name(written, known) == meant);
    }
}

TEST_CASE("nearest name: a sentence ends with what may have been meant and with all that there is") {
    CHECK(futon::detail::known_names("retry", known) ==
          "; did you mean 'retries'? Known: timeout, retries, cluster, hedge, balancer");
    CHECK(futon::detail::known_names("x", known) == "; known: timeout, retries, cluster, hedge, balancer");
}

}  // namespace
