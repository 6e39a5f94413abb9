// SPDX-License-Identifier: Apache-2.0
#include <futon/async/scoped_future.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

namespace {

using futon::errc;
using futon::future;
using futon::promise;
using futon::testing::manual_executor;

TEST_CASE("scoped_future: cancels what it holds when it goes out of scope, through a chain") {
    manual_executor place;
    promise<int> p{place};
    {
        const auto scoped = p.get_future().then([](int value) { return value; }).scoped();
        static_assert(!std::is_copy_constructible_v<futon::scoped_future<int>>);
        CHECK(scoped.valid());
        CHECK_FALSE(scoped.is_ready());
        CHECK_FALSE(p.cancel_requested());
    }
    CHECK(p.cancel_requested());
    place.run_ready();
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("scoped_future: what was taken out of it, or moved on, is not cancelled; what it is assigned over is") {
    manual_executor place;
    promise<int> kept{place};
    promise<int> replaced{place};
    future<int> out;
    {
        auto scoped = kept.get_future().scoped();
        auto moved = std::move(scoped);
        CHECK_FALSE(scoped.valid());
        out = std::move(moved);
        futon::scoped_future<int> other{replaced.get_future()};
        other = futon::scoped_future<int>{};
        CHECK(replaced.cancel_requested());
    }
    CHECK_FALSE(kept.cancel_requested());
    kept.set_value(1);
    CHECK(std::move(out).get() == 1);
    promise<int> asked{place};
    const auto scoped = asked.get_future().scoped();
    scoped.cancel();
    CHECK(asked.cancel_requested());
    CHECK(futon::make_ready(place, 2).scoped().release().get() == 2);
}

}  // namespace
