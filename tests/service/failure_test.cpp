// SPDX-License-Identifier: Apache-2.0
#include <futon/service/failure.hpp>

#include <doctest/doctest.h>

#include <string>

namespace shop {
struct out_of_stock {
    std::string item;
    int left = 0;
};
struct not_found {
    std::string item;
    int left = 0;
};
struct named {
    static constexpr std::string_view error_name = "com.example.Named";
    int code = 0;
};
struct unwilling {
    int x = 0;
    template <class Packer>
    void msgpack_pack(Packer&) const {
        throw std::runtime_error{"not today"};
    }
    void msgpack_unpack(const msgpack::object&) {}
};
}  // namespace shop

using futon::errc;
using futon::executed;
using futon::failure;

TEST_CASE("failure: carries a value of the application's own, and words for people") {
    const auto why = failure(shop::out_of_stock{"pen", 3}, "only 3 pens left");
    CHECK(why == errc::remote_error);
    CHECK(why.ran() == executed::yes);
    CHECK(why.message() == "only 3 pens left");
    CHECK(why.remote_type() == "shop::out_of_stock");
    const auto got = why.payload<shop::out_of_stock>();
    REQUIRE(got);
    CHECK(got->item == "pen");
    CHECK(got->left == 3);
}

TEST_CASE("failure: without words its message is the name of its type") {
    CHECK(failure(shop::named{7}).message() == "com.example.Named");
}

TEST_CASE("failure: a payload is not read as another type, though that has the same shape") {
    CHECK_FALSE(failure(shop::out_of_stock{"pen", 3}).payload<shop::not_found>());
    CHECK_FALSE(failure(shop::out_of_stock{"pen", 3}).payload<int>());
    CHECK_FALSE(futon::error{errc::remote_error}.payload<shop::out_of_stock>());
}

TEST_CASE("failure: copies keep the payload, also changed ones") {
    const auto why = failure(shop::named{7}).with_where("Shop.buy").with_executed(executed::yes);
    REQUIRE(why.payload<shop::named>());
    CHECK(why.payload<shop::named>()->code == 7);
}

TEST_CASE("failure: bytes that do not decode as the type are no payload") {
    const std::byte broken[] = {std::byte{0x92}, std::byte{0x01}};
    const auto why = futon::error{errc::remote_error}.with_remote_type("com.example.Named").with_payload(broken);
    CHECK_FALSE(why.payload<shop::named>());
}

TEST_CASE("failure: a value that is too big, or cannot be packed, is left out, and the message says so") {
    const auto big = failure(shop::out_of_stock{std::string(20000, 'x'), 0}, "too much");
    CHECK_FALSE(big.payload<shop::out_of_stock>());
    CHECK(big.message().find("too much (its value is not sent: it has 200") == 0);
    CHECK(big.message().find("limit 16384") != std::string::npos);
    const auto not_packed = failure(shop::unwilling{});
    CHECK_FALSE(not_packed.payload<shop::unwilling>());
    CHECK(not_packed.message().find("not today") != std::string::npos);
}
