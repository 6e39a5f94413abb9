// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/open_registry.hpp>

#include <futon/registry/dns_registry.hpp>
#include <futon/registry/file_registry.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/registry/static_registry.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

TEST_CASE("open_registry: opens the kind that the scheme names") {
    const auto open =
        futon::open_registry<futon::memory_registry, futon::static_registry, futon::file_registry, futon::dns_registry>;
    CHECK(open("memory:").value().text() == "memory:");
    CHECK(open("static:tcp://h:1").value().text() == "static:");
    CHECK(open("file:///nowhere/at/all").value().text() == "file:///nowhere/at/all");
    CHECK(open("dns:localhost:80").value().text() == "dns:localhost:80");
}

TEST_CASE("open_registry: says which schemes there are, or what is wrong") {
    const auto why = [](std::string_view url) {
        const auto made = futon::open_registry<futon::memory_registry, futon::file_registry>(url);
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error() == futon::errc::bad_address);
        return made.error().message();
    };
    CHECK(
        why("etcd://h:1") ==
        "'etcd://h:1' is not the address of a registry: the schemes that this program knows, by the classes in open_registry<...>, are memory:, file:");
    CHECK(why("").find("no scheme") != std::string::npos);
    CHECK(why("file").find("no scheme") != std::string::npos);
    CHECK(why("file:x").find("absolute") != std::string::npos);
    CHECK(why("memory:x").find("no address") != std::string::npos);
    CHECK(why("file:///x?a").find("no '='") != std::string::npos);
    CHECK(why("file:///x?hartbeat=2s").ends_with(
        "it has no option 'hartbeat'; did you mean 'heartbeat'? Known: heartbeat, expiry"));
}

}  // namespace
