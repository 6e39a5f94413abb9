// SPDX-License-Identifier: Apache-2.0
#include <futon/async/future.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::cond;
using futon::errc;
using futon::error;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;


// --- Where and when

TEST_CASE("future: a stage runs neither inside then() nor inside the completion, ready or not") {
    manual_executor place;
    for (const bool ready_first : {true, false}) {
        CAPTURE(ready_first);
        int runs = 0;
        promise<int> p{place};
        auto source = p.get_future();
        if (ready_first) p.set_value(1);
        auto next = std::move(source).then([&](int value) {
            ++runs;
            return value + 1;
        });
        CHECK(runs == 0);
        if (!ready_first) p.set_value(1);
        CHECK(runs == 0);
        CHECK_FALSE(next.is_ready());
        place.run_ready();
        CHECK(runs == 1);
        CHECK(std::move(next).get() == 2);
    }
}

TEST_CASE("future: inside the executor a stage runs after the code that completed or attached has returned") {
    manual_executor place;
    std::string order;
    auto outer = make_ready(place).then([&] {
        order += "a";
        promise<int> p{place};
        auto done = p.get_future().then([&](int) { order += "d"; });
        order += "b";
        p.set_value(1);
        order += "c";
        return done;
    });
    place.run_ready();
    CHECK(order == "abcd");
    CHECK(outer.is_ready());
}

TEST_CASE("future: stages run on the future's own executor, on the one that is given, and on that of via") {
    manual_executor home;
    manual_executor away;
    std::vector<futon::executor_ref> seen;
    const auto note = [&] { seen.push_back(futon::current_executor()); };
    auto last = make_ready(home)
                    .then(note)
                    .then(away, note)
                    .then(note)
                    .via(home)
                    .then(note);
    CHECK(last.executor() == home.ref());
    for (int i = 0; i < 4; ++i) {
        home.run_ready();
        away.run_ready();
    }
    REQUIRE(last.is_ready());
    CHECK(seen == std::vector<futon::executor_ref>{home, away, away, home});
}

TEST_CASE("future: whoever completes it, from whatever thread, its stage runs on its own executor's thread") {
    futon::runtime threads{{.io_threads = 2}};
    const auto place = threads.executor();
    const auto home = make_ready(place).then([] { return std::this_thread::get_id(); }).get();
    std::atomic<int> elsewhere{0};
    std::atomic<int> runs{0};
    const int rounds = tests::is_instrumented ? 1000 : 10000;
    for (int i = 0; i < rounds; ++i) {
        promise<int> p{place};
        auto source = p.get_future();
        std::optional<future<void>> next;
        const auto attach = [&] {
            next.emplace(std::move(source).then([&](int) {
                ++runs;
                if (std::this_thread::get_id() != home) ++elsewhere;
            }));
        };
        if (i % 2 == 0) attach();
        p.set_value(i);
        if (i % 2 != 0) attach();
        std::move(*next).get();
    }
    CHECK(runs == rounds);
    CHECK(elsewhere == 0);
}

TEST_CASE("future: with no executor a stage fails with no_executor and get still yields the value") {
    CHECK(make_ready(futon::executor_ref{}, 5).get() == 5);
    auto next = make_ready(futon::executor_ref{}, 5).then([](int value) { return value; });
    REQUIRE(next.is_ready());
    CHECK(std::move(next).get_result().error() == errc::no_executor);
}

// --- Kinds of stages

TEST_CASE("future: then sees the value or nothing, and errors pass it by") {
    manual_executor place;
    auto text = make_ready(place, 4).then([](int value) { return std::string(static_cast<std::size_t>(value), 'x'); });
    auto ignored = make_ready(place, 4).then([] { return 'c'; });
    auto nothing = make_ready(place).then([] {});
    bool ran = false;
    auto failed = make_failed<int>(place, errc::unavailable).then([&](int) { ran = true; });
    static_assert(std::is_same_v<decltype(text), future<std::string>>);
    static_assert(std::is_same_v<decltype(nothing), future<void>>);
    place.run_ready();
    CHECK(std::move(text).get() == "xxxx");
    CHECK(std::move(ignored).get() == 'c');
    CHECK_NOTHROW(std::move(nothing).get());
    CHECK(std::move(failed).get_result().error() == errc::unavailable);
    CHECK_FALSE(ran);
}

