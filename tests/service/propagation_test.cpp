// SPDX-License-Identifier: Apache-2.0
#include <futon/service/propagation.hpp>

#include <doctest/doctest.h>

#include <string>

using futon::metadata;
using futon::request_trace;
using futon::detail::read_trace;
using futon::detail::write_trace;

namespace {

const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_CASE("propagation: what is written is read back, whatever characters it has") {
    request_trace sent;
    sent.parent = parent;
    sent.state = "vendor=1";
    sent.set("tenant", "a,b;c=d %20 \"é\"\n");
    sent.set("empty", "");
    metadata headers;
    write_trace(sent, headers);
    CHECK(headers.get("traceparent") == parent);
    const auto got = read_trace(headers);
    REQUIRE(got);
    CHECK(got->parent == parent);
    CHECK(got->state == "vendor=1");
    CHECK(got->baggage == sent.baggage);
}

TEST_CASE("propagation: baggage has the form of W3C Baggage") {
    request_trace sent;
    sent.set("userId", "alice");
    sent.set("note", "a b");
    metadata headers;
    write_trace(sent, headers);
    CHECK(headers.get("baggage") == "userId=alice,note=a%20b");
    CHECK_FALSE(headers.contains("traceparent"));

    const auto got = read_trace({{"baggage", " userId = alice ; secret=1 , broken, =x, note=a%20b%2"}});
    REQUIRE(got);
    CHECK(got->baggage.size() == 2);
    CHECK(got->find("userId") == "alice");
    CHECK(got->find("note") == "a b%2");
}

TEST_CASE("propagation: what a caller set itself stands") {
    request_trace sent;
    sent.parent = parent;
    sent.set("a", "1");
    metadata headers{{"traceparent", "mine"}, {"baggage", "b=2"}};
    write_trace(sent, headers);
    CHECK(headers.get("traceparent") == "mine");
    CHECK(headers.get("baggage") == "b=2");
}

TEST_CASE("propagation: nothing, or nonsense, is no trace") {
    CHECK_FALSE(read_trace({}));
    CHECK_FALSE(read_trace({{"other", "x"}}));
    CHECK_FALSE(read_trace({{"traceparent", "nonsense"}, {"tracestate", "x"}}));
    CHECK_FALSE(read_trace({{"baggage", ",,;;=,"}}));
}

TEST_CASE("propagation: baggage past its limits is cut at an entry, and so is what a peer sends") {
    request_trace sent;
    for (int i = 0; i < 100; ++i) sent.set("key" + std::to_string(i), "v");
    metadata headers;
    write_trace(sent, headers);
    CHECK(read_trace(headers)->baggage.size() == 64);

    request_trace large;
    large.set("a", std::string(5000, 'x'));
    large.set("b", std::string(5000, 'y'));
    metadata cut;
    write_trace(large, cut);
    CHECK(read_trace(cut)->baggage.size() == 1);

    std::string many;
    for (int i = 0; i < 5000; ++i) many += std::to_string(i) + "=1,";
    CHECK(read_trace({{"baggage", many}})->baggage.size() == 64);
}

TEST_CASE(
    "propagation: what a peer sends past the limits is cut at an entry, so that no value is half there, nor too much passed on") {
    const std::string last(100, 'z');
    std::string text;
    for (int i = 0; text.size() < 8100; ++i) text += "k" + std::to_string(i) + "=" + std::string(200, 'v') + ",";
    const auto got = read_trace({{"baggage", text + "last=" + last}});
    REQUIRE(got);
    CHECK_FALSE(got->baggage.empty());
    for (const auto& [key, value] : got->baggage) CHECK(value == std::string(200, 'v'));
    CHECK_FALSE(read_trace({{"baggage", "k=" + std::string(9000, 'v')}}));

    const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    std::string state;
    for (int i = 0; state.size() < 8000; ++i) state += "v" + std::to_string(i) + "=" + std::string(50, 's') + ",";
    const auto traced = read_trace({{"traceparent", parent}, {"tracestate", state}});
    REQUIRE(traced);
    CHECK(traced->state.size() <= 512);
    CHECK(traced->state.size() > 400);
    CHECK(traced->state.ends_with('s'));
    CHECK(read_trace({{"traceparent", parent}, {"tracestate", "a=1,b=2"}})->state == "a=1,b=2");
}

TEST_CASE("propagation: a first value that is too large leaves no empty header") {
    request_trace large;
    large.set("a", std::string(9000, 'x'));
    metadata headers;
    write_trace(large, headers);
    CHECK(headers.empty());
}

}  // namespace
