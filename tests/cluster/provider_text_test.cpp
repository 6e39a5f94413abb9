// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/provider_text.hpp>

#include "fuzz/provider_target.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace std::chrono_literals;

namespace {

futon::provider plain_provider() { return {.address = futon::endpoint::parse("tcp://10.0.0.1:12200").value()}; }

TEST_CASE("provider text: all that is known of a provider, and back") {
    futon::provider who = plain_provider();
    CHECK(futon::provider_text(who) == "tcp://10.0.0.1:12200");
    who.weight = 50;
    who.zone = "eu-1a";
    who.version = "1.4";
    who.group = "canary";
    who.warm_up = 90s;
    who.tags = {{"colour", "blue & green"}, {"empty", ""}, {"k=", "100%+\n\xff"}};
    const auto text = futon::provider_text(who);
    CHECK(text == "tcp://10.0.0.1:12200?weight=50&zone=eu-1a&version=1.4&group=canary&warm_up=90s&"
                  "colour=blue%20%26%20green&empty=&k%3D=100%25%2B%0A%FF");
    CHECK(futon::parse_provider(text) == who);
}

TEST_CASE("provider text: reads what people write") {
    CHECK(futon::parse_provider("tcp://h:1?").value() ==
          futon::provider{.address = futon::endpoint::parse("tcp://h:1").value()});
    CHECK(futon::parse_provider("h:1?zone=a/b c")->zone == "a/b c");
    CHECK(futon::parse_provider("unix:///run/x.sock?weight=0")->weight == 0);
    struct row {
        const char* text;
        futon::duration time;
    };
    for (const auto& each :
         {row{"0s", 0s}, row{"1500ms", 1500ms}, row{"24h", 24h}, row{"2m", 2min}, row{"7us", 7us}, row{"9ns", 9ns}}) {
        CAPTURE(each.text);
        CHECK(futon::parse_provider(std::string{"h:1?warm_up="} + each.text)->warm_up == each.time);
    }
}

TEST_CASE("provider text: refuses what is not clear, and says why") {
    struct row {
        std::string text;
        const char* why;
    };
    const row rows[] = {
        {"", "does not begin with an address"},
        {"tcp://h:0", "no port"},
        {"tcp://h:1?weight", "no '='"},
        {"tcp://h:1?&", "no '='"},
        {"tcp://h:1?=1", "no name"},
        {"tcp://h:1?a=b=c", "more than one '='"},
        {"tcp://h:1?a=%2", "hexadecimal"},
        {"tcp://h:1?a=%zz", "hexadecimal"},
        {"tcp://h:1?weight=-1", "the weight must be"},
        {"tcp://h:1?weight=", "the weight must be"},
        {"tcp://h:1?weight=1000001", "the weight must be"},
        {"tcp://h:1?weight=99999999999", "the weight must be"},
        {"tcp://h:1?warm_up=30", "the warm-up must be"},
        {"tcp://h:1?warm_up=25h", "the warm-up must be"},
        {"tcp://h:1?warm_up=-1s", "the warm-up must be"},
        {"tcp://h:1?weight=1&weight=1", "a parameter is given twice"},
        {"tcp://h:1?tag=1&tag=2", "a tag is given twice"},
        {"tcp://h\n:1", "characters"},
        {"tcp://h/path:1", "not a host"},
        {"tcp://h:1?a=" + std::string(9000, 'x'), "longer than 8 KiB"},
        {"tcp://h:1?a=" + std::string(3000, 'x'), "too long"},
    };
    for (const auto& each : rows) {
        CAPTURE(each.text);
        const auto read = futon::parse_provider(each.text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error() == futon::errc::bad_address);
        CHECK(read.error().message().find(each.why) != std::string::npos);
    }
    std::string many = "tcp://h:1?";
    for (int i = 0; i < 65; ++i) many += "t" + std::to_string(i) + "=&";
    CHECK_FALSE(futon::parse_provider(many).has_value());
}

TEST_CASE("provider text: says what is wrong with a provider that a program made") {
    CHECK(futon::provider_fault(plain_provider()).empty());
    const auto fault = [](auto change) {
        auto who = plain_provider();
        change(who);
        return std::string{futon::provider_fault(who)};
    };
    CHECK(fault([](auto& who) { who.address = {}; }) == "it has no port");
    CHECK(fault([](auto& who) { who.address.host.clear(); }) == "it has no address");
    CHECK(fault([](auto& who) { who.address.scheme.clear(); }) == "its scheme is not a word");
    CHECK(fault([](auto& who) { who.address = {.scheme = "unix"}; }) == "it has no address");
    CHECK(fault([](auto& who) { who.address.scheme = "a:"; }) == "its scheme is not a word");
    CHECK(fault([](auto& who) { who.address.path = "/x"; }) == "its address has a host and a path");
    CHECK(fault([](auto& who) {
              who.address = {.scheme = "unix", .path = "x"};
          }).starts_with("its path is not absolute"));
    CHECK(fault([](auto& who) { who.weight = 1'000'001; }).starts_with("its weight"));
    CHECK(fault([](auto& who) { who.warm_up = -1ns; }).starts_with("its warm-up"));
    CHECK(fault([](auto& who) { who.tags.set("zone", "x"); }) == "a tag has the name of a parameter");
    CHECK(fault([](auto& who) { who.tags.set("", "x"); }) == "a tag has no name");
    CHECK(fault([](auto& who) { who.zone.assign(3000, 'z'); }) == "it is too long");
    CHECK(fault([](auto& who) {
              for (int i = 0; i < 60; ++i) who.tags.set("t" + std::to_string(i), "");
          }) == "it has more than 59 tags");
}

TEST_CASE("provider text: everything that the fuzzer ever found interesting goes as it must") {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{FUTON_CORPUS_DIR "/provider"}) {
        CAPTURE(entry.path().string());
        std::ifstream file{entry.path(), std::ios::binary};
        CHECK(provider_target::holds(std::string{std::istreambuf_iterator<char>{file}, {}}));
        ++files;
    }
    CHECK(files > 10);
}

TEST_CASE("settings text: pairs, and back") {
    const futon::metadata settings{{"timeout", "500ms"}, {"greet.timeout", "1s"}, {"balancer", "least request"}};
    CHECK(futon::detail::settings_text(settings) == "timeout=500ms&greet.timeout=1s&balancer=least%20request");
    CHECK(futon::detail::parse_settings(futon::detail::settings_text(settings)) == settings);
    CHECK(futon::detail::parse_settings("").value().empty());
    CHECK_FALSE(futon::detail::parse_settings("timeout=1s&timeout=2s").has_value());
    CHECK_FALSE(futon::detail::parse_settings("timeout").has_value());
}

}  // namespace