TEST_CASE("future: recover sees errors, only those of its code or group, and its value stands in") {
    manual_executor place;
    const auto failing = [&] { return make_failed<std::string>(place, errc::deadline_exceeded); };
    auto any = failing().recover([](const error& why) {
        return std::string{name(errc::deadline_exceeded)} + (why.is(cond::timeout) ? "!" : "");
    });
    auto by_code = failing().recover(errc::deadline_exceeded, [](auto&) { return std::string{"late"}; });
    auto by_group = failing().recover(cond::timeout, [] { return "group"; });
    auto other = failing().recover(errc::cancelled, [](auto&) { return std::string{"wrong"}; });
    auto good = make_ready(place, std::string{"fine"}).recover([](error) { return std::string{"wrong"}; });
    auto again = failing().recover([](auto&) -> result<std::string> { return errc::overloaded; });
    place.run_ready();
    CHECK(std::move(any).get() == "deadline_exceeded!");
    CHECK(std::move(by_code).get() == "late");
    CHECK(std::move(by_group).get() == "group");
    CHECK(std::move(other).get_result().error() == errc::deadline_exceeded);
    CHECK(std::move(good).get() == "fine");
    CHECK(std::move(again).get_result().error() == errc::overloaded);
}

TEST_CASE("future: handle sees everything and may change the type") {
    manual_executor place;
    const auto length = [](result<std::string> got) { return got ? got->size() : 0u; };
    auto good = make_ready(place, std::string{"four"}).handle(length);
    auto bad = make_failed<std::string>(place, errc::internal).handle(length);
    place.run_ready();
    CHECK(std::move(good).get() == 4);
    CHECK(std::move(bad).get() == 0);
}

TEST_CASE("future: finally runs in either case, passes the result on, and the first failure wins") {
    manual_executor place;
    int runs = 0;
    auto good = make_ready(place, 1).finally([&] { ++runs; });
    auto bad = make_failed<int>(place, errc::unavailable).finally([&] { ++runs; });
    auto fails = make_ready(place, 1).finally([]() -> result<void> { return errc::overloaded; });
    auto throws = make_ready(place, 1).finally([] { throw std::runtime_error{"in finally"}; });
    auto second = make_failed<int>(place, errc::unavailable).finally([] { throw std::runtime_error{"in finally"}; });
    promise<void> closed{place};
    auto waits = make_ready(place, 1).finally([&] { return closed.get_future(); });
    auto waits_and_fails = make_ready(place, 1).finally([&] { return make_failed<void>(place, errc::overloaded); });
    auto first_of_two =
        make_failed<int>(place, errc::unavailable).finally([&] { return make_failed<void>(place, errc::overloaded); });
    place.run_ready();
    CHECK(runs == 2);
    CHECK(std::move(good).get() == 1);
    CHECK(std::move(bad).get_result().error() == errc::unavailable);
    CHECK(std::move(fails).get_result().error() == errc::overloaded);
    CHECK_THROWS_WITH_AS(std::move(throws).get(), "in finally", std::runtime_error);
    CHECK(std::move(second).get_result().error() == errc::unavailable);
    CHECK(std::move(waits_and_fails).get_result().error() == errc::overloaded);
    CHECK(std::move(first_of_two).get_result().error() == errc::unavailable);
    CHECK_FALSE(waits.is_ready());
    closed.set_value();
    place.run_ready();
    CHECK(std::move(waits).get() == 1);
}

TEST_CASE("future: an exception becomes the stage's error, and get throws the very same") {
    struct own_exception : std::runtime_error {
        using std::runtime_error::runtime_error;
        int number = 7;
    };
    manual_executor place;
    auto failed = make_ready(place, 1).then([](int) -> int { throw own_exception{"mine"}; }).then([](int value) {
        return value;
    });
    place.run_ready();
    try {
        std::move(failed).get();
        FAIL("did not throw");
    } catch (const own_exception& e) {
        CHECK(e.number == 7);
    }
}

