// SPDX-License-Identifier: Apache-2.0
#include <futon/core/with_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stop_token>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using futon::context;
using futon::current_context;
using futon::with_context;
using futon::detail::context_scope;
using futon::detail::make_intrusive;

namespace {

const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_CASE("with_context: code sees the trace and the baggage, and nothing is left behind") {
    CHECK_FALSE(current_context());
    const int got = with_context({.trace_parent = parent, .baggage = {{"tenant", "acme"}}}, [] {
        CHECK(current_context()->trace_parent() == parent);
        CHECK(current_context()->baggage("tenant") == "acme");
        CHECK_FALSE(current_context()->baggage("other"));
        CHECK(current_context()->deadline() == futon::no_deadline);
        return 7;
    });
    CHECK(got == 7);
    CHECK_FALSE(current_context());
    CHECK_THROWS_AS(with_context({.baggage = {{"a", "b"}}}, []() -> int { throw std::runtime_error{"x"}; }),
                    std::runtime_error);
    CHECK_FALSE(current_context());
}

TEST_CASE("with_context: adds to what the outer one has, and leaves that as it was") {
    with_context({.trace_parent = parent, .baggage = {{"a", "1"}, {"b", "2"}}}, [] {
        with_context({.baggage = {{"b", "3"}, {"c", "4"}}}, [] {
            const auto here = current_context();
            CHECK(here->trace_parent() == parent);
            CHECK(here->baggage("a") == "1");
            CHECK(here->baggage("b") == "3");
            CHECK(here->baggage("c") == "4");
        });
        CHECK(current_context()->baggage("b") == "2");
        CHECK_FALSE(current_context()->baggage("c"));
    });
}

TEST_CASE("with_context: inherits the deadline and the stop of the request") {
    const auto request = make_intrusive<context>(futon::clock::now() + 1h);
    const context_scope scope{request.get()};
    with_context({.baggage = {{"a", "1"}}}, [&] {
        with_context({.baggage = {{"b", "1"}}}, [&] {
            const auto here = current_context();
            CHECK(here->deadline() == request->deadline());
            int stops = 0;
            const std::stop_callback counted{here->stop_token(), [&] { ++stops; }};
            CHECK_FALSE(here->stop_requested());
            request->request_stop();
            CHECK(here->stop_requested());
            CHECK(stops == 1);
        });
    });
}

TEST_CASE("with_context: a timeout shortens the deadline and never lengthens it") {
    with_context({.timeout = 1h}, [] {
        const auto outer = current_context()->deadline();
        CHECK(outer != futon::no_deadline);
        with_context({.timeout = 2h}, [&] { CHECK(current_context()->deadline() == outer); });
        with_context({.timeout = 1min}, [&] { CHECK(current_context()->deadline() < outer); });
    });
}

TEST_CASE("detached: keeps the trace and the baggage, and drops the deadline and the stop") {
    const auto request = make_intrusive<context>(futon::clock::now() + 1h);
    const context_scope scope{request.get()};
    with_context({.trace_parent = parent, .baggage = {{"a", "1"}}}, [&] {
        futon::detached([&] {
            const auto here = current_context();
            CHECK(here->trace_parent() == parent);
            CHECK(here->baggage("a") == "1");
            CHECK(here->deadline() == futon::no_deadline);
            request->request_stop();
            CHECK_FALSE(here->stop_requested());
            CHECK_FALSE(here->stop_token().stop_requested());
        });
    });
}

TEST_CASE("with_context: contexts that are made inside each other do not form a chain that grows") {
    const auto request = make_intrusive<context>();
    auto last = request;
    for (int i = 0; i < 1000; ++i) {
        const context_scope scope{last.get()};
        last = futon::make_context({.baggage = {{"i", std::to_string(i)}}});
    }
    // One reference here, one from the last context: those between are gone.
    CHECK(last->baggage("i") == "999");
    last = nullptr;
    CHECK(request->unique());
}

}  // namespace
