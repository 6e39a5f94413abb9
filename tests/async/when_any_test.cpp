// SPDX-License-Identifier: Apache-2.0
#include <futon/async/when_any.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::first_finished;
using futon::future;
using futon::make_ready;
using futon::promise;
using futon::when_any;
using futon::testing::manual_executor;

TEST_CASE("when_any: the first to finish wins at any position, and the others are cancelled") {
    manual_executor place;
    for (std::size_t winner = 0; winner < 3; ++winner) {
        CAPTURE(winner);
        std::vector<promise<int>> promises;
        std::vector<future<int>> futures;
        for (int i = 0; i < 3; ++i) futures.push_back(promises.emplace_back(place).get_future());
        auto any = when_any(std::move(futures));
        promises[winner].set_value(7);
        const auto got = std::move(any).get();
        CHECK(got.index == winner);
        CHECK(got.outcome == futon::result<int>{7});
        for (std::size_t i = 0; i < 3; ++i) CHECK(promises[i].cancel_requested() == (i != winner));
    }
}

TEST_CASE("when_any: with all ready the first wins, and losers' failures count as seen") {
    manual_executor place;
    const auto got =
        when_any(make_ready(place, 1), futon::make_failed<int>(place, errc::unavailable), make_ready(place, 3)).get();
    CHECK(got.index == 0);
    CHECK(*got.outcome == 1);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("when_any: a failure can be the first to finish") {
    manual_executor place;
    promise<int> slow{place};
    const auto got = when_any(slow.get_future(), futon::make_failed<int>(place, errc::unavailable)).get();
    CHECK(got.index == 1);
    CHECK(got.outcome.error() == errc::unavailable);
    CHECK(slow.cancel_requested());
}

TEST_CASE("when_any: of different types gives a variant whose index is the input's") {
    manual_executor place;
    promise<std::string> slow{place};
    auto any = when_any(slow.get_future(), make_ready(place), make_ready(place, 5), make_ready(place, 6));
    static_assert(
        std::is_same_v<decltype(any), future<first_finished<std::variant<std::string, std::monostate, int, int>>>>);
    const auto got = std::move(any).get();
    CHECK(got.index == 1);
    CHECK(got.outcome->index() == 1);
}

TEST_CASE("when_any: races a call against a delay") {
    manual_executor place;
    promise<int> call{place};
    auto any = when_any(call.get_future(), futon::delay(place, 5ms));
    place.advance(5ms);
    CHECK(std::move(any).get().index == 1);
    CHECK(call.cancel_requested());
    promise<int> quick{place};
    auto other = when_any(quick.get_future(), futon::delay(place, 5ms));
    quick.set_value(1);
    CHECK(place.timers() == 0);
    CHECK(std::get<0>(*std::move(other).get().outcome) == 1);
}

TEST_CASE("when_any: cancelling it cancels every input") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    auto any = when_any(a.get_future(), b.get_future());
    any.cancel();
    CHECK(a.cancel_requested());
    CHECK(b.cancel_requested());
    CHECK(std::move(any).get().outcome.error() == errc::cancelled);
}

TEST_CASE("when_any: of none is no_state") {
    CHECK(when_any(std::vector<future<int>>{}).get_result().error() == errc::no_state);
}

}  // namespace
