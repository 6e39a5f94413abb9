// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/registry.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

// Notes what it is asked, and answers at once.
struct noting_registry {
    std::vector<std::string> asked{};

    void register_provider(const std::string& service, const futon::provider& who,
                           const futon::registration_done& done) {
        asked.push_back("register " + service + " " + who.address.text());
        done({});
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address,
                             const futon::registration_done& done) {
        asked.push_back("deregister " + service + " " + address.text());
        done(futon::errc::unavailable);
    }
    futon::subscription subscribe(const std::string& service, const futon::provider_listener& listener) {
        asked.push_back("subscribe " + service);
        listener(futon::provider_update{.version = 7});
        return futon::subscription{[this] { asked.emplace_back("end"); }};
    }
};
static_assert(futon::registry<noting_registry>);

struct named_registry : noting_registry {
    [[nodiscard]] std::string text() const { return "named:"; }
};

TEST_CASE("any_registry: passes everything on, and copies share one registry") {
    const auto noting = std::make_shared<noting_registry>();
    futon::any_registry registry{noting};
    futon::any_registry copy = registry;
    const futon::provider who{.address = futon::endpoint::parse("tcp://h:1").value()};

    bool registered = false;
    copy.register_provider("s", who, [&](futon::result<void> how) { registered = how.has_value(); });
    CHECK(registered);
    bool refused = false;
    registry.deregister_provider("s:2", who.address, [&](futon::result<void> how) { refused = !how.has_value(); });
    CHECK(refused);
    std::uint64_t heard = 0;
    {
        const auto listening =
            copy.subscribe("s", [&](futon::result<futon::provider_update> told) { heard = told.value().version; });
        CHECK(listening);
    }
    CHECK(heard == 7);
    CHECK(noting->asked ==
          std::vector<std::string>{"register s tcp://h:1", "deregister s:2 tcp://h:1", "subscribe s", "end"});
}

TEST_CASE("any_registry: names itself for messages") {
    CHECK(futon::any_registry{}.text() == "no registry");
    CHECK_FALSE(futon::any_registry{});
    CHECK(futon::any_registry{noting_registry{}}.text() == "the registry");
    CHECK(futon::any_registry{named_registry{}}.text() == "named:");
    CHECK_FALSE(futon::any_registry{std::shared_ptr<noting_registry>{}});
}

TEST_CASE("subscription: ends once, wherever it was moved to") {
    int ended = 0;
    int refreshed = 0;
    futon::subscription first{[&] { ++ended; }, [&] { ++refreshed; }};
    futon::subscription second = std::move(first);
    first.end();
    CHECK(ended == 0);
    CHECK_FALSE(first);
    CHECK(second.refresh());
    CHECK(refreshed == 1);
    second = futon::subscription{[&] { ended += 10; }};
    CHECK(ended == 1);
    CHECK_FALSE(second.refresh());
    second.end();
    second.end();
    CHECK(ended == 11);
    CHECK_FALSE(second.refresh());
}

}  // namespace