TEST_CASE("future: on_complete gets the result, and what it throws goes to the hook") {
    std::vector<std::string> seen;
    manual_executor place{[&](const error& why) { seen.push_back(why.message()); }};
    int got = 0;
    make_ready(place, 5).on_complete([&](result<int> value) { got = *value; });
    make_ready(place, 5).on_complete([](result<int>) { throw std::runtime_error{"from a callback"}; });
    CHECK(got == 0);
    CHECK_NOTHROW(place.run_ready());
    CHECK(got == 5);
    CHECK(seen == std::vector<std::string>{"from a callback"});
}

TEST_CASE("future: results and futures that a callable returns are unwrapped") {
    manual_executor place;
    auto from_result = make_ready(place, 1).then([](int value) -> result<long> { return value + 1L; });
    auto from_future = make_ready(place, 1).then([&](int value) { return make_ready(place, value + 2); });
    auto nested = make_ready(place, 1).then(
        [&](int) { return make_ready(place, 1).then([&](int) { return make_ready(place, 9); }); });
    auto empty = make_ready(place, 1).then([](int) { return future<int>{}; });
    static_assert(std::is_same_v<decltype(from_result), future<long>>);
    static_assert(std::is_same_v<decltype(nested), future<int>>);
    place.run_ready();
    CHECK(std::move(from_result).get() == 2);
    CHECK(std::move(from_future).get() == 3);
    CHECK(std::move(nested).get() == 9);
    CHECK(std::move(empty).get_result().error() == errc::no_state);
}

TEST_CASE("future: after unwrapping, stages run on the outer executor") {
    manual_executor home;
    manual_executor away;
    futon::executor_ref seen;
    auto last =
        make_ready(home).then([&] { return make_ready(away, 1); }).then([&](int) { seen = futon::current_executor(); });
    home.run_ready();
    CHECK(seen == home.ref());
    CHECK(last.is_ready());
}

TEST_CASE("future: values, callables and results may be move-only") {
    manual_executor place;
    auto last = make_ready(place, std::make_unique<int>(5))
                    .then([kept = std::make_unique<int>(1)](std::unique_ptr<int> value) {
                        return std::make_unique<int>(*value + *kept);
                    })
                    .finally([kept = std::make_unique<int>(1)] {})
                    .recover([kept = std::make_unique<int>(1)](const error&) { return std::make_unique<int>(0); });
    place.run_ready();
    CHECK(*std::move(last).get() == 6);
}

TEST_CASE("future: a callable is destroyed when it has run, before its successor runs") {
    manual_executor place;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    bool alive = true;
    auto last = make_ready(place).then([owned = std::move(owned)] {}).then([&] { alive = !watched.expired(); });
    place.run_ready();
    CHECK_FALSE(alive);
    CHECK(last.is_ready());
}

// --- Depth

TEST_CASE("future: a chain of a million stages takes no stack: value, error, broken promise, cancel") {
    enum class end { value, failure, broken, cancelled };
    for (const auto how : {end::value, end::failure, end::broken, end::cancelled}) {
        CAPTURE(static_cast<int>(how));
        tests::on_small_stack([&] {
            manual_executor place;
            auto p = std::make_unique<promise<int>>(place);
            auto last = p->get_future();
            for (int i = 0; i < tests::deep; ++i) last = std::move(last).then([](int value) { return value + 1; });
            if (how == end::value) p->set_value(0);
            if (how == end::failure) p->set_error(errc::unavailable);
            if (how == end::broken) p.reset();
            if (how == end::cancelled) last.cancel();
            place.run_ready();
            const auto got = std::move(last).get_result();
            if (how == end::value) CHECK(got == result<int>{tests::deep});
            if (how == end::failure) CHECK(got.error() == errc::unavailable);
            if (how == end::broken) CHECK(got.error() == errc::broken_promise);
            if (how == end::cancelled) CHECK(got.error() == errc::cancelled);
        });
    }
}

