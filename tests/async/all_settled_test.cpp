// SPDX-License-Identifier: Apache-2.0
#include <futon/async/all_settled.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using futon::all_settled;
using futon::errc;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;

TEST_CASE("all_settled: holds every result in order, and waits for the last whatever the others did") {
    manual_executor place;
    promise<int> last{place};
    auto all = all_settled(make_failed<int>(place, errc::unavailable), make_ready(place), last.get_future(),
                           make_ready(place, std::make_unique<int>(3)));
    static_assert(
        std::is_same_v<decltype(all),
                       future<std::tuple<result<int>, result<void>, result<int>, result<std::unique_ptr<int>>>>>);
    CHECK_FALSE(all.is_ready());
    CHECK_FALSE(last.cancel_requested());
    last.set_value(2);
    const auto got = std::move(all).get();
    CHECK(std::get<0>(got).error() == errc::unavailable);
    CHECK(std::get<1>(got).has_value());
    CHECK(std::get<2>(got) == result<int>{2});
    CHECK(**std::get<3>(got) == 3);
    CHECK(place.unseen_failures() == 0);
    CHECK(all_settled().get() == std::tuple<>{});
}

TEST_CASE("all_settled: of a range gives a vector, and an empty future is a result with no_state") {
    manual_executor place;
    std::vector<future<int>> some;
    some.push_back(make_ready(place, 1));
    some.emplace_back();
    const auto got = all_settled(std::move(some)).get();
    REQUIRE(got.size() == 2);
    CHECK(got[0] == result<int>{1});
    CHECK(got[1].error() == errc::no_state);
    CHECK(all_settled(std::vector<future<void>>{}).get().empty());
}

TEST_CASE("all_settled: cancelling it cancels every input, and it holds what they made of it") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    auto all = all_settled(a.get_future(), b.get_future().then([](int) { return 1; }));
    all.cancel();
    CHECK(a.cancel_requested());
    CHECK(b.cancel_requested());
    place.run_ready();
    const auto got = std::move(all).get();
    CHECK(std::get<0>(got).error() == errc::cancelled);
    CHECK(std::get<1>(got).error() == errc::cancelled);
}

TEST_CASE("all_settled: failures that nobody asks for are still not reported as unseen") {
    manual_executor place;
    promise<int> p{place};
    { auto dropped = all_settled(p.get_future(), make_failed<int>(place, errc::unavailable)); }
    p.set_error(errc::unavailable);
    CHECK(place.unseen_failures() == 0);
}

futon::task<int> five() { co_return 5; }

TEST_CASE("all_settled: takes coroutines beside futures and begins them where those are") {
    manual_executor place;
    auto all = all_settled(make_ready(place, 1), five());
    CHECK_FALSE(all.is_ready());
    place.run_ready();
    CHECK(std::get<1>(std::move(all).get()) == result<int>{5});
}

TEST_CASE("all_settled: nested deeply it completes and cancels without a stack") {
    for (const bool cancel : {false, true}) {
        CAPTURE(cancel);
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> p{place};
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i)
                nested = all_settled(std::move(nested)).then([](std::tuple<result<int>> one) {
                    return std::get<0>(std::move(one));
                });
            cancel ? nested.cancel() : p.set_value(4);
            place.run_ready();
            const auto got = std::move(nested).get_result();
            CHECK((cancel ? !got && got.error() == errc::cancelled : got == result<int>{4}));
        });
    }
}

}  // namespace
