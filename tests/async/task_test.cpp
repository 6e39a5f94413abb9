// SPDX-License-Identifier: Apache-2.0
#include <futon/async/task.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::errc;
using futon::future;
using futon::make_ready;
using futon::promise;
using futon::spawn;
using futon::task;
using futon::testing::manual_executor;


task<int> number(int value) { co_return value; }
task<> nothing() { co_return; }

task<std::string> awaits_all(futon::executor_ref place) {
    const int one = co_await number(1);
    co_await nothing();
    const int two = co_await make_ready(place, 2);
    auto later = futon::delay(place, 1ms);
    co_await std::move(later);
    auto owned = co_await make_ready(place, std::make_unique<int>(3));
    co_return std::to_string(one) + std::to_string(two) + std::to_string(*owned);
}

TEST_CASE("task: begins when it is spawned, never inside spawn, and yields what it awaited") {
    manual_executor place;
    auto work = awaits_all(place);
    CHECK(place.queued() == 0);
    auto f = spawn(place, std::move(work));
    CHECK_FALSE(work.valid());
    place.advance(1ms - 1ns);
    CHECK_FALSE(f.is_ready());
    place.advance(1ns);
    CHECK(std::move(f).get() == "123");
}

task<int> throws(futon::executor_ref place) {
    co_await make_ready(place);
    throw std::runtime_error{"from a task"};
}
task<std::string> catches(futon::executor_ref place) {
    std::string seen;
    try {
        co_await throws(place);
    } catch (const std::runtime_error& e) {
        seen = e.what();
    }
    auto failing = futon::make_failed<int>(place, errc::overloaded);
    try {
        co_await std::move(failing);
    } catch (const futon::rpc_error& e) {
        seen += ", " + std::string{name(static_cast<errc>(e.code().value()))};
    }
    auto silent = futon::make_failed<int>(place, errc::unavailable);
    const auto got = co_await futon::no_throw(std::move(silent));
    if (got.error() == errc::unavailable) seen += ", silent";
    co_return seen;
}
task<int> returns_error(errc code) { co_return code; }
task<int> returns_result() { co_return futon::result<int>{4}; }

TEST_CASE("task: errors are exceptions inside and results outside, and an error may be returned") {
    manual_executor place;
    auto caught = spawn(place, catches(place));
    auto thrown = spawn(place, throws(place));
    auto error = spawn(place, returns_error(errc::resource_exhausted));
    auto value = spawn(place, returns_result());
    place.run_ready();
    CHECK(std::move(caught).get() == "from a task, overloaded, silent");
    CHECK_THROWS_WITH_AS(std::move(thrown).get(), "from a task", std::runtime_error);
    CHECK(std::move(error).get_result().error() == errc::resource_exhausted);
    CHECK(std::move(value).get() == 4);
}

task<long> loops(futon::executor_ref place, int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await number(1);
    for (int i = 0; i < count; ++i) sum += co_await make_ready(place, 1);
    co_return sum;
}
task<int> nests(futon::executor_ref place, int depth) {
    if (depth == 0) {
        co_await make_ready(place).then([] {});
        co_return 0;
    }
    co_return 1 + co_await nests(place, depth - 1);
}

TEST_CASE("task: a million awaits of what is ready, and deep nesting, take no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        auto looped = spawn(place, loops(place, tests::deep));
        auto nested = spawn(place, nests(place, tests::deep / 10));
        place.run_ready();
        CHECK(std::move(looped).get() == 2L * tests::deep);
        CHECK(std::move(nested).get() == tests::deep / 10);
    });
}

task<int> adds_on(std::vector<futon::executor_ref>& seen, futon::executor_ref away) {
    seen.push_back(futon::current_executor());
    co_await make_ready(away).then([&] { seen.push_back(futon::current_executor()); });
    seen.push_back(futon::current_executor());
    co_return 1;
}

TEST_CASE("task: runs on its own executor throughout, wherever what it awaits completes") {
    manual_executor home;
    manual_executor away;
    std::vector<futon::executor_ref> seen;
    auto f = spawn(home, adds_on(seen, away));
    home.run_ready();
    away.run_ready();
    CHECK(seen.size() == 2);
    home.run_ready();
    CHECK(seen == std::vector<futon::executor_ref>{home, away, home});
    CHECK(f.is_ready());
}

TEST_CASE("task: is unwrapped by a stage, which keeps the captures of its callable until the task has ended") {
    manual_executor place;
    auto owned = std::make_shared<std::string>("kept");
    const std::weak_ptr<std::string> watched = owned;
    promise<void> gate{place};
    auto waits = gate.get_future();
    auto body = [owned = std::move(owned), waits = std::move(waits)]() mutable -> task<std::string> {
        co_await std::move(waits);
        co_return *owned;
    };
    auto f = make_ready(place).then(std::move(body));
    static_assert(std::is_same_v<decltype(f), future<std::string>>);
    place.run_ready();
    CHECK_FALSE(watched.expired());
    gate.set_value();
    place.run_ready();
    CHECK(std::move(f).get() == "kept");
    CHECK(watched.expired());
}

task<int> waits_for(future<int> f, bool& unwound) {
    struct guard {
        bool* flag;
        explicit guard(bool* raised) : flag{raised} {}
        ~guard() { *flag = true; }
    } const leaving{&unwound};
    co_return co_await std::move(f);
}
task<int> waits_deeper(future<int> f, bool& unwound) { co_return co_await waits_for(std::move(f), unwound); }

