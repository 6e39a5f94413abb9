// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/latency_chart.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

TEST_CASE("latency_histogram: percentiles are right within half a percent, the largest exactly") {
    futon::testing::latency_histogram latencies;
    CHECK(latencies.percentile(0.5) == 0s);
    for (int i = 1; i <= 10'000; ++i) latencies.add(i * 10us);
    CHECK(latencies.size() == 10'000);
    CHECK(std::chrono::duration<double>(latencies.percentile(0.5)).count() == doctest::Approx(0.05).epsilon(0.005));
    CHECK(std::chrono::duration<double>(latencies.percentile(0.99)).count() == doctest::Approx(0.099).epsilon(0.005));
    CHECK(latencies.percentile(1) == 100ms);

    futon::testing::latency_histogram more;
    more.add(2s);
    latencies.add(more);
    CHECK(latencies.percentile(1) == 2s);
    latencies.add(futon::duration::max());  // longer than any bucket
    CHECK(latencies.size() == 10'002);
}

TEST_CASE("latency_chart: draws a line for each series, and takes names as text") {
    futon::testing::latency_histogram latencies;
    for (int i = 1; i <= 1000; ++i) latencies.add(i * 1ms);
    const auto image = futon::testing::latency_chart("a < b", {{"one & two", latencies}, {"empty", {}}});
    std::size_t lines = 0;
    for (auto at = image.find("<polyline"); at != std::string::npos; at = image.find("<polyline", at + 1)) ++lines;
    CHECK(lines == 2);
    CHECK(image.find("a &lt; b") != std::string::npos);
    CHECK(image.find("one &amp; two") != std::string::npos);
    CHECK(image.find("nan") == std::string::npos);
    CHECK(image.find("inf") == std::string::npos);
    // A thousand calls tell of one in a hundred, and no rarer.
    CHECK(image.find("99 %") != std::string::npos);
    CHECK(image.find("99.9 %") == std::string::npos);
    CHECK(image.substr(image.size() - 7) == "</svg>\n");
}

}  // namespace