TEST_CASE("future: a chain whose executor ends is taken down without a stack, each callable destroyed once") {
    tests::on_small_stack([] {
        struct counted {
            int* alive;
            explicit counted(int* count) : alive{count} { ++*alive; }
            counted(const counted& other) : counted{other.alive} {}
            ~counted() { --*alive; }
            int operator()(int value) const { return value; }
        };
        int alive = 0;
        {
            manual_executor place;
            promise<int> p{place};
            auto last = p.get_future();
            for (int i = 0; i < tests::deep; ++i) last = std::move(last).then(counted{&alive});
            CHECK(alive == tests::deep);
            p.set_value(0);
            place.close();
            CHECK(std::move(last).get_result().error() == errc::executor_rejected);
        }
        CHECK(alive == 0);
    });
}

struct countdown {
    futon::executor_ref place;
    int* left;
    std::size_t* most_waiting;
    future<int> operator()() const {
        if (--*left == 0) return make_ready(place, 42);
        return make_ready(place).then(countdown{*this});
    }
};

TEST_CASE("future: a recursion through futures that return futures takes neither stack nor memory") {
    tests::on_small_stack([] {
        manual_executor place;
        int left = tests::deep;
        std::size_t most = 0;
        const countdown step{place, &left, &most};
        auto last = step();
        place.run_ready();
        CHECK(std::move(last).get() == 42);
    });
}

TEST_CASE("future: unwrapping a future that waits on one that waits on one takes no stack when they complete") {
    tests::on_small_stack([] {
        manual_executor place;
        promise<int> p{place};
        auto inner = p.get_future();
        // Each level waits already when the next one is put around it.
        for (int i = 0; i < tests::deep; ++i) {
            inner = make_ready(place).then([inner = std::move(inner)]() mutable { return std::move(inner); });
            place.run_ready();
        }
        p.set_value(3);
        place.run_ready();
        CHECK(std::move(inner).get() == 3);
    });
}

// --- Cancellation

TEST_CASE("future: cancelling a late stage reaches the source, however it was wrapped") {
    manual_executor place;
    promise<int> p{place};
    auto last = p.get_future()
                    .then([](int value) { return value; })
                    .via(place)
                    .timeout(1h)
                    .recover(errc::overloaded, [](auto&) { return 0; })
                    .finally([] {});
    const auto handle = last.get_cancel_handle();
    auto moved_on = std::move(last).then([](int) {});
    handle.cancel();
    CHECK(p.cancel_requested());
    place.run_ready();
    CHECK(std::move(moved_on).get_result().error() == errc::cancelled);
    CHECK(place.timers() == 0);
}

TEST_CASE("future: cancelling reaches a future that a stage returned, also if it comes before the stage returns") {
    manual_executor place;
    promise<int> inner{place};
    auto outer = make_ready(place).then([&] { return inner.get_future(); });
    place.run_ready();
    outer.cancel();
    CHECK(inner.cancel_requested());
    CHECK(outer.is_ready());

    promise<int> second{place};
    future<int> other;
    other = make_ready(place).then([&] {
        other.cancel();
        return second.get_future();
    });
    place.run_ready();
    CHECK(second.cancel_requested());
    CHECK(std::move(other).get_result().error() == errc::cancelled);
}

TEST_CASE("future: a stage that was cancelled before its turn sees cancelled instead of the value") {
    manual_executor place;
    bool ran = false;
    auto stage = make_ready(place, 1).then([&](int) { ran = true; });
    auto cleaned = make_ready(place, 1).handle([](result<int> got) { return got ? 0 : 1; });
    stage.cancel();
    cleaned.cancel();
    place.run_ready();
    CHECK_FALSE(ran);
    CHECK(std::move(stage).get_result().error() == errc::cancelled);
    CHECK(std::move(cleaned).get() == 1);
}

