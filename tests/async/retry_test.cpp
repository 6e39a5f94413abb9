// SPDX-License-Identifier: Apache-2.0
#include <futon/async/retry.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/sync_wait.hpp>
#include <futon/async/task.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::attempt;
using futon::errc;
using futon::error;
using futon::executed;
using futon::exponential_backoff;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::retry;
using futon::testing::manual_executor;

const error turned_away{errc::overloaded, executed::no};
const error lost{errc::connection_lost, executed::maybe};

// Fails `failures` times with `why`, then gives the number of the attempt.
struct service {
    manual_executor& place;
    error why = turned_away;
    int failures = std::numeric_limits<int>::max();
    std::vector<futon::time_point> calls{};

    future<int> operator()(attempt which) {
        calls.push_back(place.now());
        if (static_cast<int>(calls.size()) <= failures) return make_failed<int>(place, why);
        return make_ready(place, which.number);
    }
};

TEST_CASE("retry: what failed and never ran is done again after pauses that double, until it succeeds") {
    manual_executor place;
    service peer{place, turned_away, 3};
    auto f = retry({.policy = {.max_attempts = 9, .base = 10ms}, .jitter = 0}, std::ref(peer));
    CHECK(peer.calls.size() == 1);
    place.advance(1s);
    CHECK(std::move(f).get() == 4);
    const auto start = futon::time_point{};
    CHECK(peer.calls == std::vector<futon::time_point>{start, start + 10ms, start + 30ms, start + 70ms});
    CHECK(place.timers() == 0);
}

TEST_CASE("retry: gives up with the last error, which says how many attempts there were") {
    manual_executor place;
    service peer{place, error{errc::overloaded, "full", executed::no}.with_where("Store.put at tcp://a:1")};
    auto f = retry({.max_attempts = 3, .base = 1ms}, std::ref(peer));
    place.advance(1s);
    const auto why = std::move(f).get_result().error();
    CHECK(peer.calls.size() == 3);
    CHECK(why == errc::overloaded);
    CHECK(why.ran() == executed::no);
    CHECK(why.describe() == "3 attempts of Store.put at tcp://a:1: overloaded: full");
}

TEST_CASE("retry: what may have run is not repeated unless it is idempotent") {
    manual_executor place;
    service once{place, lost};
    auto f = retry(place, exponential_backoff{.base = 1ms}, std::ref(once));
    place.advance(1s);
    CHECK(once.calls.size() == 1);
    CHECK(std::move(f).get_result().error().describe() == "1 attempt: connection_lost");

    service again{place, lost, 1};
    auto g = retry(place, {.policy = {.base = 1ms}, .idempotent = true}, std::ref(again));
    place.advance(1s);
    CHECK(std::move(g).get() == 2);
}

struct always {
    std::optional<futon::duration> next_delay(const futon::failed_attempt&) const noexcept { return futon::duration{}; }
};

TEST_CASE("retry: no policy makes it repeat what may have run and is not idempotent") {
    manual_executor place;
    service peer{place, lost};
    auto f = retry(place, always{}, std::ref(peer));
    place.run_ready();
    CHECK(f.is_ready());
    CHECK(peer.calls.size() == 1);
    static_cast<void>(std::move(f).get_result());
}

TEST_CASE("retry: an error that any attempt may have caused to run says so at the end") {
    manual_executor place;
    int calls = 0;
    auto f = retry(place, {.policy = {.base = 1ms}, .idempotent = true},
                   [&] { return make_failed<int>(place, ++calls == 1 ? lost : turned_away); });
    place.advance(1s);
    const auto why = std::move(f).get_result().error();
    CHECK(calls == 3);
    CHECK(why == errc::overloaded);
    CHECK(why.ran() == executed::maybe);
}

TEST_CASE("retry: what another attempt cannot mend is not repeated, and exceptions come out unchanged") {
    manual_executor place;
    int calls = 0;
    auto f = retry(place, {.idempotent = true}, [&]() -> int {
        ++calls;
        throw std::invalid_argument{"no such thing"};
    });
    place.advance(1s);
    CHECK(calls == 1);
    CHECK_THROWS_AS(std::move(f).get(), std::invalid_argument);
    service wrong{place, {errc::bad_arguments, executed::no}};
    auto g = retry(place, {.idempotent = true}, std::ref(wrong));
    place.advance(1s);
    CHECK(wrong.calls.size() == 1);
    static_cast<void>(std::move(g).get_result());
}

double low() noexcept { return 0.0; }
double high() noexcept { return 0.999; }

TEST_CASE("retry: jitter shortens a pause by its share at most, and never lengthens it") {
    const auto pause_with = [](double jitter, double (*dice)() noexcept) {
        manual_executor place;
        service peer{place, turned_away, 1};
        auto f = retry(place, {.policy = {.base = 100ms}, .jitter = jitter, .dice = dice}, std::ref(peer));
        place.advance(1s);
        CHECK(std::move(f).get() == 2);
        return peer.calls[1] - peer.calls[0];
    };
    CHECK(pause_with(0.5, low) == 100ms);
    CHECK(pause_with(0.5, high) < 51ms);
    CHECK(pause_with(0.5, high) >= 50ms);
    CHECK(pause_with(1.0, high) < 1ms);
    CHECK(pause_with(0.0, high) == 100ms);
    const auto by_chance = pause_with(0.5, futon::detail::roll_dice);
    CHECK(by_chance > 49ms);
    CHECK(by_chance <= 100ms);
}

