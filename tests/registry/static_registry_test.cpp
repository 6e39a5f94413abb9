// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/static_registry.hpp>

#include "registry/conformance.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

// Registers by replacing the list, as a program with a source of its own would; on one thread.
struct replaced_list {
    std::map<std::string, std::vector<futon::provider>> lists{};
    futon::static_registry shared{};

    void change(const std::string& service, const futon::endpoint& address, const futon::provider* who) {
        auto& list = lists[service];
        std::erase_if(list, [&](const futon::provider& each) { return each.address == address; });
        if (who) list.push_back(*who);
        shared.replace(service, list);
    }
    void register_provider(const std::string& service, const futon::provider& who,
                           const futon::registration_done& done) {
        if (!futon::provider_fault(who).empty()) return done(futon::errc::bad_address);
        change(service, who.address, &who);
        done({});
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address,
                             const futon::registration_done& done) {
        change(service, address, nullptr);
        done({});
    }
    futon::subscription subscribe(const std::string& service, futon::provider_listener listener) {
        return shared.subscribe(service, std::move(listener));
    }
};
struct static_world {
    static constexpr bool ends_with_handle = false;
    static constexpr int many = 100;
    std::shared_ptr<replaced_list> shared = std::make_shared<replaced_list>();
    futon::any_registry open() { return shared; }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, static_world);

TEST_CASE("static registry: lists from a configuration, one for a service or one for all") {
    futon::static_registry registry{{"Greeter", {"tcp://a:1", "tcp://b:1?weight=50&zone=x"}}, {"*", {"tcp://c:1"}}};
    conformance::ear greeter;
    conformance::ear other;
    const auto first = registry.subscribe("Greeter", greeter.listener());
    const auto second = registry.subscribe("Other", other.listener());
    CHECK(greeter.wait_for_count(2));
    CHECK(greeter.find({.host = "b", .port = 1})->weight == 50);
    CHECK(other.wait_for_count(1));
    registry.replace("*", {futon::parse_provider("tcp://d:1").value(), futon::parse_provider("tcp://e:1").value()});
    CHECK(other.wait_for_count(2));
    CHECK(greeter.wait_for_count(2));
    registry.replace("Greeter", {});
    CHECK(greeter.wait_for_count(0));
    CHECK(greeter.was_orderly());
}

TEST_CASE("static registry: takes no registrations, and refuses what is not a provider") {
    futon::static_registry registry;
    conformance::endings ended;
    registry.register_provider("s", conformance::at_port(1), ended.done());
    CHECK(ended.failed() == 1);
    CHECK(ended.last_error().value() == futon::errc::permission_denied);
    CHECK_THROWS_AS((futon::static_registry{{"s", {"nowhere"}}}), futon::rpc_error);
}

TEST_CASE("static registry: from a URL") {
    const auto url = futon::registry_url::parse("static:tcp://a:1?zone=x,tcp://b:1").value();
    auto registry = futon::static_registry::open(url).value();
    conformance::ear heard;
    const auto listening = registry.subscribe("anything", heard.listener());
    CHECK(heard.wait_for_count(2));
    CHECK(heard.find({.host = "a", .port = 1})->zone == "x");
    CHECK_FALSE(futon::static_registry::open(futon::registry_url::parse("static:").value()).has_value());
}

}  // namespace
