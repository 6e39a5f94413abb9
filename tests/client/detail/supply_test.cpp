// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/supply.hpp>

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Counts who listens, and has nothing to tell.
struct heard_registry {
    void register_provider(const std::string&, const futon::provider&, const futon::registration_done&) {}
    void deregister_provider(const std::string&, const futon::endpoint&, const futon::registration_done&) {}
    futon::subscription subscribe(const std::string&, const futon::provider_listener& listener) {
        ++subscribed;
        if (failing > 0) {
            --failing;
            throw std::runtime_error{"no route"};
        }
        ++listening;
        listener(futon::provider_update{.authoritative = true});
        return futon::subscription{[this] { --listening; }};
    }

    [[nodiscard]] std::string text() const { return "far:"; }

    int failing = 0;  // So many times it throws.
    int subscribed = 0;
    int listening = 0;
};

struct nobody final : futon::detail::call_router {
    void cancel(futon::detail::call&) noexcept override {}
    void failed(futon::detail::intrusive_ptr<futon::detail::call>, futon::error) noexcept override {}
};

struct supplied {
    futon::testing::manual_executor place;
    futon::detail::intrusive_ptr<nobody> channel = futon::detail::make_intrusive<nobody>();
    futon::detail::supply from{*channel, place, futon::reconnect_backoff{.jitter = 0.0}, 1};
};

struct Clock {
    int hours();
};
FUTON_SERVICE(Clock, hours)
struct Scale {
    int grams();
};
FUTON_SERVICE(Scale, grams)

TEST_CASE("supply: nothing is subscribed once it has ended, and what its listener ends meanwhile does not stay") {
    const auto where = std::make_shared<heard_registry>();
    supplied by;
    auto& it = by.from;
    it.begin(where, "Clock", [&](const auto&) { it.end(); });
    CHECK(where->subscribed == 1);
    CHECK(where->listening == 0);
    it.begin(where, "Clock", [](const auto&) {});
    it.refresh();
    CHECK(where->subscribed == 1);

    supplied by_another;
    auto& other = by_another.from;
    other.begin(where, "Clock", [](const auto&) {});
    CHECK(where->listening == 1);
    other.end();
    CHECK(where->listening == 0);
}

TEST_CASE("client: a stub that is made after close() asks no registry, and its calls fail with client_closed") {
    const auto where = std::make_shared<heard_registry>();
    futon::testing::simulation world;
    futon::client client{{.registry = where, .runtime = world.runtime()}};
    const auto before = client.stub<Clock>();
    CHECK(where->listening == 1);
    client.close();
    CHECK(where->listening == 0);

    const auto after = client.stub<Scale>();
    CHECK(where->subscribed == 1);
    CHECK(world.get_result(after.grams()).error() == futon::errc::client_closed);
    CHECK(world.get_result(before.hours()).error() == futon::errc::client_closed);
    CHECK(world.get_result(client.wait_ready(std::chrono::seconds{1})).error() == futon::errc::client_closed);
}

TEST_CASE("supply: a registry that throws is asked again, after pauses that grow, and its listener hears of it once") {
    supplied by;
    const auto where = std::make_shared<heard_registry>();
    where->failing = 4;
    std::vector<std::string> heard;
    by.from.begin(where, "Clock", [&](const futon::result<futon::provider_update>& what) {
        heard.push_back(what ? "a list" : what.error().message());
    });
    REQUIRE(heard.size() == 1);
    CHECK(heard.front() == "far: threw when 'Clock' was asked for: no route");
    int attempts = 1;
    for (const auto pause : {100ms, 160ms, 256ms}) {
        by.place.advance(pause - 1ms);
        CHECK(where->subscribed == attempts);
        by.place.advance(1ms);
        CHECK(where->subscribed == ++attempts);
    }
    CHECK(heard.size() == 1);
    by.place.advance(1s);
    CHECK(where->listening == 1);
    CHECK(heard.back() == "a list");
    CHECK(by.place.timers() == 0);
    by.place.advance(1h);
    CHECK(where->subscribed == 5);
    by.from.end();
}

TEST_CASE("supply: once it has ended a registry that threw is not asked again, and nothing keeps its channel") {
    supplied by;
    const auto where = std::make_shared<heard_registry>();
    where->failing = 100;
    by.from.begin(where, "Clock", [](const auto&) {});
    CHECK_FALSE(by.channel->unique());
    by.from.end();
    CHECK(by.channel->unique());
    by.place.advance(1h);
    CHECK(where->subscribed == 1);

    // Nor is it where the timer cannot be had.
    supplied late;
    late.place.close();
    late.from.begin(where, "Clock", [](const auto&) {});
    CHECK(late.channel->unique());
    late.from.end();
}

TEST_CASE("client: a registry that throws costs a warning and time, not the service") {
    const auto where = std::make_shared<heard_registry>();
    where->failing = 2;
    std::vector<std::string> warnings;
    futon::testing::simulation world{
        {.log = [&](const futon::log_record& report) { warnings.push_back(std::string{report.kind}); }}};
    futon::client client{{.registry = where, .runtime = world.runtime()}};
    const auto stub = client.stub<Clock>();
    CHECK(warnings == std::vector<std::string>{"registry_unreadable"});
    const auto why = world.get_result(stub.hours()).error();
    CHECK(why.is(futon::cond::unavailable));
    CHECK(why.message().find("no route") != std::string::npos);
    world.advance(1s);
    CHECK(where->listening == 1);
    CHECK(world.get_result(stub.hours()).error() == futon::errc::no_provider);
    client.close();
    CHECK(where->listening == 0);
}

}  // namespace
