// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/passing.hpp>

#include "support/small_stack.hpp"

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <stop_token>
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
using futon::testing::manual_executor;

TEST_CASE("value_or: stands in for every failure, needs no executor, and still cancels what it waits for") {
    manual_executor place;
    CHECK(make_ready(place, 1).value_or(2).get() == 1);
    CHECK(make_failed<int>(nullptr, errc::unavailable).value_or(2).get() == 2);
    CHECK(future<int>{}.value_or(3).get() == 3);
    CHECK(*make_failed<std::unique_ptr<int>>(place, errc::unavailable).value_or(std::make_unique<int>(4)).get() == 4);
    promise<int> p{place};
    auto f = p.get_future().value_or(5);
    f.cancel();
    CHECK(p.cancel_requested());
    CHECK(std::move(f).get() == 5);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("timeout with a value: yields it when the time is up, cancels the source, and lets earlier errors pass") {
    manual_executor place;
    promise<int> slow{place};
    auto a = slow.get_future().timeout(5ms, 7);
    place.advance(4ms);
    CHECK_FALSE(a.is_ready());
    place.advance(1ms);
    CHECK(slow.cancel_requested());
    CHECK(std::move(a).get() == 7);
    promise<int> fails{place};
    auto b = fails.get_future().timeout(5ms, 7);
    fails.set_error(errc::deadline_exceeded);
    CHECK(std::move(b).get_result().error() == errc::deadline_exceeded);
    CHECK(make_ready(place, 1).timeout(5ms, 7).get() == 1);
    CHECK(place.timers() == 0);
    CHECK(make_ready(nullptr, 1).timeout(5ms, 7).get_result().error() == errc::no_executor);
}

TEST_CASE("shield: a cancel ends there and completes the consumer, while the source goes on") {
    manual_executor place;
    promise<int> p{place};
    auto f = p.get_future().shield().then([](int value) { return value; });
    f.cancel();
    place.run_ready();
    REQUIRE(f.is_ready());
    CHECK(std::move(f).get_result().error() == errc::cancelled);
    CHECK_FALSE(p.cancel_requested());
    p.set_value(1);
    CHECK(place.unseen_failures() == 0);
}

TEST_CASE("shield: without a cancel the result passes; a failure after one goes to the hook") {
    manual_executor place;
    CHECK(make_ready(place, 1).shield().get() == 1);
    CHECK(make_failed<int>(place, errc::unavailable).shield().get_result().error() == errc::unavailable);
    CHECK(future<int>{}.shield().get_result().error() == errc::no_state);
    promise<int> p{place};
    auto f = p.get_future().shield();
    f.cancel();
    static_cast<void>(std::move(f).get_result());
    p.set_error(errc::unavailable);
    CHECK(place.unseen_failures() == 1);
    // Who blocks for it still waits for what is behind it.
    promise<int> q{place};
    manual_executor away;
    CHECK(q.get_future().shield().via(away).get_result().error() == errc::would_deadlock);
    q.set_value(1);
}

TEST_CASE("detach and ignore: both let the work run; only a detached failure is reported") {
    manual_executor place;
    int runs = 0;
    make_ready(place).then([&] { ++runs; }).detach();
    make_ready(place).then([&] { ++runs; }).ignore();
    make_ready(place).then([] { throw std::runtime_error{"ignored"}; }).ignore();
    make_failed<int>(place, errc::unavailable).ignore();
    future<int>{}.ignore();
    promise<int> pending{place};
    pending.get_future().ignore();
    pending.set_error(errc::unavailable);
    place.run_ready();
    CHECK(runs == 2);
    CHECK(place.unseen_failures() == 0);
    make_ready(place).then([] { throw std::runtime_error{"detached"}; }).detach();
    place.run_ready();
    CHECK(place.unseen_failures() == 1);
    promise<int> going{place};
    going.get_future().detach();
    CHECK_FALSE(going.cancel_requested());
    going.set_value(1);
}

TEST_CASE("cancel_with: a stop before, during or after reaches what it should, once") {
    manual_executor place;
    std::stop_source source;
    promise<int> p{place};
    auto f = p.get_future().cancel_with(source.get_token()).then([](int value) { return value; });
    CHECK_FALSE(p.cancel_requested());
    source.request_stop();
    CHECK(p.cancel_requested());
    place.run_ready();
    CHECK(std::move(f).get_result().error() == errc::cancelled);
    promise<int> late{place};
    auto g = late.get_future().cancel_with(source.get_token());
    CHECK(late.cancel_requested());
    CHECK(std::move(g).get_result().error() == errc::cancelled);
    std::stop_source after;
    CHECK(make_ready(place, 1).cancel_with(after.get_token()).get() == 1);
    after.request_stop();
    CHECK(make_ready(place, 2).cancel_with({}).get() == 2);
    CHECK(future<int>{}.cancel_with(source.get_token()).get_result().error() == errc::no_state);
    promise<int> usual{place};
    auto h = usual.get_future().cancel_with(std::stop_source{}.get_token());
    h.cancel();
    CHECK(usual.cancel_requested());
}

TEST_CASE("cancel_with: a stop that races the result leaves exactly one ending and no dangling callback") {
    futon::runtime threads;
    const auto place = threads.executor();
    const int rounds = tests::is_instrumented ? 1000 : 10000;
    for (int i = 0; i < rounds; ++i) {
        std::stop_source source;
        auto f = futon::async(place, [] { return 1; });
        std::thread stopper;
        if (i % 10 == 0) {
            stopper = std::thread{[&] { source.request_stop(); }};
        } else {
            futon::async(threads.pool(), [source]() mutable { source.request_stop(); }).detach();
        }
        const auto got = std::move(f).cancel_with(source.get_token()).get_result();
        REQUIRE((got == result<int>{1} || (!got && got.error() == errc::cancelled)));
        if (stopper.joinable()) stopper.join();
    }
}

TEST_CASE("to_std: gives the standard library's future the value or the very exception, and needs no executor") {
    manual_executor place;
    auto value = make_ready(nullptr, std::make_unique<int>(3)).to_std();
    CHECK(*value.get() == 3);
    auto thrown = make_ready(place).then([] { throw std::out_of_range{"index"}; }).to_std();
    CHECK(thrown.wait_for(0s) == std::future_status::timeout);
    place.run_ready();
    CHECK_THROWS_AS(thrown.get(), std::out_of_range);
    CHECK_THROWS_AS(make_failed<int>(place, errc::unavailable).to_std().get(), futon::rpc_error);
    CHECK_THROWS_AS(future<int>{}.to_std().get(), futon::rpc_error);
    futon::runtime threads;
    CHECK(futon::async(threads.executor(), [] { return 5; }).to_std().get() == 5);
}

TEST_CASE("passing: a million of each kind take no stack, whatever comes in") {
    enum class ending { value, failure, broken, cancel };
    const std::stop_source source;
    const auto token = source.get_token();
    const auto run = [&](auto kind, bool hides_failure) {
        for (const auto how : {ending::value, ending::failure, ending::broken, ending::cancel}) {
            tests::on_small_stack([&] {
                manual_executor place;
                auto p = std::make_unique<promise<int>>(place);
                auto f = p->get_future();
                for (int i = 0; i < tests::deep / 4; ++i) f = kind(std::move(f));
                if (how == ending::value) p->set_value(1);
                if (how == ending::failure) p->set_error(errc::unavailable);
                if (how == ending::broken) p = nullptr;
                if (how == ending::cancel) f.cancel();
                place.run_ready();
                REQUIRE(f.is_ready());
                CHECK(std::move(f).get_result().has_value() == (how == ending::value || hides_failure));
            });
        }
    };
    run([](future<int> f) { return std::move(f).value_or(0); }, true);
    run([](future<int> f) { return std::move(f).shield(); }, false);
    run([](future<int> f) { return std::move(f).timeout(1h, 0); }, false);
    run([&](future<int> f) { return std::move(f).cancel_with(token); }, false);
}

}  // namespace