TEST_CASE("future: an endless recursion of futures ends when it is cancelled") {
    manual_executor place;
    struct forever {
        futon::executor_ref place;
        future<int> operator()() const { return make_ready(place).then(forever{*this}); }
    };
    auto last = forever{place}();
    CHECK(place.run_ready(1000) > 0);
    last.cancel();
    place.run_ready(1000);
    REQUIRE(last.is_ready());
    CHECK(std::move(last).get_result().error() == errc::cancelled);
}

TEST_CASE("future: dropping one detaches, it does not cancel") {
    manual_executor place;
    promise<int> p{place};
    bool ran = false;
    { static_cast<void>(p.get_future().then([&](int) { ran = true; })); }
    CHECK_FALSE(p.cancel_requested());
    p.set_value(1);
    place.run_ready();
    CHECK(ran);
}

// --- Timeouts

TEST_CASE("future: a timeout is never early, cancels its source, and runs its stage on the future's executor") {
    manual_executor place;
    promise<int> p{place};
    futon::executor_ref seen;
    auto late = p.get_future().timeout(10ms).handle([&](result<int> got) {
        seen = futon::current_executor();
        return got ? errc::internal : static_cast<errc>(got.error().code().value());
    });
    place.advance(10ms - 1ns);
    CHECK_FALSE(p.cancel_requested());
    place.advance(1ns);
    CHECK(p.cancel_requested());
    CHECK(std::move(late).get() == errc::deadline_exceeded);
    CHECK(seen == place.ref());
    CHECK_FALSE(p.try_set(1));

    promise<int> named{place};
    auto later = named.get_future().timeout(1500us);
    place.advance(2ms);
    CHECK(std::move(later).get_result().error().message() == "not ready within .timeout(1.5 ms)");
}

TEST_CASE("future: a result before the timeout wins and takes the timer away") {
    manual_executor place;
    promise<int> p{place};
    auto quick = p.get_future().timeout(10ms);
    CHECK(place.timers() == 1);
    p.set_value(1);
    CHECK(place.timers() == 0);
    place.advance(1h);
    CHECK(std::move(quick).get() == 1);

    auto ready = make_ready(place, 2).timeout(0ms);
    CHECK(std::move(ready).get() == 2);
    CHECK(place.timers() == 0);
}

TEST_CASE("future: a timeout that the timer's executor cannot keep fails at once, and a huge one never fires") {
    manual_executor place;
    promise<int> p{place};
    auto endless = p.get_future().timeout(futon::duration::max());
    place.advance(24h * 365 * 200);
    CHECK_FALSE(endless.is_ready());
    place.close();
    CHECK(std::move(endless).get_result().error() == errc::executor_rejected);
    promise<int> q{place};
    CHECK(q.get_future().timeout(1s).get_result().error() == errc::executor_rejected);
    CHECK(q.cancel_requested());
    CHECK(make_ready(futon::executor_ref{}, 1).timeout(1s).get_result().error() == errc::no_executor);
}

TEST_CASE("future: a stage that takes its time does not delay the timeouts of another executor") {
    manual_executor busy;
    manual_executor other;
    promise<int> p{other};
    auto stuck = make_ready(busy).then([] {});
    auto late = p.get_future().timeout(1ms);
    other.advance(1ms);
    CHECK(late.is_ready());
    CHECK_FALSE(stuck.is_ready());
}

// --- Refusal

TEST_CASE("future: a full executor turns its stages into executor_rejected and the rest goes on without user code") {
    manual_executor full;
    manual_executor open;
    full.limit_queue(0);
    int wrong = 0;
    auto last = make_ready(open, 1)
                    .then(full, [&](int) { ++wrong; return 1; })
                    .recover([&](const error&) { ++wrong; return 2; })
                    .handle([&](result<int>) { ++wrong; return 3; })
                    .finally([&] { ++wrong; });
    open.run_ready();
    REQUIRE(last.is_ready());
    auto got = std::move(last).get_result();
    CHECK(got.error() == errc::executor_rejected);
    CHECK(got.error().ran() == futon::executed::yes);
    CHECK(wrong == 0);
    CHECK(full.refused() >= 1);

    // A later stage on an executor that works sees the error there.
    auto seen = make_ready(open, 1).then(full, [](int value) { return value; }).handle(open, [](result<int> value) {
        return value.error() == errc::executor_rejected;
    });
    open.run_ready();
    CHECK(std::move(seen).get());

    // An error that the refused stage would only have passed on stays what it was.
    auto passed = make_failed<int>(open, errc::unavailable).then(full, [](int value) { return value; });
    CHECK(std::move(passed).get_result().error() == errc::unavailable);
}

