// SPDX-License-Identifier: Apache-2.0
#include <futon/core/trace.hpp>

#include <doctest/doctest.h>

#include <string>

using futon::is_trace_parent;

TEST_CASE("trace: only a traceparent of version 00 with ids is one") {
    const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    CHECK(is_trace_parent(good));
    CHECK_FALSE(is_trace_parent(""));
    CHECK_FALSE(is_trace_parent(good + "0"));
    CHECK_FALSE(is_trace_parent("01" + good.substr(2)));
    CHECK_FALSE(is_trace_parent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    CHECK_FALSE(is_trace_parent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
    CHECK_FALSE(is_trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
    CHECK_FALSE(is_trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736x00f067aa0ba902b7-01"));
    CHECK_FALSE(is_trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"));
}

TEST_CASE("trace: a new traceparent is one, says whether it is sampled, and is not the last one") {
    const auto one = futon::make_trace_parent();
    CHECK(is_trace_parent(one));
    CHECK(one.ends_with("-01"));
    CHECK(futon::make_trace_parent(false).ends_with("-00"));
    CHECK(one != futon::make_trace_parent());
}

TEST_CASE("trace: baggage has one value per key, the last") {
    futon::request_trace some;
    CHECK(some.empty());
    some.set("tenant", "a");
    some.set("tenant", "b");
    CHECK(some.baggage.size() == 1);
    CHECK(some.find("tenant") == "b");
    CHECK_FALSE(some.find("other"));
}
