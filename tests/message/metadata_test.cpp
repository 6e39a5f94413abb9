// SPDX-License-Identifier: Apache-2.0
#include <futon/message/metadata.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

TEST_CASE("metadata: a key is unique, and keeps its place when it is set again") {
    futon::metadata headers{{"a", "1"}, {"b", "2"}, {"a", "3"}};
    CHECK(headers.size() == 2);
    CHECK(headers.get("a") == "3");
    CHECK(headers.begin()->first == "a");
    headers.set("c", "");
    CHECK(headers.get("c") == "");
    CHECK(headers.contains("c"));
    CHECK_FALSE(headers.get("d").has_value());
    headers.clear();
    CHECK(headers.empty());
}

TEST_CASE("metadata: values may hold any bytes") {
    futon::metadata headers;
    const std::string value{"\0\xff\n", 3};
    headers.set("raw", value);
    CHECK(headers.get("raw") == value);
}

}  // namespace