TEST_CASE("future: an end that its executor refuses is reported") {
    std::vector<error> seen;
    manual_executor place{[&](const error& why) { seen.push_back(why); }};
    place.limit_queue(0);
    make_ready(place, 1).on_complete([](result<int>) { FAIL("ran"); });
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == errc::executor_rejected);
}

// --- Reports

TEST_CASE("future: a failure is reported once, at the end of its chain, and only if nobody looks") {
    std::vector<error> seen;
    manual_executor place{[&](const error& why) { seen.push_back(why); }};
    { static_cast<void>(make_failed<int>(place, errc::unavailable).then([](int) {}).finally([] {})); }
    place.run_ready();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == errc::unavailable);
    { static_cast<void>(make_failed<int>(place, errc::unavailable).get_result()); }
    make_failed<int>(place, errc::unavailable).on_complete([](result<int>) {});
    { static_cast<void>(make_failed<int>(place, errc::cancelled)); }
    place.run_ready();
    CHECK(seen.size() == 1);
}

// --- Blocking

TEST_CASE("future: get and wait on an I/O thread are would_deadlock at once unless ready or allowed") {
    futon::runtime threads;
    const auto place = threads.executor();
    promise<int> never{place};
    auto blocked = never.get_future();
    const auto inside = make_ready(place).then([&] {
        const auto why = std::move(blocked).get_result().error();
        CHECK(make_ready(place, 1).get() == 1);
        return why;
    }).get();
    CHECK(inside == errc::would_deadlock);
    CHECK(inside.message().find("then()") != std::string::npos);
    CHECK(place->reports().would_deadlock_count.load() == 1);
    never.set_value(1);

    promise<int> waited{place};
    auto waits = waited.get_future();
    auto codes = make_ready(place).then([&] {
        int thrown = 0;
        try { waits.wait(); } catch (const futon::rpc_error& e) { thrown += e.detail() == errc::would_deadlock; }
        try {
            static_cast<void>(waits.wait_for(1h));
        } catch (const futon::rpc_error& e) {
            thrown += e.detail() == errc::would_deadlock;
        }
        CHECK_FALSE(waits.wait_for(0s));
        return thrown;
    });
    CHECK(std::move(codes).get() == 2);
    waited.set_value(1);

    // Somebody else completes it: allowed on request.
    promise<int> other;
    auto allowed = make_ready(place).then([answer = other.get_future()]() mutable {
        const futon::blocking_allowed here;
        return std::move(answer).get();
    });
    other.set_value(4);
    CHECK(std::move(allowed).get() == 4);
}

TEST_CASE("future: a thread of the pool may block, and one that runs a lent context may not") {
    futon::runtime threads;
    auto from_pool =
        make_ready(threads.pool()).then([&] { return make_ready(threads.executor()).then([] { return 1; }).get(); });
    CHECK(std::move(from_pool).get() == 1);

    asio::io_context lent;
    futon::runtime on_lent{lent};
    const auto strand = on_lent.executor();
    promise<int> p{strand};
    auto f = p.get_future();
    errc code{};
    asio::post(lent, [&] { code = static_cast<errc>(std::move(f).get_result().error().code().value()); });
    lent.run();
    p.set_value(1);
    CHECK(code == errc::would_deadlock);
}

TEST_CASE("future: what waits on a chain looks at every executor of the chain") {
    manual_executor blocked;
    futon::runtime threads;
    promise<int> p{blocked};
    auto last = p.get_future().then(threads.pool(), [](int value) { return value; });
    CHECK(std::move(last).get_result().error() == errc::would_deadlock);
    p.set_value(1);
}

