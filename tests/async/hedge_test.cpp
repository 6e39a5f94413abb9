// SPDX-License-Identifier: Apache-2.0
#include <futon/async/hedge.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::attempt;
using futon::errc;
using futon::error;
using futon::executed;
using futon::future;
using futon::hedge;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;

const error turned_away{errc::overloaded, executed::no};
const error lost{errc::connection_lost, executed::maybe};

struct replicas {
    manual_executor place;
    std::vector<promise<int>> calls;

    auto ask() {
        return [this](attempt which) {
            CHECK(which.number == static_cast<int>(calls.size()) + 1);
            return calls.emplace_back(place).get_future();
        };
    }
};

TEST_CASE("hedge: an answer in time makes one attempt and leaves no timer") {
    replicas peers;
    auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 3, .idempotent = true}, peers.ask());
    CHECK(peers.calls.size() == 1);
    CHECK(peers.place.timers() == 1);
    peers.place.advance(19ms);
    peers.calls[0].set_value(1);
    CHECK(std::move(f).get() == 1);
    CHECK(peers.place.timers() == 0);
    peers.place.advance(1s);
    CHECK(peers.calls.size() == 1);
}

TEST_CASE("hedge: each attempt that is late lets another begin, the first value wins, and the others are cancelled") {
    for (std::size_t winner = 0; winner < 3; ++winner) {
        replicas peers;
        auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 3, .idempotent = true}, peers.ask());
        peers.place.advance(20ms);
        CHECK(peers.calls.size() == 2);
        peers.place.advance(20ms);
        CHECK(peers.calls.size() == 3);
        peers.place.advance(1s);
        REQUIRE(peers.calls.size() == 3);
        bool cancelled_before = false;
        auto next = std::move(f).then([&](int value) {
            cancelled_before = peers.calls[(winner + 1) % 3].cancel_requested();
            return value;
        });
        peers.calls[winner].set_value(static_cast<int>(winner));
        peers.place.run_ready();
        CHECK(std::move(next).get() == static_cast<int>(winner));
        CHECK(cancelled_before);
        for (std::size_t i = 0; i < 3; ++i) CHECK(peers.calls[i].cancel_requested() == (i != winner));
        CHECK(peers.place.unseen_failures() == 0);
        CHECK(peers.place.timers() == 0);
    }
}

TEST_CASE("hedge: a failure begins the next attempt at once, and ends nothing that is under way") {
    replicas peers;
    auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 3, .idempotent = true}, peers.ask());
    peers.place.advance(20ms);
    peers.calls[1].set_error(lost);
    peers.place.run_ready();
    REQUIRE(peers.calls.size() == 3);
    CHECK_FALSE(peers.calls[0].cancel_requested());
    peers.calls[2].set_error(turned_away);
    peers.place.run_ready();
    CHECK_FALSE(f.is_ready());
    peers.calls[0].set_value(7);
    CHECK(std::move(f).get() == 7);
}

TEST_CASE("hedge: when all have failed the last failure is the result, and says how many there were") {
    replicas peers;
    auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 3, .idempotent = true}, peers.ask());
    for (const auto& why : {turned_away, lost, turned_away}) {
        peers.calls.back().set_error(why);
        peers.place.run_ready();
    }
    const auto why = std::move(f).get_result().error();
    CHECK(why.describe() == "3 attempts: overloaded");
    CHECK(why.ran() == executed::maybe);
    CHECK(peers.place.timers() == 0);
}

TEST_CASE("hedge: what is not idempotent never runs twice") {
    replicas peers;
    auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 4}, peers.ask());
    peers.place.advance(1s);
    CHECK(peers.calls.size() == 1);
    // It was turned away: another cannot be the second to run.
    peers.calls[0].set_error(turned_away);
    peers.place.run_ready();
    CHECK(peers.calls.size() == 2);
    peers.place.advance(1s);
    CHECK(peers.calls.size() == 2);
    peers.calls[1].set_error(lost);
    peers.place.advance(1s);
    CHECK(peers.calls.size() == 2);
    CHECK(std::move(f).get_result().error() == errc::connection_lost);
}

TEST_CASE("hedge: what the handler itself says, and what no server accepts, begins no further attempt") {
    for (const auto& why : {error{errc::remote_error, executed::yes}, error{errc::bad_arguments, executed::no}}) {
        replicas peers;
        auto f = hedge(peers.place, {.max_attempts = 4, .idempotent = true}, peers.ask());
        peers.calls[0].set_error(why);
        peers.place.run_ready();
        CHECK(peers.calls.size() == 1);
        CHECK(std::move(f).get_result().error() == why);
    }
}

