// SPDX-License-Identifier: Apache-2.0
#include <futon/filter/token_bucket.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

using namespace std::chrono_literals;

namespace {

int taken_at(futon::token_bucket& from, futon::time_point now, int tries) {
    int taken = 0;
    for (int i = 0; i < tries; ++i) taken += from.take(now) == futon::duration{} ? 1 : 0;
    return taken;
}

TEST_CASE("token_bucket: a quiet time saves up a burst and no more, then tokens come one by one") {
    futon::token_bucket bucket{100, 5};
    const futon::time_point start{1h};
    CHECK(taken_at(bucket, start, 20) == 5);
    CHECK(bucket.take(start) == 10ms);
    CHECK(bucket.take(start + 4ms) == 6ms);
    CHECK(taken_at(bucket, start + 10ms, 20) == 1);
    CHECK(taken_at(bucket, start + 30ms, 20) == 2);
    CHECK(taken_at(bucket, start + 1h, 20) == 5);
}

TEST_CASE("token_bucket: in the long run it lets its rate through, whatever is asked of it") {
    for (const futon::duration step : {futon::duration{100us}, futon::duration{3ms}, futon::duration{70ms}}) {
        futon::token_bucket bucket{250, 20};
        futon::time_point now{1h};
        int taken = 0;
        for (const auto end = now + 100s; now < end; now += step) taken += taken_at(bucket, now, 20);
        CAPTURE(step.count());
        CHECK(taken >= 25'000 - 20);
        CHECK(taken <= 25'000 + 20);
    }
}

TEST_CASE("token_bucket: a clock that stands or goes back gives nothing away") {
    futon::token_bucket bucket{10, 1};
    const futon::time_point start{1h};
    CHECK(taken_at(bucket, start, 3) == 1);
    CHECK(taken_at(bucket, start - 10s, 3) == 0);
    CHECK(taken_at(bucket, start, 3) == 0);
}

TEST_CASE("token_bucket: rates and bursts past all reason overflow nothing") {
    const futon::time_point now{10s};
    for (const double rate : {1e-300, 0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
        CAPTURE(rate);
        futon::token_bucket bucket{rate, 1e300};
        CHECK(bucket.take(now) == 0s);
        CHECK(futon::token_bucket{rate, 1}.take(now) == 0s);
    }
    futon::token_bucket slow{1e-300, 1};
    CHECK(slow.take(now) == 0s);
    CHECK(slow.take(now) > 24h);
    CHECK(futon::token_bucket{1e300, 1e300}.take(now) == 0s);
}

}  // namespace
