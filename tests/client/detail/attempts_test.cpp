// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/attempts.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

const futon::time_point now{10s};
const futon::error busy{futon::errc::overloaded, futon::executed::no};

TEST_CASE("attempts: retries and hedges draw from one budget") {
    futon::detail::attempts attempts{futon::exponential_backoff{}};
    for (int i = 0; i < 10; ++i) REQUIRE(attempts.after(busy, 1, true, now, now + 3s));
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 3s));
    CHECK_FALSE(attempts.may_hedge(now));
    // A second earns one attempt, whichever comes first.
    CHECK(attempts.may_hedge(now + 1s));
    CHECK_FALSE(attempts.after(busy, 1, true, now + 1s, now + 3s));
    CHECK(attempts.refused() == 2);
}

TEST_CASE("attempts: what the policy or the deadline gives up is not counted as refused by the budget") {
    futon::detail::attempts attempts{futon::exponential_backoff{}, {.reserve = 0}};
    CHECK_FALSE(attempts.after(busy, 3, true, now, now + 3s));
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 1ms));
    CHECK_FALSE(attempts.after(futon::errc::permission_denied, 1, true, now, now + 3s));
    CHECK(attempts.refused() == 0);
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 3s));
    CHECK(attempts.refused() == 1);
}

TEST_CASE("attempts: hedges leave half of the budget to retries") {
    futon::detail::attempts attempts{futon::exponential_backoff{}};
    for (int i = 0; i < 5; ++i) REQUIRE(attempts.may_hedge(now));
    CHECK_FALSE(attempts.may_hedge(now));
    for (int i = 0; i < 5; ++i) CHECK(attempts.after(busy, 1, true, now, now + 3s));
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 3s));
}

TEST_CASE("attempts: calls begun without the lock earn for the budget as others do, and no more than its reserve") {
    futon::detail::attempts attempts{futon::exponential_backoff{}, {.per_second = 0}};
    for (int i = 0; i < 10; ++i) REQUIRE(attempts.after(busy, 1, true, now, now + 3s));
    const auto would_repeat = [&] {
        return attempts.would_repeat(futon::exponential_backoff{}, futon::executed::no, true, now, now + 3s);
    };
    CHECK_FALSE(would_repeat());
    for (int i = 0; i < 21; ++i) i % 2 == 0 ? attempts.begun_quickly() : attempts.begun();
    CHECK(would_repeat());
    CHECK(attempts.after(busy, 1, true, now, now + 3s));
    CHECK(attempts.may_hedge(now));
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 3s));
    for (int i = 0; i < 1000; ++i) attempts.begun_quickly();
    for (int i = 0; i < 5; ++i) CHECK(attempts.may_hedge(now));
    CHECK_FALSE(attempts.may_hedge(now));
    for (int i = 0; i < 5; ++i) CHECK(attempts.after(busy, 1, true, now, now + 3s));
    CHECK_FALSE(attempts.after(busy, 1, true, now, now + 3s));
}

TEST_CASE("attempts: a call's own policy comes before the channel's") {
    futon::detail::attempts attempts{futon::exponential_backoff{.max_attempts = 2}};
    CHECK_FALSE(attempts.after(busy, 2, false, now, now + 3s));
    CHECK(attempts.after(futon::exponential_backoff{.max_attempts = 3}, busy, 2, false, now, now + 3s));
    CHECK_FALSE(attempts.after(futon::exponential_backoff{.max_attempts = 1}, busy, 1, false, now, now + 3s));
}

TEST_CASE("attempts: what failed at one provider says nothing of attempts at others, an answer does") {
    using futon::detail::attempts;
    const auto of_one = [](futon::errc code, futon::executed ran) {
        return attempts::is_of_one_provider({code, ran}, true);
    };
    CHECK(of_one(futon::errc::connection_lost, futon::executed::maybe));
    CHECK(of_one(futon::errc::overloaded, futon::executed::no));
    CHECK(of_one(futon::errc::connect_failed, futon::executed::no));
    CHECK_FALSE(of_one(futon::errc::overloaded, futon::executed::yes));
    CHECK_FALSE(of_one(futon::errc::cancelled, futon::executed::maybe));
    CHECK_FALSE(of_one(futon::errc::deadline_exceeded, futon::executed::maybe));
    CHECK_FALSE(of_one(futon::errc::permission_denied, futon::executed::no));
    CHECK_FALSE(of_one(futon::errc::client_closed, futon::executed::maybe));
    CHECK_FALSE(attempts::is_of_one_provider({futon::errc::connection_lost, futon::executed::maybe}, false));
}

TEST_CASE("attempts: a peer that asks to wait past the deadline is not waited for, and without one not for ever") {
    futon::detail::attempts attempts{futon::exponential_backoff{}};
    CHECK(attempts.after(busy.with_retry_after(1s), 1, false, now, now + 3s) == 1s);
    CHECK_FALSE(attempts.after(busy.with_retry_after(3s), 1, false, now, now + 3s));
    CHECK_FALSE(attempts.after(busy.with_retry_after(futon::duration::max()), 1, false, now, now + 3s));
    CHECK(attempts.after(busy.with_retry_after(59s), 1, false, now, futon::no_deadline) == 59s);
    CHECK(attempts.after(busy.with_retry_after(futon::duration::max()), 1, false, now, futon::no_deadline) ==
          futon::longest_retry_after);
}

TEST_CASE(
    "attempts: what never ran moves for nothing from a connection that is gone, and by the budget from a peer that stays") {
    const futon::error why{futon::errc::unavailable, futon::executed::no};
    futon::detail::attempts attempts{futon::exponential_backoff{}, {.share = 0, .per_second = 0, .reserve = 2}};
    for (int i = 0; i < 5; ++i) CHECK(attempts.after(why, 1, false, now, now + 3s, true) == 0s);
    CHECK(attempts.after(why, 1, false, now, now + 3s, false) == 20ms);
    CHECK(attempts.after(why, 1, false, now, now + 3s, false) == 20ms);
    CHECK_FALSE(attempts.after(why, 1, false, now, now + 3s, false));
    CHECK(attempts.after(why, 1, false, now, now + 3s, true) == 0s);
}

}  // namespace