TEST_CASE("hedge: a budget caps what hedging adds to the load") {
    replicas peers;
    const futon::shared_retry_budget budget{futon::retry_budget{0.1, 0.0, 2.0}};
    std::vector<future<int>> all;
    // 100 slow calls: 2 saved up, and a tenth of each.
    int calls = 0;
    const auto ask = [&] {
        ++calls;
        return peers.calls.emplace_back(peers.place).get_future();
    };
    for (int i = 0; i < 100; ++i) {
        all.push_back(hedge(peers.place, {.delay = 1ms, .idempotent = true, .budget = budget}, ask));
        peers.place.advance(1ms);
    }
    CHECK(calls - 100 <= 12);
    CHECK(calls - 100 >= 10);
    for (auto& each : all) each.cancel();
    peers.place.run_ready();
    for (auto& each : all) CHECK(std::move(each).get_result().error() == errc::cancelled);
    CHECK(peers.place.timers() == 0);
}

TEST_CASE("hedge: cancelling it cancels every attempt and begins no other") {
    replicas peers;
    auto f = hedge(peers.place, {.delay = 20ms, .max_attempts = 6, .idempotent = true}, peers.ask()).then([](int) {});
    peers.place.advance(20ms);
    f.cancel();
    CHECK(peers.calls[0].cancel_requested());
    CHECK(peers.calls[1].cancel_requested());
    peers.place.advance(1s);
    CHECK(std::move(f).get_result().error() == errc::cancelled);
    CHECK(peers.calls.size() == 2);
    CHECK(peers.place.timers() == 0);
}

TEST_CASE("hedge: an executor that ends leaves the attempts that are under way to decide") {
    auto place = std::make_unique<manual_executor>();
    promise<int> call{nullptr};
    auto f = hedge(*place, {.delay = 20ms, .idempotent = true}, [&] { return call.get_future(); });
    place = nullptr;
    CHECK_FALSE(f.is_ready());
    call.set_value(1);
    CHECK(std::move(f).get() == 1);

    promise<int> other{nullptr};
    auto g = hedge({.delay = 20ms, .idempotent = true}, [&] { return other.get_future(); });
    other.set_error(turned_away);
    CHECK(std::move(g).get_result().error() == errc::no_executor);
}

TEST_CASE("hedge: the callable goes when the last attempt has ended, also while its result is kept") {
    manual_executor place;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> alive = owned;
    std::vector<promise<int>> gates;
    for (int i = 0; i < 2; ++i) gates.emplace_back(place);
    auto body = [&gates, owned = std::move(owned)](attempt which) -> futon::task<int> {
        // Cannot be cancelled: the loser reads its captures at the end.
        auto gate = gates[static_cast<std::size_t>(which.number) - 1].get_future();
        auto got = co_await futon::no_throw(std::move(gate));
        co_return got.value_or(0) + *owned;
    };
    auto f = hedge(place, {.delay = 1ms, .idempotent = true}, std::move(body));
    place.advance(1ms);
    gates[1].set_value(1);
    place.run_ready();
    CHECK(f.is_ready());
    CHECK(alive.expired());
    CHECK(std::move(f).get() == 2);
}

TEST_CASE("hedge: a hundred thousand failing attempts take no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        int calls = 0;
        auto f = hedge(place, {.max_attempts = tests::deep / 10 + 1}, [&]() -> result<int> {
            ++calls;
            return turned_away;
        });
        place.run_ready();
        CHECK(std::move(f).get_result().error() == errc::overloaded);
        CHECK(calls == tests::deep / 10 + 1);
    });
}

TEST_CASE("hedge: answers, failures and a cancel that race leave exactly one ending") {
    futon::runtime threads{{.io_threads = 2}};
    const auto here = threads.executor();
    const auto there = threads.executor();
    int ended = 0;
    const int rounds = tests::is_instrumented ? 1000 : 10000;
    for (int i = 0; i < rounds; ++i) {
        auto f = hedge(here, {.delay = 1us, .max_attempts = 4, .idempotent = true}, [&, i](attempt which) {
            return futon::async(which.number % 2 ? there : here, [=]() -> result<int> {
                if ((which.number + i) % 3 == 0) return lost;
                return which.number;
            });
        });
        if (i % 5 == 0) f.cancel();
        const auto got = std::move(f).get_result();
        if (got || got.error() == errc::cancelled || got.error() == errc::connection_lost) ++ended;
    }
    CHECK(ended == rounds);
}

TEST_CASE("hedge: only the first attempt is made in the call, also where it fails in there") {
    manual_executor place;
    int calls = 0;
    int in_place = 0;
    auto f = hedge(place, {.max_attempts = 3}, [&] {
        ++calls;
        in_place += futon::current_executor() == place.ref();
        return futon::make_failed<int>(place, turned_away);
    });
    CHECK(calls == 1);
    place.run_ready();
    CHECK(calls == 3);
    CHECK(in_place == 2);
    CHECK(std::move(f).get_result().error() == errc::overloaded);
}

}  // namespace
