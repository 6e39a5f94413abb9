// SPDX-License-Identifier: Apache-2.0
#include <futon/async/promise.hpp>

#include "support/small_stack.hpp"

#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

using futon::errc;
using futon::future;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;

constexpr int rounds = tests::is_instrumented ? 10'000 : 100'000;

// Two threads that meet before each round, by spinning: the race is the point.
class rendezvous {
public:
    void meet(int round) {
        ++arrived_;
        while (arrived_.load() < 2 * (round + 1)) std::this_thread::yield();
    }

private:
    std::atomic<int> arrived_{0};
};

template <class F>
errc code_of(F&& f) {
    try {
        f();
    } catch (const futon::rpc_error& e) {
        return static_cast<errc>(e.code().value());
    }
    return errc{};
}

TEST_CASE("promise: value, error, exception and result reach the future") {
    promise<std::string> value;
    value.set_value(3u, 'x');
    CHECK(value.get_future().get() == "xxx");
    promise<int> failed;
    failed.set_error(errc::unavailable);
    CHECK(failed.get_future().get_result().error() == errc::unavailable);
    promise<int> thrown;
    thrown.set_exception(std::make_exception_ptr(std::logic_error{"kept"}));
    CHECK_THROWS_WITH_AS(thrown.get_future().get(), "kept", std::logic_error);
    promise<void> nothing;
    nothing.set_value();
    CHECK(nothing.get_future().get_result().has_value());
    promise<std::unique_ptr<int>> moved;
    moved.set_result(std::make_unique<int>(1));
    CHECK(*moved.get_future().get() == 1);
}

TEST_CASE("promise: dropped without an answer it is broken_promise") {
    future<int> f;
    {
        promise<int> p;
        f = p.get_future();
    }
    CHECK(std::move(f).get_result().error() == errc::broken_promise);
    promise<int> assigned;
    f = assigned.get_future();
    assigned = promise<int>{};
    CHECK(std::move(f).get_result().error() == errc::broken_promise);
}

TEST_CASE("promise: answering twice is already_satisfied, try_set says false, an empty one is no_state") {
    promise<int> p;
    auto f = p.get_future();
    p.set_value(1);
    CHECK(code_of([&] { p.set_value(2); }) == errc::already_satisfied);
    CHECK_FALSE(p.try_set(3));
    CHECK(code_of([&] { static_cast<void>(p.get_future()); }) == errc::already_satisfied);
    CHECK(std::move(f).get() == 1);
    const promise<int> other = std::move(p);
    CHECK(code_of([&] { p.set_value(2); }) == errc::no_state);
    CHECK(code_of([&] { static_cast<void>(p.get_future()); }) == errc::no_state);
    CHECK_FALSE(p.try_set(3));
    CHECK_FALSE(p.cancel_requested());
}

TEST_CASE("promise: after a cancel answers are dropped without an error") {
    promise<int> p;
    auto f = p.get_future();
    CHECK_FALSE(p.cancel_requested());
    f.cancel();
    CHECK(p.cancel_requested());
    CHECK_NOTHROW(p.set_value(1));
    CHECK(std::move(f).get_result().error() == errc::cancelled);
}

TEST_CASE("promise: on_cancel runs once, on the promise's executor, also if the cancel came first") {
    manual_executor place;
    int runs = 0;
    promise<int> p{place};
    p.on_cancel([&] { ++runs; });
    auto f = p.get_future();
    f.cancel();
    f.cancel();
    CHECK(runs == 0);
    place.run_ready();
    CHECK(runs == 1);

    promise<int> late{place};
    late.get_future().cancel();
    late.on_cancel([&] { ++runs; });
    place.run_ready();
    CHECK(runs == 2);
}

TEST_CASE("promise: an answer lets go of what on_cancel holds, and a cancel after it runs nothing") {
    manual_executor place;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    promise<int> p{place};
    p.on_cancel([owned = std::move(owned)] { FAIL("ran"); });
    auto f = p.get_future();
    p.set_value(1);
    CHECK(watched.expired());
    f.cancel();
    place.run_ready();
    CHECK(std::move(f).get() == 1);
}

TEST_CASE("promise: completing on one thread and attaching on another runs the stage exactly once") {
    futon::runtime threads;
    const auto place = threads.executor();
    std::atomic<int> runs{0};
    std::atomic<int> wrong{0};
    rendezvous start;
    std::unique_ptr<promise<int>> p;
    future<int> f;
    std::thread completer{[&] {
        for (int i = 0; i < rounds; ++i) {
            start.meet(2 * i);
            auto own = std::move(p);
            start.meet(2 * i + 1);
            own->set_value(i);
        }
    }};
    for (int i = 0; i < rounds; ++i) {
        p = std::make_unique<promise<int>>(place);
        f = p->get_future();
        start.meet(2 * i);
        start.meet(2 * i + 1);
        auto next = std::move(f).then([&, i](int value) {
            ++runs;
            if (value != i) ++wrong;
        });
        std::move(next).get();
    }
    completer.join();
    CHECK(runs == rounds);
    CHECK(wrong == 0);
}

TEST_CASE("promise: a cancel that races the answer gives one of both, never none") {
    rendezvous start;
    std::unique_ptr<promise<int>> p;
    future<int> f;
    futon::cancel_handle handle;
    int values = 0;
    int cancelled = 0;
    int other = 0;
    std::thread canceller{[&] {
        for (int i = 0; i < rounds; ++i) {
            start.meet(2 * i);
            const auto own = handle;
            start.meet(2 * i + 1);
            own.cancel();
        }
    }};
    for (int i = 0; i < rounds; ++i) {
        p = std::make_unique<promise<int>>(nullptr);
        f = p->get_future();
        handle = f.get_cancel_handle();
        start.meet(2 * i);
        start.meet(2 * i + 1);
        const bool won = p->try_set(i);
        const auto got = std::move(f).get_result();
        if (got == result<int>{i} && won) {
            ++values;
        } else if (!got && got.error() == errc::cancelled && !won) {
            ++cancelled;
        } else {
            ++other;
        }
    }
    canceller.join();
    CHECK(values + cancelled == rounds);
    CHECK(other == 0);
}

TEST_CASE("promise: unwrapping races the inner completion without harm") {
    futon::runtime threads{{.io_threads = 2}};
    const auto first = threads.executor();
    const auto second = threads.executor();
    for (int i = 0; i < rounds / 10; ++i) {
        promise<int> inner{second};
        auto f = inner.get_future();
        auto outer = futon::promise<void>{first};
        auto all =
            outer.get_future().then([f = std::move(f), big = std::string(100, 'x')]() mutable { return std::move(f); });
        outer.set_value();
        inner.set_value(i);
        REQUIRE(std::move(all).get() == i);
    }
}

TEST_CASE("promise: a cancel callable that is replaced may use its promise as it goes") {
    manual_executor place;
    promise<int> p{place};
    auto f = p.get_future();
    int cancelled = 0;
    struct replaced {
        promise<int>* whose;
        int* count;
        replaced(promise<int>& p, int& n) : whose{&p}, count{&n} {}
        replaced(replaced&& other) noexcept : whose{std::exchange(other.whose, nullptr)}, count{other.count} {}
        ~replaced() {
            if (whose) whose->on_cancel([n = count] { *n += 10; });
        }
        void operator()() { ++*count; }
    };
    p.on_cancel(replaced{p, cancelled});
    p.on_cancel([] {});
    f.cancel();
    place.run_ready();
    CHECK(cancelled == 10);
}

}  // namespace
