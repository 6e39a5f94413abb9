// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/validate.hpp>

#include <doctest/doctest.h>

#include "support/hex.hpp"

#include <initializer_list>
#include <string>

namespace {

using test_support::hex;
using test_support::repeat;

std::string complaint(const futon::bytes& message, const futon::complexity_limits& limits = {}) {
    const auto verdict = futon::validate(message, limits);
    return verdict ? "fine" : verdict.error().describe();
}
std::string too_deep(int levels) {
    return "message_too_big: message nested deeper than " + std::to_string(levels) +
           " levels (limits.complexity.max_depth of the side that reads it)";
}
std::string too_many(int values) {
    return "message_too_big: message of more than " + std::to_string(values) +
           " values (limits.complexity.max_nodes of the side that reads it)";
}

// One message of each head that msgpack has, and a few nested ones.
const std::initializer_list<const char*> well_formed = {
    "00",
    "7f",
    "e0",
    "ff",
    "c0",
    "c2",
    "c3",
    "cc80",
    "cd0100",
    "ce00010000",
    "cf0000000100000000",
    "d080",
    "d18000",
    "d280000000",
    "d38000000000000000",
    "ca3f800000",
    "cb3ff0000000000000",
    "a0",
    "a3616263",
    "d903616263",
    "da0003616263",
    "db00000003616263",
    "c403010203",
    "c50003010203",
    "c600000003010203",
    "c400",
    "d40155",
    "d5015555",
    "d60155555555",
    "d7015555555555555555",
    "d801555555555555555555555555555555ff",
    "c7000a",
    "c7030a010203",
    "c800030a010203",
    "c9000000030a010203",
    "90",
    "93010203",
    "dc0003010203",
    "dd00000003010203",
    "80",
    "820102a161c0",
    "de00020102a161c0",
    "df000000020102a161c0",
    "9391c081a16193c0c0c0c3",
    "929081a090",
};

TEST_CASE("validate: each head of msgpack is accepted, with exactly its bytes") {
    for (const auto* text : well_formed) {
        CAPTURE(text);
        auto message = hex(text);
        CHECK(complaint(message) == "fine");
        message.push_back(std::byte{0xc0});
        CHECK(complaint(message).find("bytes after the end of the value") != std::string::npos);
    }
}

TEST_CASE("validate: no proper prefix of a message is a message") {
    for (const auto* text : well_formed) {
        CAPTURE(text);
        const auto message = hex(text);
        REQUIRE(complaint(message) == "fine");
        for (std::size_t size = 0; size != message.size(); ++size) {
            CAPTURE(size);
            // A copy of exactly the prefix, so that a sanitizer sees any read past it.
            const futon::bytes prefix(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
            const auto verdict = futon::validate(prefix);
            REQUIRE_FALSE(verdict);
            CHECK(verdict.error() == futon::errc::bad_arguments);
            CHECK(verdict.error().ran() == futon::executed::no);
        }
    }
}

TEST_CASE("validate: the reserved byte is refused wherever it stands") {
    for (const auto* text : {"c1", "92c0c1", "81c1c0", "81c0c1"}) {
        CAPTURE(text);
        CHECK(complaint(hex(text)).find("the reserved byte 0xc1") != std::string::npos);
    }
    CHECK(complaint(hex("92 c0 c1")) == "bad_arguments: malformed message: the reserved byte 0xc1 at byte 2 of 3");
}

TEST_CASE("validate: a count may not claim more than the bytes left") {
    for (const auto* text : {"ddffffffff", "dfffffffff", "dcffff", "deffff", "9f", "8f", "92c0", "82c0c0c0",
                             "dd00000002c0", "93dd7fffffffc0c0", "81c0dfffffffff"}) {
        CAPTURE(text);
        CHECK(complaint(hex(text)).find("a count that exceeds the bytes left") != std::string::npos);
    }
    // Each pair of a map takes two bytes.
    CHECK(complaint(hex("82 01 02 03")) ==
          "bad_arguments: malformed message: a count that exceeds the bytes left at byte 0 of 4");
}

TEST_CASE("validate: a length may not claim more than the bytes left") {
    for (const auto* text :
         {"dbffffffff", "c6ffffffff", "c9ffffffff01", "d9ff61", "a26b", "c7ff01", "d80100", "92a161a2"}) {
        CAPTURE(text);
        CHECK(complaint(hex(text)).find("a value is cut short") != std::string::npos);
    }
}

TEST_CASE("validate: nesting is bounded, in arrays, values of maps and keys of maps") {
    const auto nested = [](const char* step, std::size_t depth, const char* innermost) {
        auto message = repeat(step, depth);
        const auto core = hex(innermost);
        message.insert(message.end(), core.begin(), core.end());
        return message;
    };
    CHECK(complaint(nested("91", 32, "c0")) == "fine");
    CHECK(complaint(nested("91", 31, "90")) == "fine");
    CHECK(complaint(nested("81c0", 32, "c0")) == "fine");
    CHECK(complaint(nested("91", 33, "c0")) == too_deep(32));
    CHECK(complaint(nested("91", 32, "90")) == too_deep(32));
    CHECK(complaint(nested("81c0", 33, "c0")) == too_deep(32));
    CHECK(complaint(nested("91", 10'000, "c0")) == too_deep(32));
    CHECK(complaint(nested("91", 1'000'000, "c0")) == too_deep(32));
    // Maps in keys: each needs a value further back, so pad with values.
    auto keys = repeat("81", 33);
    const auto values = repeat("c0", 40);
    keys.insert(keys.end(), values.begin(), values.end());
    CHECK(complaint(keys) == too_deep(32));
}

TEST_CASE("validate: the depth is configurable, up to 64") {
    const auto nested = [](std::size_t depth) {
        auto message = repeat("91", depth);
        message.push_back(std::byte{0xc0});
        return message;
    };
    CHECK(complaint(hex("c0"), {.max_depth = 0}) == "fine");
    CHECK(complaint(hex("90"), {.max_depth = 0}) == too_deep(0));
    CHECK(complaint(nested(64), {.max_depth = 1000}) == "fine");
    CHECK(complaint(nested(65), {.max_depth = 1000}) == too_deep(64));
}

TEST_CASE("validate: the number of values is bounded, whatever they are") {
    const auto array_of = [](const char* element, std::size_t count) {
        auto message = hex("dd");
        for (int shift = 24; shift >= 0; shift -= 8) message.push_back(static_cast<std::byte>(count >> shift & 0xff));
        const auto elements = repeat(element, count);
        message.insert(message.end(), elements.begin(), elements.end());
        return message;
    };
    for (const auto* element : {"c0", "a0", "80", "90"}) {
        CAPTURE(element);
        CHECK(complaint(array_of(element, 262'143)) == "fine");
        CHECK(complaint(array_of(element, 262'144)) == too_many(262144));
        CHECK(complaint(array_of(element, 8 * 1024 * 1024)) == too_many(262144));
    }
    CHECK(complaint(hex("93 c0 c0 c0"), {.max_nodes = 4}) == "fine");
    CHECK(complaint(hex("93 c0 c0 c0"), {.max_nodes = 3}) == too_many(3));
    CHECK(complaint(hex("81 c0 c0"), {.max_nodes = 2}) == too_many(2));
    CHECK(complaint(hex("c0"), {.max_nodes = 0}) == too_many(0));
}

TEST_CASE("validate: nothing is not a message") {
    CHECK(complaint({}) == "bad_arguments: malformed message: a value is cut short at byte 0 of 0");
}

}  // namespace
