// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/attempt_budget.hpp>

#include <futon/cluster/dice.hpp>
#include <futon/cluster/hedge_delay.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

using namespace std::chrono_literals;

namespace {

TEST_CASE("hedge_delay: the 95th percentile within five per cent, once there are 64 samples") {
    futon::hedge_delay delays;
    futon::dice random{3};
    const futon::time_point now{10s};
    for (int i = 0; i < 63; ++i) delays.took(10ms, now);
    CHECK_FALSE(delays.delay(10s).has_value());
    delays.took(10ms, now);
    CHECK(*delays.delay(10s) >= 10ms);
    CHECK(*delays.delay(10s) <= 10.7ms);

    futon::hedge_delay exponential;
    for (int i = 0; i < 50'000; ++i) {
        const auto ms = -4.0 * std::log(1 - random.fraction());
        exponential.took(std::chrono::duration_cast<futon::duration>(std::chrono::duration<double, std::milli>(ms)),
                         now);
    }
    const auto expected = 4.0 * std::log(20.0);  // ms
    CHECK(std::chrono::duration<double, std::milli>(*exponential.delay(10s)).count() ==
          doctest::Approx(expected).epsilon(0.07));
    CHECK(std::chrono::duration<double, std::milli>(*exponential.percentile(0.5)).count() ==
          doctest::Approx(4.0 * std::log(2.0)).epsilon(0.07));
}

TEST_CASE("hedge_delay: stays above the floor and below half of the timeout") {
    futon::hedge_delay delays;
    const futon::time_point now{10s};
    for (int i = 0; i < 100; ++i) delays.took(50us, now);
    CHECK(delays.delay(1s) == 1ms);
    for (int i = 0; i < 1000; ++i) delays.took(900ms, now);
    CHECK(delays.delay(1s) == 500ms);
    CHECK(*delays.delay(0s) > 900ms);
}

TEST_CASE("hedge_delay: what was long ago fades") {
    futon::hedge_delay delays;
    futon::time_point now{10s};
    for (int i = 0; i < 1000; ++i) delays.took(100ms, now);
    now += 5min;
    for (int i = 0; i < 100; ++i) delays.took(5ms, now);
    CHECK(*delays.delay(10s) < 6ms);
    CHECK(delays.samples() < 105);
    now += 1h;
    delays.took(5ms, now);
    CHECK(delays.samples() == 1);
    CHECK_FALSE(delays.delay(10s).has_value());
}

TEST_CASE("hedge_delay: any length has a place") {
    futon::hedge_delay delays{{.least_samples = 1}};
    futon::duration last{};
    for (const futon::duration took :
         {futon::duration{-5}, futon::duration{0}, futon::duration{1us}, futon::duration{15us}, futon::duration{16us},
          futon::duration{1s}, futon::duration{100h}, futon::duration::max()}) {
        futon::hedge_delay one{{.least_samples = 1, .floor = 0s, .most_of_timeout = 0}};
        one.took(took, futon::time_point{1s});
        CHECK(*one.delay(1s) >= last);
        last = *one.delay(1s);
    }
    CHECK_FALSE(delays.delay(1s).has_value());
}

TEST_CASE(
    "attempt_budget: extra attempts are a tenth of the calls and one a second, hedges a twentieth of them (G15)") {
    futon::attempt_budget budget;
    futon::time_point now{100s};
    int retries = 0;
    int hedges = 0;
    for (int i = 0; i < 10'000; ++i) {  // A thousand a second, all fail and all are slow.
        now += 1ms;
        budget.earn();
        hedges += budget.spend_hedge(now);
        retries += budget.spend_retry(now);
    }
    CHECK(hedges <= 10'000 * 0.052);
    CHECK(retries + hedges <= 10'000 * 0.1 + 10 + 10 + 1);
    CHECK(retries + hedges >= 1000);
    CHECK(retries > 400);
    CHECK(budget.retries() == static_cast<std::uint64_t>(retries));
    CHECK(budget.hedges() == static_cast<std::uint64_t>(hedges));
    CHECK(budget.refused() == 20'000 - static_cast<std::uint64_t>(retries + hedges));
}

TEST_CASE("attempt_budget: hedges off") {
    futon::attempt_budget budget{{.hedge_share = 0}};
    for (int i = 0; i < 100; ++i) budget.earn();
    CHECK_FALSE(budget.spend_hedge(futon::time_point{10s}));
    CHECK(budget.spend_retry(futon::time_point{10s}));
}

}  // namespace
