// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/fault_tolerance.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <vector>

using namespace std::chrono_literals;
using futon::errc;

namespace {

struct window_by_window {
    window_by_window(std::size_t count, futon::fault_tolerance_options options) : cluster{count}, rule{options} {
        close();
    }
    void calls(std::size_t i, int ok, int bad, errc code = errc::deadline_exceeded) {
        for (int k = 0; k < ok; ++k)
            rule.ended(cluster[i], futon::attempt_outcome::success(cluster.now, cluster.now + 1ms));
        for (int k = 0; k < bad; ++k)
            rule.ended(cluster[i], futon::attempt_outcome::failed(code, cluster.now, cluster.now + 1ms));
    }
    bool close() {
        cluster.now += 10s;
        const std::vector<futon::node*> listed{cluster.set.begin(), cluster.set.end()};
        return rule.advance(listed, cluster.now);
    }
    tests::nodes cluster;
    futon::fault_tolerance rule;
};
const futon::fault_tolerance_options on{.enabled = true, .degrades = true};

TEST_CASE("fault_tolerance: off, and only measuring") {
    window_by_window off{3, {}};
    off.calls(0, 0, 100);
    CHECK_FALSE(off.close());
    CHECK(off.rule.next_wakeup() == futon::no_deadline);

    window_by_window measures{3, {.enabled = true}};
    measures.calls(0, 0, 100);
    measures.calls(1, 100, 0);
    CHECK_FALSE(measures.close());
    REQUIRE(measures.rule.abnormal().size() == 1);
    CHECK(measures.rule.abnormal()[0] == &measures.cluster[0]);
    CHECK(measures.cluster[0].degraded == 1);
}

TEST_CASE(
    "fault_tolerance: six times the rate of the others degrades to a twentieth; five healthy windows restore it") {
    window_by_window w{3, on};
    w.calls(0, 90, 10);  // 10 %, the others 1 %.
    w.calls(1, 99, 1);
    w.calls(2, 99, 1);
    CHECK(w.close());
    CHECK(w.cluster[0].degraded == doctest::Approx(0.05));
    CHECK(w.cluster[1].degraded == 1);
    for (const double expected : {0.1, 0.2, 0.4, 0.8, 1.0}) {
        w.calls(0, 10, 0);
        CHECK(w.close());
        CHECK(w.cluster[0].degraded == doctest::Approx(expected));
    }
    w.calls(0, 10, 0);
    CHECK_FALSE(w.close());
}

TEST_CASE("fault_tolerance: among two providers a failing one is found, which SOFARPC's rule never does") {
    window_by_window w{2, on};
    w.calls(0, 0, 50);
    w.calls(1, 50, 0);
    CHECK(w.close());
    CHECK(w.cluster[0].degraded < 0.1f);
    CHECK(w.cluster[1].degraded == 1);
}

TEST_CASE("fault_tolerance: several that fail together are found, as many as may be degraded") {
    window_by_window w{6, on};
    for (std::size_t i = 0; i < 3; ++i) w.calls(i, 0, 50);
    for (std::size_t i = 3; i < 6; ++i) w.calls(i, 50, 0);
    CHECK(w.close());
    CHECK(w.rule.abnormal().size() == 3);
    int degraded = 0;
    for (const auto& n : w.cluster.owned) degraded += n->degraded < 1;
    CHECK(degraded == 2);
}

TEST_CASE("fault_tolerance: lost connections count, application errors do not, few calls judge nobody") {
    window_by_window w{3, on};
    w.calls(0, 5, 20, errc::connection_lost);
    w.calls(1, 5, 50, errc::remote_error);
    w.calls(2, 0, 9);
    CHECK(w.close());
    CHECK(w.cluster[0].degraded < 1);
    CHECK(w.cluster[1].degraded == 1);
    CHECK(w.cluster[2].degraded == 1);
}

TEST_CASE("fault_tolerance: a degraded node needs fewer calls to be judged, and keeps the least weight") {
    window_by_window w{3, on};
    for (int i = 0; i < 3; ++i) {
        w.calls(0, 0, i == 0 ? 10 : 1);
        w.calls(1, 50, 0);
        CHECK(w.close());
    }
    CHECK(w.cluster[0].degraded == doctest::Approx(0.01));  // 1 of 100.
}

TEST_CASE("fault_tolerance: a node that warms up is not degraded") {
    window_by_window w{3, on};
    w.cluster[0].told.warm_up = 1min;
    w.cluster[0].first_seen = w.cluster.now;
    w.calls(0, 0, 50);
    CHECK_FALSE(w.close());
    CHECK(w.rule.abnormal().size() == 1);
}

}  // namespace
