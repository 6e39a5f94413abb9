// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/varint.hpp>

#include "support/hex.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using test_support::hex;
using test_support::to_hex;

TEST_CASE("varint: every length is written as short as can be and read back") {
    for (int bits = 0; bits <= 64; ++bits) {
        for (const std::int64_t shift : {-1, 0, 1}) {
            const auto value = (bits == 64 ? 0 : std::uint64_t{1} << bits) + static_cast<std::uint64_t>(shift);
            futon::byte_buffer out;
            futon::write_varint(out, value);
            CHECK(out.size() == futon::varint_size(value));
            CHECK(out.size() <= futon::max_varint_bytes);
            auto left = out.view();
            std::uint64_t read = ~value;
            CHECK(futon::read_varint(left, read));
            CHECK(read == value);
            CHECK(left.empty());
            for (std::size_t cut = 0; cut < out.size(); ++cut) {
                auto part = out.view().first(cut);
                CHECK_FALSE(futon::read_varint(part, read));
                CHECK(part.size() == cut);
            }
        }
    }
}

TEST_CASE("varint: known bytes") {
    const auto written = [](std::uint64_t value) {
        futon::byte_buffer out;
        futon::write_varint(out, value);
        return to_hex(out.view());
    };
    CHECK(written(0) == "00");
    CHECK(written(127) == "7f");
    CHECK(written(128) == "80 01");
    CHECK(written(3'000'000) == "c0 8d b7 01");
    CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "ff ff ff ff ff ff ff ff ff 01");
}

TEST_CASE("varint: a long spelling is read, more than 64 bits are not") {
    const auto read = [](std::string_view text) -> std::int64_t {
        const auto blob = hex(text);
        futon::bytes_view left{blob};
        std::uint64_t value = 0;
        return futon::read_varint(left, value) ? static_cast<std::int64_t>(value) : -1;
    };
    CHECK(read("85 80 80 00") == 5);
    CHECK(read("85 80 80 80 80 80 80 80 80 00") == 5);
    CHECK(read("85 80 80 80 80 80 80 80 80 80 00") == -1);
    CHECK(read("ff ff ff ff ff ff ff ff ff 02") == -1);
    CHECK(read("ff ff ff ff ff ff ff ff ff 81 00") == -1);
}

}  // namespace
