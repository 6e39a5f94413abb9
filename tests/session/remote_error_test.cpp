// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/remote_error.hpp>

#include <futon/wire/futon_protocol.hpp>

#include <doctest/doctest.h>

#include <string>

using futon::errc;
using futon::error;

TEST_CASE("remote_error: a payload crosses the wire with the name of its type") {
    const std::string encoded = "\x93\x01\x02\x03";
    const auto sent = error{errc::remote_error, "words", futon::executed::yes}
                          .with_remote_type("shop::three")
                          .with_payload(futon::as_bytes(encoded));
    futon::byte_buffer bytes;
    futon::futon_protocol::write_error(bytes, 7, sent, futon::duration{-1});
    futon::frame read;
    futon::frame_fault fault;
    REQUIRE(futon::futon_protocol::parse(bytes.view(), futon::limits{}, read, fault).what ==
            futon::parsed::status::complete);
    const auto got = futon::detail::remote_error(read, {});
    CHECK(got == errc::remote_error);
    CHECK(got.message() == "words");
    CHECK(got.remote_type() == "shop::three");
    CHECK(futon::as_text(got.payload_bytes()) == encoded);
}

TEST_CASE("remote_error: a payload past its limit is dropped, whatever sends it, and the error stays") {
    const std::string big(futon::max_error_payload_bytes + 1, 'x');
    futon::frame claimed;
    claimed.what = futon::frame::kind::error;
    claimed.code = 15;
    claimed.text = "words";
    claimed.body = futon::as_bytes(big);
    CHECK(futon::detail::remote_error(claimed, {}).payload_bytes().empty());
    CHECK(futon::detail::remote_error(claimed, {}).message() == "words");
    claimed.body = claimed.body.first(futon::max_error_payload_bytes);
    CHECK(futon::detail::remote_error(claimed, {}).payload_bytes().size() == futon::max_error_payload_bytes);

    futon::byte_buffer bytes;
    futon::futon_protocol::write_error(bytes, 7, error{errc::remote_error}.with_payload(futon::as_bytes(big)),
                                       futon::duration{-1});
    CHECK(bytes.size() < 100);
}

TEST_CASE("remote_error: a peer's code zero is no success") {
    const std::error_category* const known[] = {&std::system_category()};
    for (const std::string_view category : {"", "generic", "system", "other"}) {
        CAPTURE(category);
        const auto got = futon::detail::remote_error({.code = 0, .category = category, .text = "words"}, known);
        CHECK(got == errc::remote_error);
        CHECK(got.code());
        CHECK(got.message() == "words");
    }
}