TEST_CASE("future: wait_for is false on timeout, consumes nothing, and true once it is ready") {
    futon::runtime threads;
    promise<int> p{threads.executor()};
    auto f = p.get_future();
    CHECK_FALSE(f.wait_for(1ms));
    CHECK_FALSE(f.wait_for(-1s));
    std::thread other{[&] { p.set_value(6); }};
    f.wait();
    CHECK(f.wait_for(futon::duration::max()));
    CHECK(f.is_ready());
    CHECK(std::move(f).get() == 6);
    other.join();
}

TEST_CASE("future: an empty one yields no_state everywhere, and is never undefined") {
    manual_executor place;
    future<int> empty;
    CHECK_FALSE(empty.valid());
    CHECK_FALSE(empty.is_ready());
    empty.cancel();
    empty.get_cancel_handle().cancel();
    CHECK(empty.executor() == nullptr);
    CHECK_THROWS_AS(empty.wait(), futon::rpc_error);
    CHECK(future<int>{}.get_result().error() == errc::no_state);
    CHECK(future<int>{}.then(place, [](int) {}).get_result().error() == errc::no_state);
    CHECK(future<int>{}.timeout(1s).get_result().error() == errc::no_state);
    CHECK(future<int>{}.via(place).get_result().error() == errc::no_state);
    auto moved = make_ready(place, 1);
    auto other = std::move(moved);
    CHECK(std::move(moved).get_result().error() == errc::no_state);
    CHECK(std::move(other).get() == 1);
}

// --- Context

TEST_CASE("future: a stage runs in the context of whoever attached it, and leaves none behind") {
    manual_executor place;
    const auto first = futon::detail::make_intrusive<futon::context>();
    const auto second = futon::detail::make_intrusive<futon::context>();
    std::vector<futon::context_ptr> seen;
    const auto note = [&] { seen.push_back(futon::current_context()); };
    future<void> a;
    future<void> b;
    {
        const futon::detail::context_scope scope{first.get()};
        a = make_ready(place).then(note);
    }
    {
        const futon::detail::context_scope scope{second.get()};
        b = make_ready(place).then([&] {
            note();
            return make_ready(place).then(note);
        });
    }
    auto c = std::move(a).then(note);
    auto d = make_ready(place).then([] { throw 1; });
    place.run_ready();
    CHECK(seen == std::vector<futon::context_ptr>{first, nullptr, second, second});
    CHECK(futon::current_context() == nullptr);
    static_cast<void>(std::move(d).get_result());
    CHECK(first->unique() == false);
    seen.clear();
    CHECK(first->unique());
    CHECK(second->unique());
}

TEST_CASE("future: a cancel handle of one level keeps none of the levels after it, and still cancels") {
    struct counted {
        int* alive;
        explicit counted(int& count) : alive{&count} { ++count; }
        counted(counted&& other) noexcept : alive{std::exchange(other.alive, nullptr)} {}
        ~counted() {
            if (alive) --*alive;
        }
    };
    struct levels {
        futon::executor_ref place;
        promise<int>& last;
        futon::cancel_handle& handle;
        int& alive;
        int& most;
        future<int> operator()(int left) {
            auto f = make_ready(place).then([*this, left, one = counted{alive}]() mutable {
                most = std::max(most, alive);
                return left == 0 ? last.get_future() : (*this)(left - 1);
            });
            if (left == tests::deep - 1) handle = f.get_cancel_handle();
            return f;
        }
    };
    for (const bool cancel : {false, true}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> last{place};
            futon::cancel_handle handle;
            int alive = 0;
            int most = 0;
            auto f = levels{place, last, handle, alive, most}(tests::deep);
            place.run_ready();
            CHECK(most <= 2);
            if (cancel) {
                handle.cancel();
                CHECK(last.cancel_requested());
                CHECK(std::move(f).get_result().error() == errc::cancelled);
            } else {
                last.set_value(7);
                CHECK(std::move(f).get() == 7);
                handle.cancel();
            }
        });
    }
}

}  // namespace
