// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/sofa_url.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

TEST_CASE("sofa url: a service's name has up to three parts") {
    CHECK(futon::sofa_service::parse("com.example.A") == futon::sofa_service{"com.example.A", "", ""});
    CHECK(futon::sofa_service::parse("com.example.A:1.0") == futon::sofa_service{"com.example.A", "1.0", ""});
    CHECK(futon::sofa_service::parse("com.example.A:1.0:blue") == futon::sofa_service{"com.example.A", "1.0", "blue"});
    CHECK(futon::sofa_service::parse("a::b:c") == futon::sofa_service{"a", "", "b:c"});
}

TEST_CASE("sofa url: encodes as java.net.URLEncoder does") {
    CHECK(futon::java_url_encode("bolt://h:1?a=b c&d=*-._+~\xc3\xa4") ==
          "bolt%3A%2F%2Fh%3A1%3Fa%3Db+c%26d%3D*-._%2B%7E%C3%A4");
    CHECK(futon::java_url_decode("a+b%2Bc%3D").value() == "a b+c=");
    CHECK_FALSE(futon::java_url_decode("%4").has_value());
}

TEST_CASE("sofa url: what futon writes it reads back, whatever the values") {
    const futon::sofa_service service{"com.example.A", "1.0", "blue"};
    futon::provider who{.address = {.scheme = "bolt", .host = "::1", .port = 12200},
                        .weight = 0,
                        .zone = "eu-1a",
                        .version = "",
                        .group = "g=&?",
                        .warm_up = 90s};
    who.tags = {{"colour", "blue & green"}, {"weight of it", "1=2"}, {"empty", ""}};
    const auto read = futon::parse_sofa_node(futon::sofa_node_name(service, who)).value();
    CHECK(read.who == who);
    CHECK(read.version == "1.0");
    CHECK(read.unique_id == "blue");
}

TEST_CASE("sofa url: what SOFARPC writes") {
    const auto read =
        futon::parse_sofa_node(
            futon::java_url_encode(
                "bolt://10.0.0.1:12200/path?version=1.0&uniqueId=&interface=com.example.A&protocol=bolt&weight=50&"
                "serialization=hessian2&startTime=1&warmupTime=500&rpcVer=50100"))
            .value();
    CHECK(read.who.address.text() == "bolt://10.0.0.1:12200");
    CHECK(read.who.weight == 50);
    CHECK(read.who.warm_up == 500ms);
    CHECK(read.who.version == "1.0");
    CHECK(read.who.tags ==
          futon::metadata{{"uniqueId", ""}, {"serialization", "hessian2"}, {"startTime", "1"}, {"rpcVer", "50100"}});
    CHECK(futon::parse_sofa_node("bolt%3A%2F%2Fh%3A1").value().version == "1.0");
}

TEST_CASE("sofa url: refuses what is no provider") {
    for (const char* const url : {"", "h:1", "bolt://h", "bolt://:1?version=1.0", "bolt://h:0?version=1.0",
                                  "bolt://h:1?version", "bolt://h:1?a=b=c", "bolt://h:1?weight=-1",
                                  "bolt://h:1?weight=many", "bolt://h:1?warmupTime=1s", "bolt://h:1?a=%zz"}) {
        CAPTURE(url);
        CHECK_FALSE(futon::parse_sofa_node(futon::java_url_encode(url)).has_value());
    }
    CHECK_FALSE(futon::parse_sofa_node("%").has_value());
    CHECK_FALSE(futon::parse_sofa_node(std::string(100'000, 'x')).has_value());
}

}  // namespace
