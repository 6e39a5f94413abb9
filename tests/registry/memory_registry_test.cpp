// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/memory_registry.hpp>

#include "registry/conformance.hpp"

#include <doctest/doctest.h>

namespace {

struct memory_world {
    static constexpr bool ends_with_handle = false;
    futon::memory_registry shared{};
    futon::any_registry open() { return shared; }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, memory_world);

TEST_CASE("memory registry: tells inside the call, and means it") {
    futon::memory_registry registry;
    std::vector<futon::provider_update> told;
    const auto listening =
        registry.subscribe("s", [&](futon::result<futon::provider_update> news) { told.push_back(news.value()); });
    REQUIRE(told.size() == 1);
    CHECK(told[0].is_full());
    CHECK(told[0].providers.empty());
    registry.register_provider("s", conformance::at_port(1), [](futon::result<void> how) { CHECK(how.has_value()); });
    registry.deregister_provider("s", conformance::at_port(1).address,
                                 [](futon::result<void> how) { CHECK(how.has_value()); });
    REQUIRE(told.size() == 3);
    CHECK(told[1].from == told[0].version);
    CHECK(told[1].providers.size() == 1);
    CHECK(told[2].from == told[1].version);
    CHECK(told[2].removed.size() == 1);
    for (const auto& each : told) CHECK(each.authoritative);
}

}  // namespace