TEST_CASE("retry: never pauses past the deadline of the current context") {
    manual_executor place;
    const auto request = futon::detail::make_intrusive<futon::context>(place.now() + 25ms);
    service peer{place};
    future<int> f;
    {
        const futon::detail::context_scope scope{request.get()};
        f = retry(place, {.policy = {.max_attempts = 9, .base = 10ms}, .jitter = 0}, std::ref(peer));
    }
    // After the second failure the next pause would end at 30 ms.
    place.advance(10ms);
    REQUIRE(f.is_ready());
    CHECK(peer.calls.size() == 2);
    CHECK(std::move(f).get_result().error() == errc::overloaded);
}

TEST_CASE("retry: waits as long as the peer asks for, or gives up if that is past the deadline") {
    manual_executor place;
    service peer{place, turned_away.with_retry_after(300ms), 1};
    auto f = retry(place, exponential_backoff{.base = 1ms}, std::ref(peer));
    place.advance(299ms);
    CHECK(peer.calls.size() == 1);
    place.advance(1ms);
    CHECK(std::move(f).get() == 2);

    const auto request = futon::detail::make_intrusive<futon::context>(place.now() + 200ms);
    const futon::detail::context_scope scope{request.get()};
    service slow{place, turned_away.with_retry_after(300ms)};
    auto g = retry(place, exponential_backoff{.base = 1ms}, std::ref(slow));
    place.run_ready();
    CHECK(g.is_ready());
    static_cast<void>(std::move(g).get_result());
}

TEST_CASE("retry: a peer that asks for a pause without end is tried again after a minute, where no deadline bounds it") {
    manual_executor place;
    service peer{place, turned_away.with_retry_after(futon::duration::max()), 1};
    auto f = retry(place, exponential_backoff{.base = 1ms}, std::ref(peer));
    place.advance(futon::longest_retry_after - 1ms);
    CHECK(peer.calls.size() == 1);
    place.advance(1ms);
    CHECK(std::move(f).get() == 2);

    // Who set a deadline has said how long it may take.
    const auto request = futon::detail::make_intrusive<futon::context>(place.now() + 1h);
    const futon::detail::context_scope scope{request.get()};
    service slow{place, turned_away.with_retry_after(10min), 1};
    auto g = retry(place, exponential_backoff{.base = 1ms}, std::ref(slow));
    place.advance(10min);
    CHECK(std::move(g).get() == 2);
}

TEST_CASE("retry: a budget that several share ends the repetitions of all of them") {
    manual_executor place;
    const futon::shared_retry_budget budget{futon::retry_budget{0.0, 0.0, 3.0}};
    service peer{place};
    std::vector<future<int>> all;
    for (int i = 0; i < 10; ++i)
        all.push_back(retry(place, {.policy = {.max_attempts = 5, .base = 1ms}, .budget = budget}, std::ref(peer)));
    place.advance(1s);
    CHECK(peer.calls.size() == 10 + 3);
    for (auto& each : all) CHECK(std::move(each).get_result().error() == errc::overloaded);
}

TEST_CASE("retry: cancelled during a pause it ends at once, and during an attempt that is cancelled") {
    manual_executor place;
    service peer{place};
    auto f = retry(place, exponential_backoff{.base = 10ms}, std::ref(peer)).then([](int) {});
    place.run_ready();
    CHECK(place.timers() == 1);
    f.cancel();
    CHECK(place.timers() == 0);
    place.run_ready();
    REQUIRE(f.is_ready());
    const auto why = std::move(f).get_result().error();
    CHECK(why == errc::cancelled);
    // The only attempt was turned away.
    CHECK(why.ran() == executed::no);
    place.advance(1s);
    CHECK(peer.calls.size() == 1);

    promise<int> call{place};
    auto g = retry(place, exponential_backoff{}, [&] { return call.get_future(); });
    g.cancel();
    CHECK(call.cancel_requested());
    place.run_ready();
    CHECK(std::move(g).get_result().error() == errc::cancelled);
}

TEST_CASE("retry: a timeout around it ends it between attempts and within them") {
    manual_executor place;
    service peer{place};
    auto f = retry(place, exponential_backoff{.max_attempts = 9, .base = 10ms}, std::ref(peer)).timeout(5ms);
    place.advance(5ms);
    CHECK(std::move(f).get_result().error() == errc::deadline_exceeded);
    place.advance(1s);
    CHECK(peer.calls.size() == 1);
    CHECK(place.timers() == 0);
}

