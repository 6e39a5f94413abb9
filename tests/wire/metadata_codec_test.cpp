// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/metadata_codec.hpp>

#include "support/hex.hpp"

#include <doctest/doctest.h>

namespace {

using test_support::hex;

futon::errc refusal(const futon::result<void>& r) {
    return r ? futon::errc{} : static_cast<futon::errc>(r.error().code().value());
}

TEST_CASE("metadata_codec: what is encoded is as long as was said, and decodes to the same") {
    for (const std::size_t entries : {0u, 1u, 15u, 16u, 64u}) {
        for (const std::size_t length : {0u, 31u, 32u, 200u}) {
            futon::metadata headers;
            for (std::size_t i = 0; i < entries; ++i)
                headers.set("key-\xC3\xA9-" + std::to_string(i), std::string(length, static_cast<char>(i)));
            futon::byte_buffer out;
            futon::encode_metadata(out, headers);
            CHECK(*futon::encoded_size(headers, {}) == out.size());
            futon::metadata back{{"old", "gone"}};
            REQUIRE(futon::decode_metadata(out.view(), back, {}));
            CHECK(back == headers);
            for (std::size_t cut = 0; cut < out.size(); ++cut)
                CHECK_FALSE(futon::decode_metadata(out.view().first(cut), back, {}));
        }
    }
    futon::metadata longest{{std::string(128, 'k'), std::string(8192, 'v')}};
    futon::byte_buffer out;
    futon::encode_metadata(out, longest);
    futon::metadata back;
    CHECK(futon::decode_metadata(out.view(), back, {}));
    CHECK(back == longest);
}

TEST_CASE("metadata_codec: other spellings of the same map are read") {
    futon::metadata back;
    CHECK(futon::decode_metadata(hex("df 00 00 00 01 db 00 00 00 01 6b da 00 01 76"), back, {}));
    CHECK(back == futon::metadata{{"k", "v"}});
    CHECK(futon::decode_metadata(hex("81 a1 6b a2 ff fe"), back, {}));  // Values need not be UTF-8.
}

TEST_CASE("metadata_codec: limits are judged before anything is copied") {
    futon::metadata back;
    CHECK(refusal(futon::decode_metadata(hex("df ff ff ff ff"), back, {})) == futon::errc::message_too_big);
    CHECK(refusal(futon::decode_metadata(hex("81 a1 6b a1 76"), back, {.max_bytes = 4})) ==
          futon::errc::message_too_big);
    CHECK(refusal(futon::decode_metadata(hex("81 a1 6b a1 76"), back, {.max_entries = 0})) ==
          futon::errc::message_too_big);
    CHECK(refusal(futon::decode_metadata(hex("80"), back, {.max_bytes = 0})) == futon::errc::message_too_big);
    CHECK(refusal(futon::decode_metadata({}, back, {})) == futon::errc::bad_arguments);
}

TEST_CASE("metadata_codec: only shortest-form UTF-8 without surrogates is UTF-8") {
    using futon::detail::is_utf8;
    for (const auto* text :
         {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
        CHECK(is_utf8(text));
    for (const auto* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
                             "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x28\xA1"})
        CHECK_FALSE(is_utf8(text));
    CHECK(futon::detail::cut_utf8("ab\xE2\x82\xAC", 4) == "ab");
    CHECK(futon::detail::cut_utf8("ab\xE2\x82\xAC", 5) == "ab\xE2\x82\xAC");
    CHECK(futon::detail::cut_utf8("\x80\x80\x80", 2) == "");
}

}  // namespace