TEST_CASE("task: one that a stage's callable returned may refer to what that was called with") {
    manual_executor place;
    const std::string long_text(100, 'x');
    auto value = make_ready(place, long_text).then([&place](const std::string& text) -> task<std::size_t> {
        auto pause = futon::delay(place, 1ms);
        co_await std::move(pause);
        co_return text.size();
    });
    auto why = futon::make_failed<std::size_t>(place, {errc::unavailable, long_text})
                   .recover([&place](const futon::error& failure) -> task<std::size_t> {
                       auto pause = futon::delay(place, 1ms);
                       co_await std::move(pause);
                       co_return failure.message().size();
                   });
    auto both =
        make_ready(place, long_text).handle([&place](const futon::result<std::string>& got) -> task<std::size_t> {
            auto pause = futon::delay(place, 1ms);
            co_await std::move(pause);
            co_return got->size();
        });
    place.advance(1ms);
    CHECK(std::move(value).get() == 100);
    CHECK(std::move(why).get() == 100);
    CHECK(std::move(both).get() == 100);
}

TEST_CASE("task: cancelling its future cancels what it awaits, at any depth, and unwinds it") {
    manual_executor place;
    promise<int> p{place};
    bool unwound = false;
    auto f = spawn(place, waits_deeper(p.get_future(), unwound));
    place.run_ready();
    f.cancel();
    CHECK(p.cancel_requested());
    CHECK_FALSE(unwound);
    place.run_ready();
    CHECK(unwound);
    CHECK(std::move(f).get_result().error() == errc::cancelled);
}

task<int> spins(futon::executor_ref place, int& rounds) {
    for (;;) {
        ++rounds;
        co_await make_ready(place).then([] {});
    }
}

TEST_CASE("task: cancelled while it runs, its next await throws; so too when its request is cancelled") {
    manual_executor place;
    int rounds = 0;
    auto f = spawn(place, spins(place, rounds));
    place.run_ready(10);
    CHECK(rounds > 1);
    f.cancel();
    place.run_ready(1000);
    REQUIRE(f.is_ready());
    CHECK(std::move(f).get_result().error() == errc::cancelled);

    const auto request = futon::detail::make_intrusive<futon::context>();
    future<int> in_request;
    {
        const futon::detail::context_scope scope{request.get()};
        in_request = spawn(place, spins(place, rounds));
    }
    place.run_ready(10);
    request->request_stop();
    place.run_ready(1000);
    REQUIRE(in_request.is_ready());
    CHECK(std::move(in_request).get_result().error() == errc::cancelled);
}

TEST_CASE("task: an executor that refuses or is missing destroys the coroutine and is the result") {
    manual_executor place;
    promise<int> p{place};
    bool unwound = false;
    auto f = spawn(place, waits_deeper(p.get_future(), unwound));
    place.run_ready();
    place.limit_queue(0);
    p.set_value(1);
    CHECK(unwound);
    CHECK(std::move(f).get_result().error() == errc::executor_rejected);
    CHECK(spawn(nullptr, number(1)).get_result().error() == errc::no_executor);
    CHECK(spawn(place, task<int>{}).get_result().error() == errc::no_state);
}

task<void> notes_context(futon::executor_ref place, std::vector<futon::context_ptr>& seen) {
    for (int i = 0; i < 3; ++i) {
        seen.push_back(futon::current_context());
        co_await make_ready(place).then([] {});
    }
    seen.push_back(futon::current_context());
}

TEST_CASE("task: sees its request's context after each await, beside others on the same thread") {
    manual_executor place;
    const auto first = futon::detail::make_intrusive<futon::context>();
    const auto second = futon::detail::make_intrusive<futon::context>();
    std::vector<futon::context_ptr> of_first;
    std::vector<futon::context_ptr> of_second;
    {
        const futon::detail::context_scope scope{first.get()};
        static_cast<void>(spawn(place, notes_context(place, of_first)));
    }
    {
        const futon::detail::context_scope scope{second.get()};
        static_cast<void>(spawn(place, notes_context(place, of_second)));
    }
    place.run_ready();
    CHECK(of_first == std::vector<futon::context_ptr>(4, first));
    CHECK(of_second == std::vector<futon::context_ptr>(4, second));
    CHECK(futon::current_context() == nullptr);
}

task<int> hops(futon::executor_ref first, futon::executor_ref second, futon::context* expected, int rounds) {
    int wrong = 0;
    for (int i = 0; i < rounds; ++i) {
        co_await make_ready(i % 2 ? first : second).then([] {});
        if (futon::current_context().get() != expected) ++wrong;
    }
    co_return wrong;
}

TEST_CASE("task: resumed on changing threads of the pool, it never sees another thread's context") {
    futon::runtime threads{{.io_threads = 2, .pool_threads = 3}};
    std::vector<futon::detail::intrusive_ptr<futon::context>> requests;
    std::vector<future<int>> all;
    for (int i = 0; i < 8; ++i) {
        const auto request = requests.emplace_back(futon::detail::make_intrusive<futon::context>());
        const futon::detail::context_scope scope{request.get()};
        all.push_back(spawn(threads.pool(), hops(threads.executor(), threads.pool(), request.get(), 500)));
    }
    int wrong = 0;
    for (auto& one : all) wrong += std::move(one).get();
    CHECK(wrong == 0);
}

}  // namespace
