// SPDX-License-Identifier: Apache-2.0
#include <futon/service/packability.hpp>

#include "service/support/contracts.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using futon::detail::cannot_travel;
using futon::detail::refusal;
using futon::detail::travels;
using futon::detail::unfit_parameter;
using futon::detail::unfit_result;
using tests::service::person;

struct closed {
    explicit closed(int);
};
struct points {
    int* where;
};

TEST_CASE("packability: what can be packed and unpacked may be a parameter and a result") {
    CHECK(std::is_void_v<unfit_parameter<int, const std::string&, person&&, std::vector<std::optional<person>>>>);
    CHECK(std::is_void_v<unfit_parameter<>>);
    CHECK(std::is_void_v<unfit_result<person>>);
    CHECK(std::is_void_v<unfit_result<const int>>);
    CHECK(std::is_void_v<unfit_result<void>>);
}

TEST_CASE("packability: views are parameters only") {
    CHECK(std::is_void_v<unfit_parameter<std::string_view, futon::bytes_view>>);
    CHECK(std::is_same_v<unfit_result<std::vector<std::string_view>>,
                         cannot_travel<std::vector<std::string_view>, refusal::view>>);
}

TEST_CASE("packability: the first type that may not travel is named, with the reason") {
    CHECK(std::is_same_v<unfit_parameter<int, const closed&, points>, cannot_travel<closed, refusal::unknown>>);
    CHECK(std::is_same_v<unfit_parameter<points>, cannot_travel<points, refusal::pointer>>);
    CHECK(std::is_same_v<unfit_result<closed>, cannot_travel<closed, refusal::unknown>>);
}

}  // namespace
