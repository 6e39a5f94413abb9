// SPDX-License-Identifier: Apache-2.0
#include <futon/async/call_group.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/sync_wait.hpp>
#include <futon/async/task.hpp>
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

using futon::call_group;
using futon::errc;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::on_failure;
using futon::promise;
using futon::testing::manual_executor;

TEST_CASE("call_group: join waits for all that was added, also meanwhile, and the group can be used again") {
    manual_executor place;
    call_group group{{.where = place}};
    promise<int> a{place};
    promise<std::string> b{place};
    group.add(a.get_future());
    auto joined = group.join();
    group.add(b.get_future());
    CHECK(group.size() == 2);
    a.set_value(1);
    CHECK_FALSE(joined.is_ready());
    b.set_value("two");
    CHECK(std::move(joined).get_result().has_value());
    CHECK(group.size() == 0);
    CHECK(group.join().is_ready());
    promise<void> c{place};
    group.add(c.get_future());
    auto again = group.join();
    CHECK_FALSE(again.is_ready());
    CHECK(group.join().get_result().error() == errc::already_satisfied);
    c.set_value();
    std::move(again).get();
}

TEST_CASE("call_group: the first failure cancels the rest, join waits for their end and gives that failure") {
    manual_executor place;
    call_group group{{.where = place}};
    promise<int> a{place};
    promise<int> b{place};
    promise<void> slow{place};
    group.add(a.get_future());
    group.add(b.get_future().handle([&](auto) { return slow.get_future().shield(); }));
    auto joined = group.join();
    a.set_error(errc::unavailable);
    CHECK(b.cancel_requested());
    CHECK_FALSE(joined.is_ready());
    promise<int> late{place};
    group.add(late.get_future());
    CHECK(late.cancel_requested());
    place.run_ready();
    REQUIRE(joined.is_ready());
    CHECK(std::move(joined).get_result().error() == errc::unavailable);
    CHECK(place.unseen_failures() == 0);
    slow.set_value();
}

