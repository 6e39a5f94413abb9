// SPDX-License-Identifier: Apache-2.0
#include <futon/core/context.hpp>

#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;

namespace {

using futon::context;
using futon::detail::make_intrusive;

TEST_CASE("context: has no deadline unless given one") {
    CHECK(make_intrusive<context>()->deadline() == futon::no_deadline);
    CHECK(make_intrusive<context>(futon::time_point{5s})->deadline() == futon::time_point{5s});
}

TEST_CASE("context: a stop is seen by tokens taken before and after it, and callbacks run once") {
    const auto request = make_intrusive<context>();
    const auto before = request->stop_token();
    int runs = 0;
    const std::stop_callback early{before, [&] { ++runs; }};
    CHECK_FALSE(request->stop_requested());
    request->request_stop();
    request->request_stop();
    CHECK(request->stop_requested());
    CHECK(before.stop_requested());
    CHECK(request->stop_token().stop_requested());
    const std::stop_callback late{request->stop_token(), [&] { ++runs; }};
    CHECK(runs == 2);
}

TEST_CASE("context: a stop that races the first token is never lost") {
    for (int i = 0; i < (tests::is_instrumented ? 500 : 5000); ++i) {
        const auto request = make_intrusive<context>();
        std::atomic<bool> go{false};
        std::thread stopper{[&] {
            while (!go) std::this_thread::yield();
            request->request_stop();
        }};
        go = true;
        const auto token = request->stop_token();
        stopper.join();
        REQUIRE(token.stop_requested());
    }
}

}  // namespace
