// SPDX-License-Identifier: Apache-2.0
#include <futon/core/retry.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace {

// One second from its deadline, and the first attempt was turned away.
futon::failed_attempt turned_away() {
    const futon::time_point now{10s};
    return {.code = futon::errc::overloaded, .ran = futon::executed::no, .now = now, .deadline = now + 1s};
}

TEST_CASE("retry: the delay doubles with each failure and stops at the ceiling") {
    const futon::exponential_backoff policy{.max_attempts = 9, .base = 20ms, .ceiling = 50ms};
    auto attempt = turned_away();
    for (const auto expected : {20ms, 40ms, 50ms}) {
        CAPTURE(attempt.number);
        CHECK(policy.next_delay(attempt) == expected);
        ++attempt.number;
    }
}

TEST_CASE("retry: a base past all reason is the ceiling, not an overflow") {
    const futon::exponential_backoff policy{.max_attempts = 99, .base = futon::duration::max(), .ceiling = 50ms};
    auto attempt = turned_away();
    for (const int number : {1, 2, 60}) {
        attempt.number = number;
        CHECK(policy.next_delay(attempt) == 50ms);
    }
}

TEST_CASE("retry: gives up rather than sleep past the deadline") {
    auto attempt = turned_away();
    attempt.deadline = attempt.now + 20ms;
    CHECK_FALSE(futon::exponential_backoff{.base = 20ms}.next_delay(attempt).has_value());
    attempt.deadline = futon::no_deadline;
    CHECK(futon::exponential_backoff{.base = 20ms}.next_delay(attempt) == 20ms);
}

TEST_CASE("retry: what may have run is repeated only if the method is idempotent") {
    const futon::exponential_backoff policy;
    for (const bool idempotent : {false, true}) {
        CAPTURE(idempotent);
        auto attempt = turned_away();
        attempt.code = futon::errc::connection_lost;
        attempt.idempotent = idempotent;
        CHECK(policy.next_delay(attempt).has_value());
        attempt.ran = futon::executed::maybe;
        CHECK(policy.next_delay(attempt).has_value() == idempotent);
        attempt.ran = futon::executed::yes;
        CHECK_FALSE(policy.next_delay(attempt).has_value());
    }
}

TEST_CASE("retry: what a handler answered is repeated if the policy says so, the method may run twice, and it may help") {
    const futon::exponential_backoff policy{.answers = true};
    auto attempt = turned_away();
    attempt.code = futon::errc::unavailable;
    attempt.ran = futon::executed::yes;
    CHECK_FALSE(policy.next_delay(attempt).has_value());
    attempt.idempotent = true;
    CHECK(policy.next_delay(attempt).has_value());
    attempt.code = futon::errc::remote_error;
    CHECK_FALSE(policy.next_delay(attempt).has_value());
}

TEST_CASE("retry: what another attempt cannot mend is not repeated") {
    const futon::exponential_backoff policy;
    for (const auto code : {futon::errc::bad_arguments, futon::errc::no_such_method, futon::errc::deadline_exceeded,
                            futon::errc::cancelled, futon::errc::remote_error, futon::errc::message_too_big}) {
        auto attempt = turned_away();
        attempt.code = code;
        CHECK_FALSE(policy.next_delay(attempt).has_value());
    }
}

TEST_CASE("retry: one attempt turns it off, and an absurd number does not overflow") {
    CHECK_FALSE(futon::exponential_backoff{.max_attempts = 1}.next_delay(turned_away()).has_value());
    auto attempt = turned_away();
    attempt.number = 1'000'000;
    attempt.deadline = futon::no_deadline;
    CHECK(futon::exponential_backoff{.max_attempts = 2'000'000}.next_delay(attempt) == 1s);
}

TEST_CASE("retry budget: a tenth of the calls and one per second, from a small reserve") {
    futon::retry_budget budget{0.1, 1.0, 2.0};
    const futon::time_point start{100s};
    CHECK(budget.spend(start));
    CHECK(budget.spend(start));
    CHECK_FALSE(budget.spend(start));
    for (int call = 0; call < 11; ++call) budget.earn();
    CHECK(budget.spend(start));
    CHECK_FALSE(budget.spend(start));
    CHECK(budget.spend(start + 1s));
    CHECK_FALSE(budget.spend(start + 1s));
    // A clock that stands still or goes back gives nothing.
    CHECK_FALSE(budget.spend(start));
    // The reserve is the most that is saved up.
    CHECK(budget.spend(start + 1h));
    CHECK(budget.spend(start + 1h));
    CHECK_FALSE(budget.spend(start + 1h));
}

TEST_CASE("reconnect: the pause grows to its ceiling, and the dice spread it by a fifth") {
    const futon::reconnect_backoff policy;
    CHECK(policy.pause_after(1, 0.5) == 100ms);
    CHECK(policy.pause_after(2, 0.5) == 160ms);
    CHECK(policy.pause_after(1, 0.0) == 80ms);
    CHECK(policy.pause_after(1000, 0.5) == 10s);
    CHECK(policy.pause_after(1000, 0.999999) < 12s);
    CHECK(policy.pause_after(1000, 0.0) == 8s);
}

}  // namespace
