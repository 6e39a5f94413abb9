// SPDX-License-Identifier: Apache-2.0
#include <futon/async/fallback.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace {

using futon::errc;
using futon::error;
using futon::fallback;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::testing::manual_executor;

TEST_CASE("fallback: alternatives are tried in order, each only when the one before has failed") {
    manual_executor place;
    std::string order;
    auto f = fallback(
        make_failed<int>(place, errc::unavailable),
        [&](const error& why) {
            order += "a";
            CHECK(why == errc::unavailable);
            return make_failed<int>(place, errc::overloaded);
        },
        [&](error why) -> futon::task<int> {
            order += "b";
            CHECK(why == errc::overloaded);
            co_return 3;
        },
        [&] {
            order += "c";
            return 4;
        });
    CHECK(order.empty());
    place.run_ready();
    CHECK(std::move(f).get() == 3);
    CHECK(order == "ab");
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("fallback: a value needs no alternative, and when all fail the last failure is the result") {
    manual_executor place;
    manual_executor away;
    auto value = fallback(make_ready(place, 1), [] { return 2; });
    auto failed = fallback(away, make_failed<int>(place, errc::unavailable), [&] {
        CHECK(futon::current_executor() == away.ref());
        return make_failed<int>(place, errc::overloaded);
    });
    place.run_ready();
    away.run_ready();
    CHECK(std::move(value).get() == 1);
    CHECK(std::move(failed).get_result().error() == errc::overloaded);
    CHECK(fallback(make_ready(place, 5)).get() == 5);
}

TEST_CASE("fallback: cancelled, it ends what is under way and tries nothing more") {
    manual_executor place;
    promise<int> first{place};
    auto f = fallback(first.get_future(), [] { FAIL("tried"); return 1; });
    f.cancel();
    CHECK(first.cancel_requested());
    place.run_ready();
    CHECK(std::move(f).get_result().error() == errc::cancelled);

    promise<int> second{place};
    auto g = fallback(
        make_failed<int>(place, errc::unavailable), [&] { return second.get_future(); },
        [] {
            FAIL("tried");
            return 1;
        });
    place.run_ready();
    g.cancel();
    CHECK(second.cancel_requested());
    place.run_ready();
    CHECK(std::move(g).get_result().error() == errc::cancelled);
}

TEST_CASE("fallback: of very many alternatives takes no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        auto f = make_failed<int>(place, errc::unavailable);
        for (int i = 0; i < tests::deep / 4; ++i)
            f = fallback(std::move(f), [&place] { return make_failed<int>(place, errc::unavailable); });
        place.run_ready();
        CHECK(std::move(f).get_result().error() == errc::unavailable);
    });
}

}  // namespace
