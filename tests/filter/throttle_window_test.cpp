// SPDX-License-Identifier: Apache-2.0
#include <futon/filter/throttle_window.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

// Of `calls` in one second, with dice that fall evenly; those that go on are accepted if `accepting`.
int sent(futon::throttle_window& by, futon::time_point from, int calls, bool accepting) {
    int count = 0;
    for (int i = 0; i < calls; ++i) {
        const auto now = from + 1s * i / calls;
        if (by.rejects(now, static_cast<double>((i * 7919) % calls) / calls)) continue;
        ++count;
        if (accepting) by.accepted(now);
    }
    return count;
}

TEST_CASE("throttle_window: where calls are accepted, none is held back") {
    futon::throttle_window window{{}};
    futon::time_point now{1h};
    for (int s = 0; s < 60; ++s, now += 1s) CHECK(sent(window, now, 1000, true) == 1000);
}

TEST_CASE(
    "throttle_window: where none is accepted, fewer and fewer are tried, down to a share that finds out when that changes") {
    futon::throttle_window window{{.tries_per_accept = 2, .window = 30s}};
    futon::time_point now{1h};
    for (int s = 0; s < 30; ++s, now += 1s) static_cast<void>(sent(window, now, 1000, true));
    // The successes of before leave the window.
    int last = 1000;
    for (int s = 0; s < 40; ++s, now += 1s) last = sent(window, now, 1000, false);
    CHECK(last == 100);
    // When calls are accepted again, all are tried after two windows.
    for (int s = 0; s < 61; ++s, now += 1s) last = sent(window, now, 1000, true);
    CHECK(last == 1000);
}

TEST_CASE("throttle_window: at half of what is asked for, about that half times its factor is tried") {
    futon::throttle_window window{{.tries_per_accept = 2, .window = 10s}};
    futon::time_point now{1h};
    int tried = 0;
    for (int s = 0; s < 60; ++s, now += 1s) {
        // The other side takes 100 of 1000 calls a second.
        int accepted = 0;
        for (int i = 0; i < 1000; ++i) {
            const auto at = now + 1ms * i;
            if (window.rejects(at, static_cast<double>((i * 7919) % 1000) / 1000)) continue;
            if (s >= 30) ++tried;
            if (accepted++ < 100) window.accepted(at);
        }
    }
    CHECK(tried / 30 >= 180);
    CHECK(tried / 30 <= 220);
}

TEST_CASE("throttle_window: what is older than the window is forgotten, also over a long silence") {
    futon::throttle_window window{{.window = 10s}};
    const futon::time_point start{1h};
    for (int i = 0; i < 100; ++i) CHECK(!window.rejects(start, 0.999));
    CHECK(window.calls() == 100);
    CHECK(!window.rejects(start + 11s, 0.9));
    CHECK(window.calls() == 1);
    CHECK(!window.rejects(start + 24h, 0.9));
    CHECK(window.calls() == 1);
    CHECK(window.accepts() == 0);
}

}  // namespace
