// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/routing_mutex.hpp>

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Calls made in a callback, of which all but the first may go without the lock, around something that changes the way.
struct Adder {
    int add(int a, int b);
    int hold(int n);
};
FUTON_SERVICE(Adder, (add, futon::idempotent), hold)

struct adder {
    explicit adder(int more = 0) : more_{more} {}
    int add(int a, int b) {
        seen.push_back(a);
        return a + b + more_;
    }
    futon::future<int> hold(int n) {
        return futon::delay(1min).then([n] { return n; });
    }
    std::vector<int> seen;

private:
    int more_;
};

struct town {
    explicit town(futon::client_options how = {}, futon::limits bounds = {}) {
        a.emplace(futon::server_options{.listen = "memory://a", .limits = bounds, .runtime = world.runtime()});
        a->provide<Adder>(std::ref(at_a), {.run_on = futon::run_on::io});
        a->start();
        b.provide<Adder>(std::ref(at_b), {.run_on = futon::run_on::io});
        b.start();
        how.endpoints = "memory://a";
        how.source = [this](auto to) { push = to; };
        how.runtime = world.runtime();
        client.emplace(std::move(how));
        stub = client->stub<Adder>();
        CHECK(world.get(stub.add(0, 0)) == 0);
    }
    town(const town&) = delete;
    town& operator=(const town&) = delete;

    /// Runs it where replies come in, where the connection is on offer, and then all that follows.
    void inside(std::function<void()> what) {
        stub.add(1, 1, [&, what = std::move(what)](const futon::result<int>& sum) {
            CHECK(sum.has_value());
            before = stub.add(2, 2);
            what();
        });
        world.run();
    }

    futon::testing::simulation world;
    adder at_a{};
    adder at_b{1000};
    std::optional<futon::server> a;
    futon::server b{{.listen = "memory://b", .runtime = world.runtime()}};
    std::function<void(futon::endpoints)> push;
    std::optional<futon::client> client;
    futon::stub<Adder> stub;
    futon::future<int> before;  // Under way when the test changes something.
};

TEST_CASE("client: a call made where the client was just closed ends at once") {
    town it;
    std::optional<futon::future<int>> after;
    it.inside([&] {
        it.client->close();
        after = it.stub.add(3, 3);
        CHECK(after->is_ready());
    });
    CHECK(it.world.get_result(std::move(*after)).error() == futon::errc::client_closed);
    CHECK(it.world.get_result(std::move(it.before)).error() == futon::errc::client_closed);
}

TEST_CASE("client: a call made where the list of endpoints was just replaced goes to the new one") {
    town it;
    futon::future<int> after;
    it.inside([&] {
        it.push(futon::endpoints{"memory://b"});
        after = it.stub.add(3, 3);
    });
    CHECK(it.world.get(std::move(it.before)) == 4);
    CHECK(it.world.get(std::move(after)) == 1006);
    it.inside([&] { after = it.stub.add(4, 4); });
    CHECK(it.world.get(std::move(after)) == 1008);
}

// Counts what it is asked for.
struct counting {
    futon::node* pick(const futon::node_set& nodes, futon::pick_context& how) noexcept {
        ++*picks;
        return nodes.draw(how);
    }
    int* picks;
};

TEST_CASE("client: a call made where the rules were just changed follows the new ones") {
    town it;
    int picks = 0;
    futon::future<int> after;
    it.inside([&] {
        it.client->update({.balancer = counting{&picks}});
        after = it.stub.add(3, 3);
    });
    CHECK(it.world.get(std::move(after)) == 6);
    CHECK(picks == 1);
    it.inside([&] { after = it.stub.add(3, 3); });
    CHECK(picks == 4);
}

TEST_CASE("client: calls made inside its connection's executor are counted, and go out in the order they were made") {
    town it;
    std::vector<futon::future<int>> all;
    it.inside([&] {
        const auto to_a = it.stub.with({.route = {.address = "memory://a"}});
        for (int n = 10; n < 20; ++n) all.push_back((n % 3 == 0 ? to_a : it.stub).add(n, n));
    });
    for (auto& each : all) static_cast<void>(it.world.get(std::move(each)));
    CHECK(it.at_a.seen == std::vector{0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
    const auto stats = it.client->stats();
    CHECK(stats.calls == 13);
    CHECK(stats.succeeded == 13);
}

TEST_CASE("client: of calls made inside its connection's executor those past the server's limit wait, in order") {
    town it{{}, {.max_in_flight = 4}};
    std::vector<futon::future<int>> all;
    it.inside([&] {
        for (int n = 10; n < 40; ++n) all.push_back(it.stub.add(n, n));
        CHECK(it.client->stats().queued == 27);
        all.push_back(it.stub.add(40, 40));
        CHECK(it.client->stats().queued == 28);
    });
    int n = 10;
    for (auto& each : all) CHECK(it.world.get(std::move(each)) == 2 * n++);
    std::vector<int> in_order{0, 1, 2};
    for (n = 10; n <= 40; ++n) in_order.push_back(n);
    CHECK(it.at_a.seen == in_order);
}

TEST_CASE("client: calls made inside its connection's executor move when the server leaves, and new ones connect anew") {
    town it{{.wait_for_ready = true}};
    futon::future<int> after;
    it.inside([&] {
        it.world.cut("memory://a");
        after = it.stub.add(3, 3);
    });
    CHECK(it.world.get(std::move(it.before)) == 4);
    CHECK(it.world.get(std::move(after)) == 6);
    // A goodbye in good time.
    const auto stopped = it.a->stop(1s);
    futon::result<int> late = 0;
    it.stub.add(5, 5, [&](const futon::result<int>&) {
        it.stub.add(6, 6, [&](futon::result<int> got) { late = std::move(got); });
    });
    it.world.run();
    it.push(futon::endpoints{"memory://b"});
    it.world.run();
    CHECK(late == 1012);
}

TEST_CASE("client: a call made inside its connection's executor is cancelled and seen as any other") {
    town it;
    futon::future<int> held;
    it.inside([&] { held = it.stub.hold(3); });
    const auto pending = it.world.get(it.client->pending_calls());
    REQUIRE(pending.size() == 1);
    CHECK(pending[0].where == futon::pending_call::state::sent);
    held.cancel();
    it.world.run();
    REQUIRE(held.is_ready());
    const auto why = std::move(held).get_result().error();
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::maybe);
}

}  // namespace
