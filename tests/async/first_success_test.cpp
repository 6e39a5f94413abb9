// SPDX-License-Identifier: Apache-2.0
#include <futon/async/first_success.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace {

using futon::errc;
using futon::executed;
using futon::first_success;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::testing::manual_executor;

TEST_CASE(
    "first_success: failures are passed over, the first value wins at any position, and the others are cancelled") {
    manual_executor place;
    for (std::size_t winner = 0; winner < 3; ++winner) {
        CAPTURE(winner);
        std::vector<promise<int>> promises;
        std::vector<future<int>> futures;
        for (int i = 0; i < 4; ++i) futures.push_back(promises.emplace_back(place).get_future());
        auto first = first_success(std::move(futures));
        promises[3].set_error(errc::unavailable);
        CHECK_FALSE(first.is_ready());
        bool cancelled_before = false;
        auto next = std::move(first).then([&](int value) {
            cancelled_before = promises[(winner + 1) % 3].cancel_requested();
            return value;
        });
        promises[winner].set_value(7);
        place.run_ready();
        CHECK(std::move(next).get() == 7);
        CHECK(cancelled_before);
        for (std::size_t i = 0; i < 3; ++i) CHECK(promises[i].cancel_requested() == (i != winner));
        // Too late, and too bad: nobody hears of it.
        for (std::size_t i = 0; i < 3; ++i) static_cast<void>(promises[i].try_set(errc::unavailable));
    }
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("first_success: with all ready the first value wins") {
    manual_executor place;
    CHECK(first_success(make_failed<int>(place, errc::unavailable), make_ready(place, 2), make_ready(place, 3)).get() ==
          2);
    CHECK(first_success(make_ready(place, 1)).get() == 1);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("first_success: when each has failed the error lists them all, and is not executed only if none was") {
    manual_executor place;
    const auto all = [&](executed second) {
        return first_success(make_failed<int>(place, {errc::connect_failed, "no route", executed::no}),
                             make_failed<int>(place, {errc::overloaded, second}))
            .get_result()
            .error();
    };
    const auto none = all(executed::no);
    CHECK(none == errc::all_failed);
    CHECK(none.ran() == executed::no);
    CHECK(none.message() == "none of 2 succeeded: #0 connect_failed: no route; #1 overloaded");
    CHECK(all(executed::maybe).ran() == executed::maybe);
    CHECK(all(executed::yes).ran() == executed::yes);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("first_success: of very many failures the message lists some and counts the rest") {
    manual_executor place;
    std::vector<future<int>> many;
    for (int i = 0; i < 100; ++i) many.push_back(make_failed<int>(place, errc::unavailable));
    const auto text = first_success(std::move(many)).get_result().error().message();
    CHECK(text.find("#31 unavailable; and 68 more") != text.npos);
}

TEST_CASE("first_success: of different types gives a variant whose index is the input's") {
    manual_executor place;
    auto first =
        first_success(make_failed<std::string>(place, errc::unavailable), make_ready(place), make_ready(place, 5));
    static_assert(std::is_same_v<decltype(first), future<std::variant<std::string, std::monostate, int>>>);
    CHECK(std::move(first).get().index() == 1);
}

TEST_CASE("first_success: cancelling it cancels every input and is cancelled, not all_failed") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    auto first = first_success(a.get_future(), b.get_future());
    first.cancel();
    CHECK(a.cancel_requested());
    CHECK(b.cancel_requested());
    CHECK(std::move(first).get_result().error() == errc::cancelled);
    CHECK(first_success(std::vector<future<int>>{}).get_result().error() == errc::no_state);
}

futon::task<int> five() { co_return 5; }
futon::task<int> fails() { co_return errc::unavailable; }

TEST_CASE("first_success: races coroutines too") {
    manual_executor place;
    auto first = first_success(place, fails(), five());
    place.run_ready();
    CHECK(std::move(first).get() == 5);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("first_success: blocking for it looks at what its inputs wait for") {
    manual_executor blocked;
    futon::runtime threads;
    promise<int> p{blocked};
    auto first = first_success(nullptr, p.get_future().then(threads.pool(), [](int value) { return value; }));
    CHECK(std::move(first).get_result().error() == errc::would_deadlock);
    p.set_value(1);
}

TEST_CASE("first_success: nested deeply it completes, fails and cancels without a stack") {
    enum class ending { value, failure, cancel };
    for (const auto how : {ending::value, ending::failure, ending::cancel}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> p{place};
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i)
                nested = first_success(std::move(nested), make_failed<int>(place, errc::unavailable))
                             .recover(errc::all_failed, [] { return futon::result<int>{errc::overloaded}; });
            if (how == ending::cancel) nested.cancel();
            if (how == ending::value) p.set_value(4);
            if (how == ending::failure) p.set_error(errc::overloaded);
            place.run_ready();
            const auto got = std::move(nested).get_result();
            CHECK(got.has_value() == (how == ending::value));
        });
    }
}

TEST_CASE("first_success: answers that race on several threads give one of them") {
    futon::runtime threads{{.io_threads = 2}};
    const auto first = threads.executor();
    const auto second = threads.executor();
    for (int round = 0; round < (tests::is_instrumented ? 500 : 5000); ++round) {
        const auto answer = [round](int i) -> futon::result<int> {
            if (i == round % 4) return errc::unavailable;
            return i;
        };
        std::vector<future<int>> some;
        for (int i = 0; i < 4; ++i) some.push_back(futon::async(i % 2 ? first : second, [=] { return answer(i); }));
        const auto got = first_success(std::move(some)).get();
        REQUIRE(got != round % 4);
    }
}

TEST_CASE("first_success: of what comes from one of what comes from one, the last to go takes no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        promise<int> p{place};
        auto nested = p.get_future();
        for (int i = 0; i < tests::deep; ++i)
            nested = first_success(place, std::move(nested), make_failed<int>(place, errc::unavailable));
        p.set_value(4);
        CHECK(std::move(nested).get() == 4);
    });
}

}  // namespace
