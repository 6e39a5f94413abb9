// SPDX-License-Identifier: Apache-2.0
// The code of docs/filters.md that no example has, and what it claims.
#include <futon/filters.hpp>
#include <futon/futon.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using namespace std::chrono_literals;

namespace {

struct Library {
    std::string find(std::string title);
    std::string borrow(std::string title);
};
FUTON_SERVICE(Library, (find, futon::idempotent), borrow)

struct library_impl {
    std::string find(std::string title) { return title; }
    std::string borrow(std::string title) { return title; }
};

struct noop {
    void before(futon::filtered_call&) {}
};
using trace = noop;
using access_log = noop;
using audit = noop;

// [fallback]
struct otherwise_nothing {
    void after(futon::client_call&, futon::call_outcome& how) {
        if (how.failure() && how.failure()->is(futon::cond::unavailable)) how.succeed({std::byte{0xa0}});  // an empty string
    }
};
// [/fallback]

TEST_CASE("docs/filters.md: where filters are listed, and limits") {
    // [server]
    futon::server server{{.filters = {access_log{}, futon::concurrency_limit{{.most = 1000}}}}};
    server.provide<Library>(library_impl{}, {.filters = {audit{}},
                                             .method_filters = {{"borrow", {futon::rate_limit{{.per_second = 100, .burst = 10}}}}}});
    // [/server]
    server.start();
    // [client]
    futon::client client{{.endpoints = server.addresses(), .filters = {trace{}, futon::client_throttle{}}}};
    const auto library = client.stub<Library>({.calls = {.filters = {access_log{}}}});
    const auto careful = library.with({.filters = {otherwise_nothing{}}});
    // [/client]
    CHECK(library.find("Emma").get() == "Emma");
    server.stop(0ms).get();
    CHECK(careful.with({.timeout = 1s}).find("Emma").get().empty());

    // [per_method]
    const futon::server_filters each_method_its_own{futon::per_method{[] { return futon::concurrency_limit{{.most = 10}}; }}};
    // [/per_method]
    CHECK(each_method_its_own.size() == 1);
}

}  // namespace
