// SPDX-License-Identifier: Apache-2.0
#include <futon/async/make_stream.hpp>

#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

namespace {

using futon::testing::manual_executor;

TEST_CASE("make_stream: at most the capacity is queued, and the next send waits for the consumer") {
    manual_executor place;
    auto [out, in] = futon::make_stream<std::unique_ptr<int>>(place, 2);
    CHECK(out.send(std::make_unique<int>(1)).is_ready());
    CHECK(out.send(std::make_unique<int>(2)).is_ready());
    auto waits = out.send(std::make_unique<int>(3));
    CHECK_FALSE(waits.is_ready());
    CHECK(out.try_send(std::make_unique<int>(4)).error() == futon::errc::overloaded);
    CHECK(**in.next().get() == 1);
    CHECK(waits.is_ready());
    out.close();
    CHECK(**in.next().get() == 2);
    CHECK(**in.next().get() == 3);
    CHECK_FALSE(in.next().get().has_value());
    CHECK_FALSE(in.next().get().has_value());
    CHECK(in.result().get_result().has_value());
}

TEST_CASE("make_stream: with no capacity an item goes from hand to hand") {
    manual_executor place;
    auto [out, in] = futon::make_stream<int>(place, 0);
    auto first = out.send(1);
    CHECK_FALSE(first.is_ready());
    CHECK(*in.next().get() == 1);
    CHECK(first.is_ready());
    auto wanted = in.next();
    CHECK_FALSE(wanted.is_ready());
    CHECK(out.try_send(2).has_value());
    CHECK(*std::move(wanted).get() == 2);
}

TEST_CASE("make_stream: a stream may end with a final result") {
    manual_executor place;
    auto [out, in] = futon::make_stream<int, std::string>(place, 4);
    CHECK(out.send(1).is_ready());
    out.close("report");
    CHECK(*in.next().get() == 1);
    CHECK_FALSE(in.next().get().has_value());
    CHECK(in.result().get() == "report");
    CHECK(in.result().get_result().error() == futon::errc::no_state);
}

TEST_CASE("make_stream: without an executor values can be had and continuations fail") {
    auto [out, in] = futon::make_stream<int>(4);
    CHECK(out.send(1).is_ready());
    CHECK(*in.next().get() == 1);
    CHECK(out.send(1).is_ready());
    CHECK(in.next().then([](std::optional<int>) {}).get_result().error() == futon::errc::no_executor);
}

}  // namespace
