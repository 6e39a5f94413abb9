// SPDX-License-Identifier: Apache-2.0
#include <futon/async/shared_future.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/sync_wait.hpp>
#include <futon/async/task.hpp>
#include <futon/async/token.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::shared_future;
using futon::testing::manual_executor;

TEST_CASE("shared_future: every consumer sees the same value, before and after it is there, on its executor") {
    manual_executor place;
    manual_executor away;
    promise<std::string> p{place};
    const auto shared = p.get_future().share();
    const auto copy = shared;
    std::vector<const std::string*> seen;
    std::vector<futon::executor_ref> places;
    const auto look = [&](const std::string& text) {
        seen.push_back(&text);
        places.push_back(futon::current_executor());
    };
    auto a = shared.then(look);
    auto b = copy.then(away, look);
    CHECK_FALSE(shared.is_ready());
    p.set_value("once");
    CHECK(seen.empty());
    CHECK(copy.is_ready());
    auto c = shared.then(look);
    CHECK(seen.empty());
    place.run_ready();
    away.run_ready();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0] == seen[1]);
    CHECK(seen[0] == seen[2]);
    CHECK(&shared.get() == seen[0]);
    CHECK(*seen[0] == "once");
    CHECK(places == std::vector<futon::executor_ref>{place, place, away});
}

TEST_CASE("shared_future: stages may ignore the value, return what stages return, and keep what they were given") {
    manual_executor place;
    const auto shared = make_ready(place, std::make_unique<int>(4)).share();
    auto a = shared.then([] { return 1; });
    auto b = shared.then([&](const std::unique_ptr<int>& value) { return make_ready(place, *value + 1); });
    auto c = [&] {
        // The value must outlive the last shared_future, for the coroutine.
        const auto dying = make_ready(place, std::string(100, 'x')).share();
        return dying.then([&place](const std::string& text) -> futon::task<std::size_t> {
            auto pause = futon::delay(place, 1ms);
            co_await std::move(pause);
            co_return text.size();
        });
    }();
    place.advance(1ms);
    CHECK(std::move(a).get() == 1);
    CHECK(std::move(b).get() == 5);
    CHECK(std::move(c).get() == 100);
    int runs = 0;
    const auto nothing = make_ready(place).share();
    auto d = nothing.then([&] { ++runs; });
    place.run_ready();
    nothing.get();
    CHECK(runs == 1);
}

TEST_CASE("shared_future: handle and on_complete see the result, value or error") {
    manual_executor place;
    std::vector<std::string> seen;
    const auto note = [&](const result<int>& got) {
        seen.push_back(got ? std::to_string(*got) : got.error().message());
    };
    make_ready(place, 3).share().on_complete(note);
    auto a = make_failed<int>(place, errc::unavailable).share().handle([&](const result<int>& got) {
        note(got);
        return 5;
    });
    place.run_ready();
    CHECK(seen == std::vector<std::string>{"3", "unavailable"});
    CHECK(std::move(a).get() == 5);
}

TEST_CASE("shared_future: a consumer that is cancelled leaves the source and the others alone") {
    manual_executor place;
    promise<int> p{place};
    const auto shared = p.get_future().share();
    auto a = shared.then([](const int& value) { return value; });
    auto b = shared.then([](const int& value) { return value; });
    auto seen = shared.handle(
        [](const result<int>& got) { return got ? errc{} : static_cast<errc>(got.error().code().value()); });
    a.cancel();
    seen.cancel();
    place.run_ready();
    CHECK(std::move(a).get_result().error() == errc::cancelled);
    CHECK(std::move(seen).get() == errc::cancelled);
    CHECK_FALSE(p.cancel_requested());
    p.set_value(2);
    place.run_ready();
    CHECK(std::move(b).get() == 2);
}

TEST_CASE("shared_future: its own cancel reaches the source, and all consumers see it; dropping all copies does not") {
    manual_executor place;
    promise<int> p{place};
    promise<int> q{place};
    future<int> a;
    {
        const auto shared = p.get_future().share();
        a = shared.then([](const int& value) { return value; });
        const auto other = q.get_future().share();
        other.cancel();
    }
    CHECK(q.cancel_requested());
    CHECK_FALSE(p.cancel_requested());
    p.set_value(1);
    place.run_ready();
    CHECK(std::move(a).get() == 1);
}

TEST_CASE("shared_future: a failure with no consumer is reported once, and one that somebody saw is not") {
    manual_executor place;
    { const auto unseen = make_failed<int>(place, errc::unavailable).share(); }
    CHECK(place.unseen_failures() == 1);
    const auto seen = make_failed<int>(place, errc::unavailable).share();
    CHECK_THROWS_AS(seen.get(), futon::rpc_error);
    CHECK_THROWS_AS(seen.get(), futon::rpc_error);
    CHECK(place.unseen_failures() == 1);
    { auto dropped = seen.then([](const int&) {}); }
    place.run_ready();
    CHECK(place.unseen_failures() == 2);
}