TEST_CASE("retry: made on a thread of the user's, it goes on where its first attempt's future lives") {
    manual_executor place;
    service peer{place, turned_away, 1};
    futon::executor_ref second;
    auto f = retry(exponential_backoff{.base = 1ms}, [&](attempt which) {
        if (which.number == 2) second = futon::current_executor();
        return peer(which);
    });
    CHECK(f.executor() == place.ref());
    place.advance(1s);
    CHECK(std::move(f).get() == 2);
    CHECK(second == place.ref());

    // Nowhere to go on: the failure says so, and the first error with it.
    const auto why = retry(exponential_backoff{}, [] { return result<int>{turned_away}; }).get_result().error();
    CHECK(why == errc::no_executor);
    CHECK(why.message().find("overloaded") != std::string::npos);
    CHECK(why.ran() == executed::no);
    // A success needs none.
    CHECK(retry(exponential_backoff{}, [] { return 5; }).get() == 5);
}

TEST_CASE("retry: an executor that ends during a pause or refuses is the result, and keeps a success") {
    auto place = std::make_unique<manual_executor>();
    service peer{*place};
    auto f = retry(*place, exponential_backoff{}, std::ref(peer));
    place->run_ready();
    place = nullptr;
    CHECK(std::move(f).get_result().error() == errc::executor_rejected);

    manual_executor full;
    promise<int> call{full};
    auto g = retry(full, exponential_backoff{}, [&] { return call.get_future(); });
    full.limit_queue(0);
    call.set_value(3);
    CHECK(std::move(g).get() == 3);
}

TEST_CASE("retry: attempts may be coroutines, whose callable lives as long as they do, in the context of the caller") {
    manual_executor place;
    const auto request = futon::detail::make_intrusive<futon::context>();
    std::vector<futon::context*> seen;
    auto watched = std::make_shared<int>(0);
    const std::weak_ptr<int> alive = watched;
    future<int> f;
    {
        const futon::detail::context_scope scope{request.get()};
        auto body = [&seen, &place, owned = std::move(watched)](attempt which) -> futon::task<int> {
            auto pause = futon::delay(place, 1ms);
            co_await std::move(pause);
            seen.push_back(futon::current_context().get());
            if (which.number < 3) co_return turned_away;
            co_return ++*owned;
        };
        f = retry(place, exponential_backoff{.base = 1ms}, std::move(body));
    }
    place.advance(1s);
    CHECK(seen == std::vector<futon::context*>(3, request.get()));
    CHECK(alive.expired());
    CHECK(request->unique());
    CHECK(std::move(f).get() == 1);
}

TEST_CASE("retry: a million attempts, and retries of retries, take no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        int calls = 0;
        auto f = retry(place, always{}, [&]() -> result<int> {
            if (++calls < tests::deep) return turned_away;
            return calls;
        });
        place.run_ready();
        CHECK(std::move(f).get() == tests::deep);
    });
    for (const bool cancel : {false, true}) {
        tests::on_small_stack([&] {
            manual_executor place;
            promise<int> p{place};
            auto nested = p.get_future();
            for (int i = 0; i < tests::deep / 10; ++i)
                nested = retry(place, exponential_backoff{},
                               [inner = std::move(nested)]() mutable { return std::move(inner); });
            cancel ? nested.cancel() : p.set_error(errc::bad_arguments);
            place.run_ready();
            CHECK(std::move(nested).get_result().error() == (cancel ? errc::cancelled : errc::bad_arguments));
        });
    }
}

TEST_CASE("retry: a cancel that races attempts and pauses leaves exactly one ending") {
    futon::runtime threads{{.io_threads = 2}};
    const auto here = threads.executor();
    const auto there = threads.executor();
    int ended = 0;
    const int rounds = tests::is_instrumented ? 1000 : 10000;
    for (int i = 0; i < rounds; ++i) {
        std::atomic<int> calls{0};
        auto f = retry(here, {.policy = {.max_attempts = 20, .base = 1us, .ceiling = 2us}}, [&] {
            ++calls;
            return futon::async(there, [] { return result<int>{turned_away}; });
        });
        const auto handle = f.get_cancel_handle();
        while (calls < i % 4) std::this_thread::yield();
        handle.cancel();
        const auto got = std::move(f).get_result();
        if (!got && (got.error() == errc::cancelled || got.error() == errc::overloaded)) ++ended;
    }
    CHECK(ended == rounds);
}

TEST_CASE("retry: whatever the dice and the jitter, a pause lasts from nothing to its length") {
    struct longest {
        std::optional<futon::duration> next_delay(const futon::failed_attempt& failed) const noexcept {
            if (failed.number > 2) return std::nullopt;
            return failed.number == 1 ? futon::duration{10ms} : futon::duration::max();
        }
    };
    constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
    for (const double jitter : {-1e300, -1.0, 0.0, 0.5, 1.0, 7.0, 1e300, nan}) {
        manual_executor place;
        int calls = 0;
        auto f =
            retry(place, futon::retry_options<longest>{.jitter = jitter, .dice = []() noexcept { return 1.0; }}, [&] {
                ++calls;
                return make_failed<int>(place, turned_away);
            });
        place.advance(10ms);
        CHECK(calls == (jitter >= 1 ? 3 : 2));
        f.cancel();
        place.run_ready();
        CHECK_FALSE(std::move(f).get_result());
    }
}

}  // namespace
