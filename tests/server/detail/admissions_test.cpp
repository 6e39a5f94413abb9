// SPDX-License-Identifier: Apache-2.0
#include <futon/server/detail/admissions.hpp>

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace {

using futon::detail::entrance;
using futon::detail::intrusive_ptr;
using futon::detail::ref_counted;

TEST_CASE("admissions: a place is taken for as long as it is held, also longer than whatever gave it") {
    auto door = futon::detail::make_intrusive<entrance>();
    const futon::limits bounds{.max_connections = 3, .max_connections_per_address = 2};
    std::vector<intrusive_ptr<ref_counted>> held;
    held.push_back(door->admit("tcp://10.0.0.1:1", bounds, true).value());
    held.push_back(door->admit("tcp://10.0.0.1:2", bounds, true).value());
    const auto third = door->admit("tcp://10.0.0.1:3", bounds, true);
    REQUIRE_FALSE(third);
    CHECK(third.error() == futon::errc::overloaded);
    CHECK(third.error().message() ==
          "the server takes no more connections than its limits.max_connections_per_address: 2");
    held.push_back(door->admit("tcp://10.0.0.2:1", bounds, true).value());
    const auto fourth = door->admit("unix:///run/x", bounds, true);
    REQUIRE_FALSE(fourth);
    CHECK(fourth.error().message() == "the server takes no more connections than its limits.max_connections: 3");
    for (const auto& each : held) CHECK(each);
    CHECK(door->accepted() == 3);
    CHECK(door->refused() == 2);

    held.erase(held.begin());
    held.push_back(door->admit("tcp://10.0.0.1:3", bounds, true).value());
    CHECK_FALSE(door->admit("tcp://10.0.0.3:1", bounds, true));

    held.pop_back();
    CHECK(door->admit("tcp://10.0.0.1:4", bounds, false).error() == futon::errc::unavailable);
    CHECK(door->refused() == 4);
    door = nullptr;
    held.clear();
}

TEST_CASE("admissions: of those that were refused few wait outside, and who goes leaves his seat to the next") {
    auto door = futon::detail::make_intrusive<entrance>();
    std::vector<intrusive_ptr<ref_counted>> seated;
    while (auto one = door->seat_outside()) seated.push_back(std::move(one));
    CHECK(seated.size() == 64);
    seated.pop_back();
    CHECK(door->seat_outside());
    door = nullptr;
    seated.clear();
}

}  // namespace
