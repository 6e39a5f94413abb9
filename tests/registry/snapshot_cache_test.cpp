// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/snapshot_cache.hpp>

#include <futon/registry/memory_registry.hpp>

#include "registry/conformance.hpp"
#include "registry/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct cached_world {
    static constexpr bool ends_with_handle = false;
    temporary_directory directory{};
    futon::memory_registry inner{};
    futon::any_registry open() { return futon::snapshot_cache{inner, directory.path()}; }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, cached_world);

// A registry that cannot be reached.
struct registry_that_is_down {
    void register_provider(const std::string&, const futon::provider&, const futon::registration_done& done) {
        done(futon::errc::unavailable);
    }
    void deregister_provider(const std::string&, const futon::endpoint&, const futon::registration_done& done) {
        done(futon::errc::unavailable);
    }
    futon::subscription subscribe(const std::string&, const futon::provider_listener& listener) {
        listener(futon::errc::unavailable);
        return futon::subscription{[] {}};
    }
};

TEST_CASE("snapshot cache: a program that starts while the registry is down starts from the last list") {
    temporary_directory directory;
    const auto path = directory.path() + "/cache";
    {
        futon::memory_registry inner;
        futon::any_registry cached = futon::snapshot_cache{inner, path};
        conformance::ear heard;
        const auto listening = cached.subscribe("s:1.0", heard.listener());
        auto who = conformance::at_port(1);
        who.zone = "a";
        REQUIRE(conformance::registers(cached, "s:1.0", who));
        REQUIRE(conformance::registers(cached, "s:1.0", conformance::at_port(2)));
    }
    futon::any_registry down = futon::snapshot_cache{registry_that_is_down{}, path};
    std::vector<futon::result<futon::provider_update>> told;
    const auto listening =
        down.subscribe("s:1.0", [&](futon::result<futon::provider_update> news) { told.push_back(std::move(news)); });
    REQUIRE(told.size() == 2);
    REQUIRE(told[0].has_value());
    CHECK(told[0]->is_full());
    CHECK(told[0]->providers.size() == 2);
    CHECK(told[0]->age > 0s);
    CHECK(told[0]->age < 1h);
    CHECK_FALSE(told[1].has_value());

    // Without a file there is only the error.
    std::size_t count = 0;
    const auto other =
        down.subscribe("other", [&](const futon::result<futon::provider_update>& news) { count += news ? 100u : 1u; });
    CHECK(count == 1);
    CHECK((static_cast<unsigned>(std::filesystem::status(path).permissions()) & 0777u) == 0700);
    CHECK((static_cast<unsigned>(std::filesystem::status(path + "/s:1.0").permissions()) & 0777u) == 0600);
}

TEST_CASE("snapshot cache: a list that became empty for no good reason is not written") {
    temporary_directory directory;
    struct wiped : registry_that_is_down {
        futon::subscription subscribe(const std::string&, const futon::provider_listener& listener) {
            listener(
                futon::provider_update{.version = 1, .providers = {conformance::at_port(1), conformance::at_port(2)}});
            listener(futon::provider_update{.version = 1});
            return futon::subscription{[] {}};
        }
    };
    {
        futon::snapshot_cache cached{wiped{}, directory.path()};
        const auto listening = cached.subscribe("s", [](const futon::result<futon::provider_update>&) {});
    }
    futon::snapshot_cache down{registry_that_is_down{}, directory.path()};
    std::size_t providers = 0;
    const auto listening = down.subscribe("s", [&](const futon::result<futon::provider_update>& news) {
        providers += news ? news->providers.size() : 0;
    });
    CHECK(providers == 2);
}

TEST_CASE("snapshot cache: what is old, or no snapshot, is not used, and bad lines are counted") {
    temporary_directory directory;
    const auto told_from = [&](const std::string& content) {
        std::ofstream{directory.path() + "/s", std::ios::trunc} << content;
        futon::snapshot_cache down{registry_that_is_down{}, directory.path()};
        std::string told;
        const auto listening = down.subscribe("s", [&](const futon::result<futon::provider_update>& news) {
            told += news ? std::to_string(news->providers.size()) + " and " + std::to_string(news->refused) + " bad, "
                         : "down";
        });
        return told;
    };
    const auto now = std::to_string(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    CHECK(told_from("futon providers 1 " + now + "\ntcp://h:1\n") == "1 and 0 bad, down");
    CHECK(told_from("futon providers 1 " + now + "\ntcp://h:1\nnonsense\n\n") == "1 and 2 bad, down");
    CHECK(told_from("futon providers 1 99999999999\ntcp://h:1\n") == "1 and 0 bad, down");  // The clock was set back.
    CHECK(told_from("futon providers 1 1000000\ntcp://h:1\n") == "down");
    CHECK(told_from("futon providers 2 " + now + "\ntcp://h:1\n") == "down");
    CHECK(told_from("futon providers 1 x\ntcp://h:1\n") == "down");
    CHECK(told_from("") == "down");
}

}  // namespace
