// SPDX-License-Identifier: Apache-2.0
#include <futon/async/when_all.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <list>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::future;
using futon::make_ready;
using futon::promise;
using futon::when_all;
using futon::testing::manual_executor;

TEST_CASE("when_all: gives all values in order, nothing as monostate, move-only ones too") {
    manual_executor place;
    promise<int> late{place};
    auto all = when_all(late.get_future(), make_ready(place), make_ready(place, std::make_unique<int>(3)));
    static_assert(std::is_same_v<decltype(all), future<std::tuple<int, std::monostate, std::unique_ptr<int>>>>);
    CHECK_FALSE(all.is_ready());
    late.set_value(1);
    auto [first, nothing, owned] = std::move(all).get();
    CHECK(first == 1);
    CHECK(*owned == 3);
    static_cast<void>(nothing);
    CHECK(std::get<0>(when_all(make_ready(place, 5)).get()) == 5);
    CHECK(when_all().get() == std::tuple<>{});
}

TEST_CASE("when_all: of a range gives a vector, of nothings nothing, of none an empty one") {
    manual_executor place;
    std::vector<future<int>> some;
    for (int i = 0; i < 5; ++i) some.push_back(make_ready(place, i));
    CHECK(when_all(std::move(some)).get() == std::vector<int>{0, 1, 2, 3, 4});
    std::list<future<int>> listed;
    listed.push_back(make_ready(place, 7));
    CHECK(when_all(listed).get() == std::vector<int>{7});
    std::vector<future<void>> nothings;
    nothings.push_back(make_ready(place));
    auto done = when_all(std::move(nothings));
    static_assert(std::is_same_v<decltype(done), future<void>>);
    CHECK(std::move(done).get_result().has_value());
    CHECK(when_all(std::vector<future<int>>{}).get().empty());
}

TEST_CASE("when_all: the first failure cancels the others before its stage is queued, and is the result at once") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    promise<std::string> c{place};
    bool cancelled_first = false;
    auto all = when_all(a.get_future(), b.get_future(), c.get_future()).handle([&](auto got) {
        cancelled_first = a.cancel_requested() && c.cancel_requested();
        return static_cast<errc>(got.error().code().value());
    });
    b.set_error(errc::unavailable);
    CHECK(a.cancel_requested());
    place.run_ready();
    CHECK(std::move(all).get() == errc::unavailable);
    CHECK(cancelled_first);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("when_all: failures of the others count as seen, whichever way they fail") {
    manual_executor place;
    std::vector<future<int>> failing;
    for (int i = 0; i < 4; ++i) failing.push_back(futon::make_failed<int>(place, errc::unavailable));
    CHECK(when_all(std::move(failing)).get_result().error() == errc::unavailable);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("when_all: cancelling it cancels each input, through chains and through nested ones") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    promise<int> c{place};
    std::vector<future<int>> ranged;
    ranged.push_back(c.get_future());
    auto all = when_all(a.get_future().then([](int value) { return value; }), when_all(b.get_future()),
                        when_all(std::move(ranged)))
                   .then([](auto) {});
    all.cancel();
    CHECK(a.cancel_requested());
    CHECK(b.cancel_requested());
    CHECK(c.cancel_requested());
    place.run_ready();
    CHECK(std::move(all).get_result().error() == errc::cancelled);
}

TEST_CASE("when_all: nested a hundred thousand deep it completes and cancels without a stack") {
    for (const bool cancel : {false, true}) {
        CAPTURE(cancel);
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> p{place};
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i)
                nested = when_all(std::move(nested), make_ready(place, 1)).then([](std::tuple<int, int> both) {
                    return std::get<0>(both) + std::get<1>(both);
                });
            if (cancel) {
                nested.cancel();
            } else {
                p.set_value(0);
            }
            place.run_ready();
            const auto got = std::move(nested).get_result();
            CHECK((cancel ? !got && got.error() == errc::cancelled : got == futon::result<int>{tests::deep / 10}));
        });
    }
}

TEST_CASE("when_all: stages run where this thread is, else where the inputs are, else where it is told") {
    manual_executor home;
    manual_executor away;
    CHECK(when_all(make_ready(nullptr, 1), make_ready(away, 1)).executor() == away.ref());
    CHECK(when_all(home, make_ready(away, 1)).executor() == home.ref());
    CHECK(when_all(make_ready(nullptr, 1)).executor() == nullptr);
    futon::executor_ref inside;
    make_ready(home).on_complete([&](auto) { inside = when_all(make_ready(away, 1)).executor(); });
    home.run_ready();
    CHECK(inside == home.ref());
}

TEST_CASE("when_all: an empty future among its inputs is no_state") {
    CHECK(when_all(make_ready(1), future<int>{}).get_result().error() == errc::no_state);
}

TEST_CASE("when_all: inputs that complete on several threads at once are all there") {
    futon::runtime threads{{.io_threads = 2}};
    const auto first = threads.executor();
    const auto second = threads.executor();
    for (int round = 0; round < (tests::is_instrumented ? 500 : 5000); ++round) {
        std::vector<future<int>> some;
        for (int i = 0; i < 8; ++i) some.push_back(futon::async(i % 2 ? first : second, [i] { return i; }));
        REQUIRE(when_all(std::move(some)).get() == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
    }
}

}  // namespace
