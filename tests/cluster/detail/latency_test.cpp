// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/detail/latency.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

TEST_CASE("decay: is e^-x to half a millionth, and nearly nothing after a long time") {
    using futon::detail::decay;
    CHECK(decay(0) == 1);
    for (float x = 1e-6f; x < 80; x *= 1.003f) {
        CAPTURE(x);
        // The argument itself has 24 bits: of a large one the last is worth more.
        CHECK(decay(x) == doctest::Approx(std::exp(-static_cast<double>(x))).epsilon(5e-7 + 1e-7 * static_cast<double>(x)));
    }
    for (const float x : {86.0f, 1e6f, 1e30f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        CAPTURE(x);
        CHECK(decay(x) >= 0);
        CHECK(decay(x) < 1e-36f);
    }
    static_assert(decay(1) > 0.36787f && decay(1) < 0.36789f);
}

TEST_CASE("decay: never grows") {
    float before = 1;
    for (float x = 0; x < 20; x += 1.0f / 4096) {
        CAPTURE(x);
        const auto now = futon::detail::decay(x);
        CHECK(now <= before * (1 + 1e-6f));
        before = now;
    }
}

}  // namespace