TEST_CASE("shared_future: blocking is guarded as for a future, and an empty one is no_state") {
    manual_executor place;
    promise<int> p{place};
    const auto shared = p.get_future().share();
    CHECK_THROWS_AS(shared.get(), futon::rpc_error);
    CHECK_THROWS_AS(static_cast<void>(shared.wait_for(1ms)), futon::rpc_error);
    p.set_value(1);
    CHECK(shared.wait_for(0ms));
    CHECK(shared.get() == 1);
    const shared_future<int> empty;
    CHECK_FALSE(empty.valid());
    empty.cancel();
    CHECK_THROWS_AS(empty.get(), futon::rpc_error);
    auto after = empty.then(place, [](const int&) {});
    place.run_ready();
    CHECK(std::move(after).get_result().error() == errc::no_state);
    futon::runtime threads;
    promise<int> q{threads.executor()};
    const auto waited = q.get_future().share();
    CHECK_FALSE(waited.wait_for(1ms));
    q.set_value(3);
    CHECK(waited.get() == 3);
}

futon::task<int> awaits(shared_future<std::string> shared) {
    const std::string& first = co_await shared;
    const std::string& second = co_await shared;
    auto copy = shared;
    const std::string copied = co_await std::move(copy);
    CHECK(&first == &second);
    CHECK(copied == first);
    co_return static_cast<int>(first.size());
}
futon::task<void> awaits_nothing(shared_future<void> shared) { co_await shared; }

TEST_CASE("shared_future: tasks await it, many at once, and it is an operation for any token") {
    manual_executor place;
    promise<std::string> p{place};
    const auto shared = p.get_future().share();
    auto a = futon::spawn(place, awaits(shared));
    auto b = futon::spawn(place, awaits(shared));
    std::string called;
    shared([&](const result<futon::shared_value<std::string>>& got) { called = **got; });
    auto c = futon::spawn(place, awaits_nothing(make_ready(place).share()));
    place.run_ready();
    CHECK_FALSE(a.is_ready());
    p.set_value("twelve chars");
    place.run_ready();
    CHECK(std::move(a).get() == 12);
    CHECK(std::move(b).get() == 12);
    CHECK(called == "twelve chars");
    std::move(c).get();
}

TEST_CASE("shared_future: a chain of very many, and very many consumers, take no stack") {
    for (const bool fails : {false, true}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> p{place};
            auto shared = p.get_future().share();
            for (int i = 0; i < tests::deep / 5; ++i)
                shared = shared.then([](const int& value) { return value + 1; }).share();
            fails ? p.set_error(errc::unavailable) : p.set_value(0);
            place.run_ready();
            CHECK(shared.is_ready());
            CHECK(shared.to_future().get_result().has_value() == !fails);
        });
    }
    tests::on_small_stack([] {
        manual_executor place;
        promise<int> p{place};
        const auto shared = p.get_future().share();
        int runs = 0;
        for (int i = 0; i < tests::deep / 5; ++i) shared.on_complete([&](const result<int>&) { ++runs; });
        p.set_value(0);
        place.run_ready();
        CHECK(runs == tests::deep / 5);
    });
}

TEST_CASE("shared_future: consumers that come and go on several threads while it completes are each told once") {
    futon::runtime threads{{.io_threads = 2}};
    const auto place = threads.executor();
    const int rounds = tests::is_instrumented ? 500 : 5000;
    for (int round = 0; round < rounds; ++round) {
        promise<int> p{place};
        const auto shared = p.get_future().share();
        std::atomic<int> told{0};
        std::atomic<int> wrong{0};
        const auto consume = [&](shared_future<int> mine) {
            for (int i = 0; i < 4; ++i) {
                auto one = mine.handle([&](const result<int>& got) {
                    ++told;
                    if (got ? *got != 7 : got.error() != errc::cancelled) ++wrong;
                });
                if (i % 2) one.cancel();
                std::move(one).get();
            }
        };
        std::thread other{[&, mine = shared] { consume(mine); }};
        std::thread third{[&] { p.set_value(7); }};
        consume(shared);
        other.join();
        third.join();
        REQUIRE(told == 8);
        REQUIRE(wrong == 0);
    }
}

TEST_CASE("shared_future: waiting for a failure reports none and hides none, and an empty one throws") {
    manual_executor place;
    {
        const auto failed = futon::make_failed<int>(place, errc::unavailable).share();
        failed.wait();
        CHECK(failed.wait_for(1ms));
        CHECK(place.unseen_failures() == 0);
        CHECK_THROWS_AS(static_cast<void>(failed.get()), futon::rpc_error);
    }
    {
        promise<int> p{place};
        const auto pending = p.get_future().share();
        CHECK_THROWS_AS(pending.wait(), futon::rpc_error);
        p.set_error({errc::unavailable});
        CHECK_THROWS_AS(static_cast<void>(pending.get()), futon::rpc_error);
    }
    CHECK(place.unseen_failures() == 0);
    futon::make_failed<int>(place, errc::unavailable).share().wait();
    CHECK(place.unseen_failures() == 1);
    CHECK_THROWS_AS(shared_future<int>{}.wait(), futon::rpc_error);
}

}  // namespace
