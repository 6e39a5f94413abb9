// SPDX-License-Identifier: Apache-2.0
#include <futon/serving/connection_channel.hpp>

#include <futon/client.hpp>
#include <futon/server.hpp>
#include <futon/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Watcher {
    void changed(int n);
    void blob(std::string bytes);
};
FUTON_SERVICE(Watcher, changed, blob)

struct Board {
    void subscribe();
};
FUTON_SERVICE(Board, subscribe)

struct board {
    std::optional<futon::stub<Watcher>> watcher;
    void subscribe(futon::call_context& from) { watcher = from.caller<Watcher>(); }
};
struct watcher {
    std::vector<int>* seen;
    void changed(int n) { seen->push_back(n); }
    void blob(std::string) { seen->push_back(-1); }
};

// A client that a server calls back, and an address to which it can be told to go instead.
struct watched {
    explicit watched(futon::limits clients = {}) {
        for (auto* each : {&server, &other}) {
            each->provide<Board>(std::ref(offered), {.run_on = futon::run_on::io});
            each->start();
        }
        futon::client_options how;
        how.source = [this](std::function<void(futon::endpoints)> update) { found = std::move(update); };
        how.runtime = world.runtime();
        how.limits = clients;
        client.emplace(std::move(how));
        client->provide<Watcher>(watcher{&seen}, {.run_on = futon::run_on::io});
        found({"memory://board"});
        world.get(client->stub<Board>().subscribe());
    }
    void send(int count) {
        for (int i = 0; i < count; ++i) CHECK(offered.watcher->changed(i, futon::oneway).has_value());
    }

    board offered;
    std::vector<int> seen;
    std::vector<std::string> unseen;
    futon::testing::simulation world{
        {.on_unhandled_error = [this](const futon::error& why) { unseen.push_back(why.describe()); }}};
    futon::server server{{.listen = "memory://board", .runtime = world.runtime()}};
    futon::server other{{.listen = "memory://other", .runtime = world.runtime()}};
    std::function<void(futon::endpoints)> found;
    std::optional<futon::client> client;
};

TEST_CASE("call back: one-way calls that cross the client's goodbye are counted and reported, and no others") {
    watched at;
    at.send(3);
    at.world.run();
    CHECK(at.seen.size() == 3);
    CHECK(at.server.stats().lost_oneways == 0);

    at.found({"memory://other"});  // The client says goodbye to the first.
    at.send(20);
    at.world.run();
    CHECK(at.seen.size() == 3);
    CHECK(at.server.stats().lost_oneways == 20);
    REQUIRE(at.unseen.size() == 20);
    CHECK(at.unseen.front().starts_with("Watcher.changed at "));
    CHECK(at.unseen.front().ends_with(
        ": unavailable: the peer accepts no more calls: the endpoint is no longer listed"));
    CHECK(at.client->stats().failed == 0);
}

TEST_CASE("call back: one-way calls that cross the client's goodbye, and are too many to be kept, are counted together") {
    watched at;
    at.found({"memory://other"});
    at.send(20'000);
    at.world.run();
    CHECK(at.seen.empty());
    CHECK(at.server.stats().lost_oneways == 20'000);
    CHECK(std::count_if(at.unseen.begin(), at.unseen.end(), [](const std::string& text) {
              return text.find("one-way calls that did not run, and were too many to be kept: at most ") != text.npos;
          }) == 1);
}

TEST_CASE("call back: one-way calls of a client's handlers that cross the server's goodbye are counted by the client") {
    struct answering {
        std::optional<futon::stub<Board>>* asker;
        void changed(futon::call_context& from, int) { *asker = from.caller<Board>(); }
        void blob(std::string) {}
    };
    board offered;
    std::optional<futon::stub<Board>> asker;
    std::size_t unseen = 0;
    futon::testing::simulation world{{.on_unhandled_error = [&](const futon::error&) { ++unseen; }}};
    futon::server server{{.listen = "memory://board", .runtime = world.runtime()}};
    server.provide<Board>(std::ref(offered), {.run_on = futon::run_on::io});
    server.start();
    futon::client client{{.endpoints = "memory://board", .runtime = world.runtime()}};
    client.provide<Watcher>(answering{&asker}, {.run_on = futon::run_on::io});
    world.get(client.stub<Board>().subscribe());
    world.get(offered.watcher->changed(1));
    REQUIRE(asker.has_value());

    server.stop().ignore();
    for (int i = 0; i < 5; ++i) CHECK(asker->subscribe(futon::oneway).has_value());
    world.run();
    CHECK(client.stats().lost_oneways == 5);
    CHECK(unseen == 5);
    CHECK(client.stats().failed == 0);
    CHECK(server.stats().lost_oneways == 0);
}

TEST_CASE("call back: a one-way call past what the client takes is counted and reported alone") {
    futon::limits small;
    small.max_body_bytes = 1000;
    watched at{small};
    CHECK(at.offered.watcher->blob(std::string(5000, 'x'), futon::oneway).has_value());
    at.send(1);
    at.world.run();
    CHECK(at.seen.size() == 1);
    CHECK(at.server.stats().lost_oneways == 1);
    REQUIRE(at.unseen.size() == 1);
    CHECK(at.unseen.front().find("message_too_big") != std::string::npos);
}

}  // namespace