TEST_CASE("call_group: where failures let the others run, join gives the first one at the end") {
    manual_executor place;
    call_group group{{.where = place, .policy = on_failure::run_on}};
    promise<int> a{place};
    group.add(make_failed<int>(place, errc::unavailable));
    group.add(make_failed<int>(place, errc::overloaded));
    group.add(a.get_future());
    auto joined = group.join();
    CHECK_FALSE(a.cancel_requested());
    CHECK_FALSE(joined.is_ready());
    a.set_value(1);
    CHECK(std::move(joined).get_result().error() == errc::unavailable);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("call_group: its destructor cancels what is left, through chains, coroutines and other groups") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    promise<int> c{place};
    bool unwound = false;
    const auto waits = [&](future<int> f) -> futon::task<int> {
        struct note {
            bool& to;
            ~note() { to = true; }
        } last{unwound};
        co_return co_await std::move(f);
    };
    {
        call_group outer{{.where = place}};
        outer.add(a.get_future().then([](int) {}));
        outer.spawn(waits(b.get_future()));
        call_group inner{{.where = place}};
        inner.add(c.get_future());
        outer.add(inner.join());
        place.run_ready();
        CHECK_FALSE(a.cancel_requested());
        auto moved = std::move(outer);
        CHECK(moved.size() == 3);
    }
    CHECK(a.cancel_requested());
    CHECK(b.cancel_requested());
    CHECK(c.cancel_requested());
    place.run_ready();
    CHECK(unwound);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("call_group: a task that was cancelled before its first turn waits at join() all the same") {
    manual_executor place;
    promise<void> never{place};
    bool gone = false;
    bool used_when_gone = false;
    const auto uses = [&]() -> futon::task<void> {
        static_cast<void>(co_await futon::no_throw(never.get_future()));
        used_when_gone = gone;
    };
    const auto waits = [&]() -> futon::task<void> {
        struct note {
            bool& to;
            ~note() { to = true; }
        } last{gone};
        call_group both{{.where = place}};
        both.spawn(uses());
        co_await both.join();
    };
    auto all = futon::spawn(place, waits());
    all.cancel();
    place.run_ready();
    CHECK(never.cancel_requested());
    CHECK(gone);
    CHECK_FALSE(used_when_gone);
    CHECK(std::move(all).get_result().error() == errc::cancelled);
}

TEST_CASE("call_group: cancelling the group, or the future of its join, cancels all and is the result") {
    manual_executor place;
    for (const bool whole : {true, false}) {
        call_group group{{.where = place}};
        promise<int> a{place};
        group.add(a.get_future());
        auto joined = group.join();
        whole ? group.cancel() : joined.cancel();
        CHECK(a.cancel_requested());
        CHECK(std::move(joined).get_result().error() == errc::cancelled);
    }
}

TEST_CASE("call_group: a failure that nobody joins for is reported, one that was given is not") {
    manual_executor place;
    {
        call_group group{{.where = place}};
        group.add(make_failed<int>(place, errc::unavailable));
    }
    CHECK(place.unseen_failures() == 1);
    {
        call_group group{{.where = place}};
        group.add(future<int>{});
        CHECK(group.join().get_result().error() == errc::no_state);
    }
    CHECK(place.unseen_failures() == 1);
}

TEST_CASE("call_group: spawn runs callables and coroutines on its executor, and keeps what they hold") {
    manual_executor place;
    int runs = 0;
    auto owned = std::make_shared<int>(2);
    const std::weak_ptr<int> alive = owned;
    call_group group{{.where = place}};
    group.spawn([&] { ++runs; });
    auto body = [&runs, &place, owned = std::move(owned)]() -> futon::task<void> {
        auto pause = futon::delay(place, 1ms);
        co_await std::move(pause);
        runs += *owned;
    };
    group.spawn(std::move(body));
    CHECK(runs == 0);
    auto joined = group.join();
    place.advance(1ms);
    CHECK(std::move(joined).get_result().has_value());
    CHECK(runs == 3);
    CHECK(alive.expired());
    const auto in_task = []() -> futon::task<int> {
        call_group calls;
        int done = 0;
        for (int i = 0; i < 3; ++i) calls.spawn([&] { ++done; });
        auto all = calls.join();
        co_await std::move(all);
        co_return done;
    };
    CHECK(futon::sync_wait(in_task()) == 3);
}

TEST_CASE("call_group: very many in one, and groups in groups, end and are cancelled without a stack") {
    for (const bool cancel : {false, true}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<void> p{place};
            std::vector<call_group> groups;
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i) {
                auto& group =
                    groups.emplace_back(futon::call_group_options{.where = place, .policy = on_failure::run_on});
                group.add(std::move(nested));
                nested = group.join();
            }
            cancel ? nested.cancel() : p.set_value();
            place.run_ready();
            CHECK(std::move(nested).get_result().has_value() == !cancel);
        });
    }
    manual_executor place;
    call_group group{{.where = place}};
    std::vector<promise<int>> calls;
    for (int i = 0; i < tests::deep / 10; ++i) group.add(calls.emplace_back(place).get_future());
    auto joined = group.join();
    group.cancel();
    CHECK(joined.is_ready());
    static_cast<void>(std::move(joined).get_result());
}

TEST_CASE("call_group: what is added, ends, fails and is cancelled on several threads is all waited for") {
    futon::runtime threads{{.io_threads = 2}};
    const auto here = threads.executor();
    const auto there = threads.executor();
    const int rounds = tests::is_instrumented ? 300 : 3000;
    for (int round = 0; round < rounds; ++round) {
        std::atomic<int> under_way{0};
        call_group group{{.where = here}};
        const auto fill = [&](const futon::executor_ref& where) {
            for (int i = 0; i < 10; ++i) {
                ++under_way;
                group.add(futon::async(where, [round, i]() -> futon::result<int> {
                              if (round % 3 == 1 && i == 7) return errc::unavailable;
                              return i;
                          }).tap([&](const auto&) {}).finally([&] { --under_way; }));
            }
        };
        std::thread other{[&] { fill(there); }};
        fill(here);
        if (round % 3 == 2) group.cancel();
        other.join();
        const auto got = group.join().get_result();
        if (round % 3 == 0) REQUIRE(got.has_value());
        if (round % 3 == 1) REQUIRE(got.error() == errc::unavailable);
        if (round % 3 == 2) REQUIRE(got.error() == errc::cancelled);
        REQUIRE(under_way == 0);
        REQUIRE(group.size() == 0);
    }
}

}  // namespace
