// SPDX-License-Identifier: Apache-2.0
#include <futon/core/result.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using futon::errc;
using futon::error;
using futon::result;
using futon::unexpected;

TEST_CASE("result: is made from a value, an error or a code, and tells them apart") {
    const result<std::string> good = "text";
    const result<std::string> bad = errc::overloaded;
    const result<std::string> worse = error{errc::internal, "why"};
    CHECK(good.has_value());
    CHECK(*good == "text");
    CHECK(good->size() == 4);
    CHECK_FALSE(bad);
    CHECK(bad.error() == errc::overloaded);
    CHECK(worse.error().message() == "why");
    CHECK(result<int>{} == result<int>{0});
    CHECK(result<void>{}.has_value());
    CHECK_FALSE(result<void>{errc::internal}.has_value());
    static_assert(!std::is_default_constructible_v<result<std::reference_wrapper<int>>>);
}

TEST_CASE("result: errors can be values too, and are told apart by unexpected") {
    const result<error> value{error{errc::overloaded}};
    CHECK(value.has_value());
    const result<error> failure{unexpected{errc::overloaded}};
    CHECK_FALSE(failure.has_value());
    const result<errc> code{errc::overloaded};
    CHECK(code.has_value());
    CHECK_FALSE(result<errc>{unexpected{errc::overloaded}}.has_value());
}

TEST_CASE("result: value() throws the error, the value otherwise, move-only ones too") {
    CHECK_THROWS_AS(static_cast<void>(result<int>{errc::internal}.value()), futon::rpc_error);
    CHECK_THROWS_AS(result<void>{errc::internal}.value(), futon::rpc_error);
    CHECK_NOTHROW(result<void>{}.value());
    result<std::unique_ptr<int>> owned{std::make_unique<int>(4)};
    auto moved = std::move(owned).value();
    CHECK(*moved == 4);
    CHECK(result<int>{errc::internal}.value_or(7) == 7);
    CHECK(result<int>{3}.value_or(7) == 3);
}

TEST_CASE("result: copies and moves keep what is inside, in all four directions of assignment") {
    const result<std::string> good{std::string(100, 'x')};
    const result<std::string> bad{error{errc::internal, "why"}};
    for (const auto* from : {&good, &bad}) {
        for (const auto* to : {&good, &bad}) {
            result<std::string> copy{*to};
            copy = *from;
            CHECK(copy == *from);
            result<std::string> target{*to};
            target = std::move(copy);
            CHECK(target == *from);
            auto& itself = target;
            target = itself;
            CHECK(target == *from);
        }
    }
}

TEST_CASE("result: chains by and_then, transform, or_else and transform_error") {
    const auto half = [](int value) -> result<int> {
        if (value % 2 != 0) return errc::bad_arguments;
        return value / 2;
    };
    CHECK(result<int>{8}.and_then(half).and_then(half) == result<int>{2});
    CHECK(result<int>{6}.and_then(half).and_then(half).error() == errc::bad_arguments);
    CHECK(result<int>{2}.transform([](int value) { return std::to_string(value); }) == result<std::string>{"2"});
    CHECK(result<int>{errc::internal}.transform([](int) { return 1; }).error() == errc::internal);
    CHECK(result<int>{errc::internal}.or_else([](const error&) -> result<int> { return 5; }) == result<int>{5});
    CHECK(result<int>{errc::internal}.transform_error([](const error&) { return error{errc::overloaded}; }).error() ==
          errc::overloaded);
    int seen = 0;
    CHECK(result<int>{3}.transform([&](int value) { seen = value; }).has_value());
    CHECK(seen == 3);
    CHECK(result<void>{}.and_then([]() -> result<int> { return 1; }) == result<int>{1});
    CHECK(result<void>{errc::internal}.or_else([](const error&) -> result<void> { return {}; }).has_value());
}

TEST_CASE("result: error() of a success is an empty error, and no failure of any kind") {
    const result<int> number{3};
    const result<void> nothing{};
    for (const auto* why : {&number.error(), &nothing.error()}) {
        CHECK_FALSE(why->code());
        CHECK_FALSE(*why == errc::internal);
        CHECK_FALSE(why->is(futon::cond::retryable));
        CHECK(why->ran() == futon::executed::yes);
        CHECK(why->where().empty());
        CHECK(why->message() == std::error_code{}.message());
    }
    // Also out of one that is about to end; the value stays what it was.
    result<std::string> text{"kept"};
    CHECK_FALSE(std::move(text).error().code());
    CHECK(*text == "kept");
    CHECK_FALSE(result<void>{}.error().code());
}

}  // namespace
