// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/simulation.hpp>

#include <futon/futon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::simulation;

namespace {

struct Greeter {
    std::string greet(std::string name);
    std::string later(std::string name);
    void never();
};
FUTON_SERVICE(Greeter, greet, later, never)

struct greeter_impl {
    std::string greet(const std::string& name) {
        ++*greeted;
        return "hi " + name;
    }
    futon::task<std::string> later(std::string name) {
        co_await futon::delay(30ms);
        co_return "late " + name;
    }
    void never(futon::call_context& call, futon::responder<void> answer) {
        left = call.time_left();
        held.push_back(std::move(answer));
    }

    std::shared_ptr<int> greeted = std::make_shared<int>(0);
    futon::duration left{};
    std::vector<futon::responder<void>> held{};
};

const std::string address = "memory://greeter";

struct served {
    explicit served(futon::testing::simulation_options how = {}, futon::client_options calling = {},
                    const futon::limits& bounds = {})
        : world{std::move(how)}, server{{.listen = address, .limits = bounds, .runtime = world.runtime()}} {
        server.provide<Greeter>(std::ref(implementation));
        server.start();
        calling.endpoints = address;
        calling.runtime = world.runtime();
        client.emplace(std::move(calling));
        stub = client->stub<Greeter>();
    }

    simulation world;
    greeter_impl implementation;
    futon::server server;
    std::optional<futon::client> client;
    futon::stub<Greeter> stub;
};

TEST_CASE("simulation: nothing moves before it runs; then a call needs no time") {
    served s;
    auto reply = s.stub.greet("ann");
    CHECK(!reply.is_ready());
    CHECK(s.world.run() > 0);
    REQUIRE(reply.is_ready());
    CHECK(std::move(reply).get() == "hi ann");
    CHECK(s.world.elapsed() == 0ns);
    CHECK(s.world.run() == 0);
    CHECK(s.server.stats().calls == 1);
}

TEST_CASE("simulation: with one I/O thread all connections share it, with two they take turns, else each has its own") {
    for (const std::size_t threads : {0u, 1u, 2u}) {
        CAPTURE(threads);
        simulation world{{.io_threads = threads}};
        std::vector<futon::executor_ref> held;  // Or the next may stand where the last one did.
        std::set<futon::executor*> places;
        for (int i = 0; i < 6; ++i) {
            held.push_back(world.runtime().state()->next_place().where);
            places.insert(held.back().get());
        }
        CHECK(places.size() == (threads == 0 ? 6 : threads));
    }
    // And what goes over them is the same.
    greeter_impl implementation;
    simulation world{{.io_threads = 1}};
    futon::server server{{.listen = "memory://one", .runtime = world.runtime()}};
    server.provide<Greeter>(std::ref(implementation));
    server.start();
    futon::client client{{.endpoints = "memory://one", .connections_per_endpoint = 3, .runtime = world.runtime()}};
    for (int i = 0; i < 9; ++i) CHECK(world.get(client.stub<Greeter>().greet("ann")) == "hi ann");
}

TEST_CASE("simulation: get moves the clock as far as the answer needs, and runs coroutines of both kinds") {
    served s;
    CHECK(s.world.get(s.stub.later("ann")) == "late ann");
    CHECK(s.world.elapsed() == 30ms);
    const auto work = [](futon::stub<Greeter> stub) -> futon::task<std::string> {
        const auto first = co_await stub.later("x");
        co_return co_await stub.later(first);
    };
    CHECK(s.world.get(work(s.stub)) == "late late x");
    CHECK(s.world.elapsed() == 90ms);
    const auto asio_work = [](futon::stub<Greeter> stub) -> asio::awaitable<std::string> {
        co_return co_await stub.later("y", futon::use_awaitable);
    };
    CHECK(s.world.get(asio_work(s.stub)) == "late y");
    CHECK(s.world.elapsed() == 120ms);
    CHECK(s.world.get_result(s.stub.never()).error() == futon::errc::deadline_exceeded);
    CHECK(s.world.elapsed() == 3120ms);
    CHECK(s.implementation.left == 3s);
}

TEST_CASE("simulation: a deadline fires at its time, not before and not after") {
    served s;
    s.world.get(s.stub.greet("connect"));
    for (const futon::duration limit : {50ms, 1ms, 700ms}) {
        auto reply = s.stub.with({.timeout = limit}).never();
        s.world.advance(limit - 1ns);
        CHECK(!reply.is_ready());
        s.world.advance(1ns);
        REQUIRE(reply.is_ready());
        CHECK(std::move(reply).get_result().error() == futon::errc::deadline_exceeded);
        CHECK(s.implementation.left == limit);
    }
    // Those that wait for a connection, too.
    s.world.cut(address);
    s.world.faults(address, {.drop = true});
    s.world.run();
    auto reply = s.stub.with({.timeout = 50ms}).greet("x");
    s.world.advance(50ms - 1ns);
    CHECK(!reply.is_ready());
    s.world.advance(1ns);
    CHECK(reply.is_ready());
}

TEST_CASE("simulation: what cannot become ready is said so, and blocking is refused") {
    served s{{.longest_wait = 10min}};
    futon::promise<int> nobody{s.world.executor()};
    CHECK(s.world.get_result(nobody.get_future()).error() == futon::errc::would_deadlock);
    CHECK(s.world.elapsed() <= 10min);
    CHECK(s.stub.greet("x").get_result().error() == futon::errc::would_deadlock);
    futon::future<void> inside = futon::make_ready(s.world.executor()).then([&] { s.world.run(); });
    CHECK(s.world.get_result(std::move(inside)).error() == futon::errc::would_deadlock);
}

TEST_CASE("simulation: blocking in the body of the test does not hang, and says what to do instead") {
    served s;
    const auto says_what_to_do = [](const futon::error& why) {
        CHECK(why == futon::errc::would_deadlock);
        CHECK(why.message().find("in a simulation nothing runs while you block: use world.get(...)") !=
              std::string::npos);
    };
    says_what_to_do(s.stub.greet("ann").get_result().error());
    const auto blocked = [&](auto work) {
        try {
            futon::sync_wait(std::move(work));
            FAIL("it had nothing to run");
        } catch (const futon::rpc_error& e) {
            says_what_to_do(e.detail());
        }
    };
    bool left = false;
    const auto one = [&]() -> futon::task<void> {
        const auto at_the_end = std::shared_ptr<void>{nullptr, [&](void*) { left = true; }};
        co_await futon::delay(1ms);  // On this thread: that one comes.
        co_await s.stub.never();
    };
    blocked(one());
    s.world.run();
    CHECK(left);
    const auto several = [&]() -> futon::task<void> {
        co_await futon::when_all(s.stub.greet("ann"), s.stub.greet("bob"));
    };
    blocked(several());
    CHECK(s.world.get(s.stub.greet("ann")) == "hi ann");
}

TEST_CASE("simulation: a server in it needs an address in memory, and so do the calls of a client") {
    simulation world;
    for (const auto* const listen : {"tcp://127.0.0.1:0", "unix:///tmp/futon-simulation-test"}) {
        futon::server server{{.listen = listen, .runtime = world.runtime()}};
        try {
            server.start();
            FAIL("it listens");
        } catch (const futon::rpc_error& e) {
            CHECK(e.code() == futon::errc::unsupported_protocol);
            CHECK(e.detail().message() ==
                  std::string{listen} +
                      " inside a simulation: use memory://name, in .listen of its servers and as address of its clients");
        }
    }
    futon::client client{{.endpoints = "tcp://127.0.0.1:1", .runtime = world.runtime()}};
    const auto refused = world.get_result(client.stub<Greeter>().greet("x"));
    REQUIRE(!refused);
    CHECK(refused.error() == futon::errc::unsupported_protocol);
    CHECK(refused.error().message().find("tcp://127.0.0.1:1 inside a simulation: use memory://name") !=
          std::string::npos);
    CHECK(world.elapsed() == 0ns);
}

TEST_CASE("simulation: run_until moves the clock to the event, and no further than it may") {
    served s;
    auto reply = s.stub.later("ann");
    CHECK(!s.world.run_until([&] { return reply.is_ready(); }, 29ms));
    CHECK(s.world.run_until([&] { return reply.is_ready(); }));
    CHECK(s.world.elapsed() == 30ms);
}

TEST_CASE("simulation: a full pool answers overloaded, as one of threads would") {
    served s{{.pool_threads = 2, .pool_queue = 3}, {.retry = {.max_attempts = 1}}};
    s.world.get(s.stub.greet("connect"));
    std::vector<futon::future<std::string>> all;
    for (int i = 0; i < 8; ++i) all.push_back(s.stub.greet("x"));
    s.world.run();
    int refused = 0;
    for (auto& each : all)
        if (auto got = std::move(each).get_result(); !got && got.error() == futon::errc::overloaded) ++refused;
    CHECK(refused == 3);
}

// --- Faults

TEST_CASE(
    "simulation: a delay is counted once on each way, and three times to connect: there, back, and with the peer's preface") {
    served s;
    s.world.faults(address, {.delay = 10ms});
    s.world.get(s.stub.greet("ann"));
    CHECK(s.world.elapsed() == 50ms);
    s.world.get(s.stub.greet("ann"));
    CHECK(s.world.elapsed() == 70ms);
    s.world.faults(address, {.delay = 1ms}, futon::testing::link_direction::to_server);
    s.world.get(s.stub.greet("ann"));
    CHECK(s.world.elapsed() == 81ms);
    s.world.faults(address, {});
    s.world.get(s.stub.greet("ann"));
    CHECK(s.world.elapsed() == 81ms);
}

TEST_CASE("simulation: jitter varies, keeps the order, and stays within its bound") {
    served s;
    s.world.get(s.stub.greet("connect"));
    s.world.faults(address, {.delay = 5ms, .jitter = 10ms}, futon::testing::link_direction::to_client);
    futon::duration least = 1h;
    futon::duration most{};
    for (int i = 0; i < 50; ++i) {
        const auto begin = s.world.elapsed();
        CHECK(s.world.get(s.stub.greet(std::to_string(i))) == "hi " + std::to_string(i));
        const auto took = s.world.elapsed() - begin;
        CHECK(took >= 5ms);
        CHECK(took <= 15ms);
        least = std::min(least, took);
        most = std::max(most, took);
    }
    CHECK(most - least > 5ms);
}

TEST_CASE("simulation: one byte at a time, and a buffer of few bytes, change nothing but the number of steps") {
    for (const std::size_t most : {futon::testing::link_faults::never, std::size_t{7}}) {
        served s;
        s.world.faults(address, {.slice = 1, .most_buffered = most});
        const std::string name(3000, 'x');
        CHECK(s.world.get(s.stub.greet(name)) == "hi " + name);
        CHECK(s.world.elapsed() == 0ns);
    }
}

TEST_CASE("simulation: a cut fails the calls under way at once, and the next ones connect again") {
    served s;
    auto pending = s.stub.never();
    s.world.run();
    s.world.cut(address);
    s.world.run();
    REQUIRE(pending.is_ready());
    const auto lost = std::move(pending).get_result();
    CHECK(lost.error() == futon::errc::connection_lost);
    CHECK(lost.error().ran() == futon::executed::maybe);
    CHECK(s.implementation.held.at(0).stop_requested());
    CHECK(s.world.get(s.stub.greet("ann")) == "hi ann");
    CHECK(s.client->stats().connects == 2);
}

TEST_CASE("simulation: to cut an address that no server ever had is refused by name; of a stopped one it does nothing") {
    served s;
    try {
        s.world.cut("memory://greater");
        FAIL("nobody has that");
    } catch (const futon::rpc_error& e) {
        CHECK(e.code() == futon::errc::no_provider);
        CHECK(e.detail().message() ==
              "no server of this network has had the address memory://greater; did you mean 'greeter'? Known: greeter");
    }
    static_cast<void>(s.server.stop());
    s.world.run();
    s.world.cut(address);
}

TEST_CASE("simulation: a connection breaks after so many bytes, wherever that is, and no call is left behind") {
    for (std::size_t bytes = 1; bytes < 300; bytes += 3) {
        CAPTURE(bytes);
        served s;
        s.world.faults(address, {.cut_after_bytes = bytes});
        auto first = s.stub.greet("ann");
        auto second = s.stub.greet("bob");
        s.world.advance(4s);
        CHECK(first.is_ready());
        CHECK(second.is_ready());
        s.world.faults(address, {});
        s.world.advance(20s);
        CHECK(s.world.get(s.stub.greet("ann")) == "hi ann");
    }
}

TEST_CASE("simulation: heartbeats end a silent link, 5 s after 15 s without a byte") {
    served s;
    s.world.get(s.stub.greet("connect"));
    auto pending = s.stub.with({.timeout = 1h}).never();
    s.world.run();
    s.world.faults(address, {.drop = true});
    s.world.advance(20s - 1ns);
    CHECK(!pending.is_ready());
    s.world.advance(1ns);
    REQUIRE(pending.is_ready());
    CHECK(std::move(pending).get_result().error() == futon::errc::connection_lost);
}

TEST_CASE("simulation: what a silent link held back comes when the silence ends") {
    served s;
    s.world.get(s.stub.greet("connect"));
    s.world.faults(address, {.drop = true});
    auto pending = s.stub.greet("ann");
    s.world.advance(1s);
    CHECK(!pending.is_ready());
    s.world.faults(address, {});
    s.world.run();
    CHECK(pending.is_ready());
}

TEST_CASE("simulation: a server that is silent costs the connect timeout; one that refuses costs nothing") {
    served s;
    s.world.faults(address, {.drop = true});
    auto silent = s.stub.greet("x");
    s.world.advance(1s - 1ns);
    CHECK(!silent.is_ready());
    s.world.advance(1ns);
    REQUIRE(silent.is_ready());
    CHECK(std::move(silent).get_result().error() == futon::errc::connect_failed);

    served other;
    other.world.faults(address, {.refuse = true});
    auto refused = other.stub.greet("x");
    other.world.run();
    REQUIRE(refused.is_ready());
    CHECK(std::move(refused).get_result().error() == futon::errc::connect_failed);
}

TEST_CASE("simulation: pauses before connecting again grow, in virtual time, and end with a connection") {
    served s{{.keep_trace = true}, {.reconnect = {.base = 100ms, .factor = 2, .ceiling = 1s, .jitter = 0}}};
    s.world.faults(address, {.refuse = true});
    auto patient = s.stub.with({.timeout = 1min, .wait_for_ready = true}).greet("ann");
    s.world.advance(5s);
    std::vector<std::string> refusals;
    for (const auto& line : s.world.trace())
        if (line.find("refused") != line.npos) refusals.push_back(line.substr(0, line.find(' ')));
    CHECK(refusals == std::vector<std::string>{"0.000", "100.000", "300.000", "700.000", "1500.000", "2500.000",
                                               "3500.000", "4500.000"});
    CHECK(!patient.is_ready());
    s.world.faults(address, {});
    s.world.advance(500ms - 1ns);
    CHECK(!patient.is_ready());
    s.world.advance(1ns);
    CHECK(patient.is_ready());
}

// --- The same again

std::vector<std::string> eventful(std::uint64_t seed, bool shuffle) {
    served s{{.seed = seed, .shuffle = shuffle, .keep_trace = true},
             {.connections_per_endpoint = 2, .retry = {.max_attempts = 3}}};
    s.world.faults(address, {.delay = 1ms, .jitter = 20ms, .slice = 100, .drop_chance = 0.01, .cut_chance = 0.02});
    std::vector<futon::future<std::string>> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(s.stub.greet(std::string(static_cast<std::size_t>(i), 'x')));
        all.push_back(s.stub.later("y"));
        s.world.advance(7ms);
    }
    auto stopped = s.server.stop();
    s.world.advance(30s);
    auto lines = s.world.trace();
    for (auto& each : all) {
        REQUIRE(each.is_ready());
        auto got = std::move(each).get_result();
        lines.push_back(got ? *got : got.error().describe());
    }
    return lines;
}

TEST_CASE("simulation: one seed gives one trace, another seed another one") {
    for (const bool shuffle : {false, true}) {
        const auto first = eventful(7, shuffle);
        CHECK(first.size() > 200);
        CHECK(std::count_if(first.begin(), first.end(),
                            [](const auto& line) { return line.find(" cut") != line.npos; }) > 0);
        CHECK(first == eventful(7, shuffle));
        CHECK(first != eventful(8, shuffle));
    }
    CHECK(eventful(7, false) != eventful(7, true));
}

// --- Three hops

struct Hop {
    int go(int n);
};
FUTON_SERVICE(Hop, go)

struct passing_on {
    futon::stub<Hop> next;
    futon::future<int> go(int n) { return next.go(n + 1); }
};
struct coroutine_hop {
    futon::stub<Hop> next;
    futon::task<int> go(int n) {
        const int got = co_await next.go(n + 1);
        co_return got;
    }
};
struct innermost {
    void go(futon::call_context& call, futon::responder<int> answer, int n) {
        reached = n;
        deadline = call.time_left();
        held.emplace(std::move(answer));
    }
    int reached = 0;
    futon::duration deadline{};
    std::optional<futon::responder<int>> held{};
};

TEST_CASE("simulation: a cancel over three hops stops the innermost handler in the same instant") {
    simulation world;
    innermost last;
    futon::server c{{.listen = "memory://c", .runtime = world.runtime()}};
    c.provide<Hop>(std::ref(last));
    c.start();
    futon::client to_c{{.endpoints = "memory://c", .runtime = world.runtime()}};
    futon::server b{{.listen = "memory://b", .runtime = world.runtime()}};
    b.provide<Hop>(coroutine_hop{to_c.stub<Hop>()});
    b.start();
    futon::client to_b{{.endpoints = "memory://b", .runtime = world.runtime()}};
    futon::server a{{.listen = "memory://a", .runtime = world.runtime()}};
    a.provide<Hop>(passing_on{to_b.stub<Hop>()});
    a.start();
    futon::client to_a{{.endpoints = "memory://a", .runtime = world.runtime()}};

    auto call = to_a.stub<Hop>().with({.timeout = 700ms}).go(1);
    world.run();
    CHECK(last.reached == 3);
    CHECK(last.deadline == 700ms);
    REQUIRE(last.held);
    CHECK(!last.held->stop_requested());
    call.cancel();
    world.run();
    CHECK(world.elapsed() == 0ns);
    CHECK(last.held->stop_requested());
    CHECK(std::move(call).get_result().error() == futon::errc::cancelled);

    // And a deadline, in the same instant as well.
    auto late = to_a.stub<Hop>().with({.timeout = 700ms}).go(1);
    world.advance(700ms);
    CHECK(last.held->stop_requested());
    CHECK(std::move(late).get_result().error() == futon::errc::deadline_exceeded);
}

// --- Calls back

struct Listener {
    std::string heard(std::string what);
};
FUTON_SERVICE(Listener, heard)
struct Speaker {
    std::string speak(std::string what);
};
FUTON_SERVICE(Speaker, speak)

struct speaker_impl {
    futon::future<std::string> speak(futon::call_context& call, const std::string& what) {
        return call.caller<Listener>().heard(what);
    }
};
struct listener_impl {
    int* heard_so_far;
    std::string heard(const std::string& what) {
        ++*heard_so_far;
        return "heard " + what;
    }
};

TEST_CASE("simulation: a server calls its client back, on the client's pool, and the client may go meanwhile") {
    simulation world;
    int heard = 0;
    futon::server server{{.listen = "memory://speaker", .runtime = world.runtime()}};
    server.provide<Speaker>(speaker_impl{});
    server.start();
    std::optional<futon::client> client{
        std::in_place, futon::client_options{.endpoints = "memory://speaker", .runtime = world.runtime()}};
    client->provide<Listener>(listener_impl{&heard});
    const auto stub = client->stub<Speaker>();
    CHECK(world.get(stub.speak("it")) == "heard it");
    CHECK(world.elapsed() == 0ns);
    auto pending = stub.speak("again");
    client.reset();
    const int before = heard;
    CHECK(world.get_result(std::move(pending)).error() == futon::errc::client_closed);
    CHECK(heard == before);
}

TEST_CASE("simulation: a server in it cannot run for itself") {
    simulation world;
    futon::server server{{.listen = "memory://name", .runtime = world.runtime()}};
    CHECK_THROWS_AS(server.run(), futon::rpc_error);
}

TEST_CASE("simulation: chances of silence and of cuts come true about as often as they should") {
    int cut = 0;
    int silent = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        served s{{.seed = seed}};
        s.world.get(s.stub.greet("connect"));
        s.world.faults(address, {.cut_chance = 0.25}, futon::testing::link_direction::to_server);
        auto reply = s.stub.greet("x");
        s.world.run();
        if (s.world.network().connections(address) == 0 || s.client->stats().connects > 1) ++cut;
        CHECK(s.world.run_until([&] { return reply.is_ready(); }));
        s.world.faults(address, {});
        s.world.advance(30s);
        s.world.get(s.stub.greet("x"));
        s.world.faults(address, {.drop_chance = 0.25}, futon::testing::link_direction::to_client);
        auto other = s.stub.greet("x");
        s.world.run();
        if (!other.is_ready()) ++silent;
    }
    CHECK(cut > 25);
    CHECK(cut < 90);
    CHECK(silent > 25);
    CHECK(silent < 90);
}

// --- The end

TEST_CASE("simulation: a server that stops waits for its calls in virtual time, as long as it may") {
    served s;
    auto finishing = s.stub.later("ann");
    s.world.run();
    auto stopped = s.server.stop();
    CHECK(s.world.get(std::move(finishing)) == "late ann");
    s.world.get(std::move(stopped));
    CHECK(s.world.elapsed() == 30ms);

    served other;
    auto pending = other.stub.with({.timeout = 1h}).never();
    other.world.run();
    auto cut = other.server.stop(5s);
    other.world.get(std::move(cut));
    CHECK(other.world.elapsed() == 5s);
    CHECK(!other.world.get_result(std::move(pending)));
}

TEST_CASE("simulation: world, server, client and futures end in any order, in the middle of calls") {
    std::vector<int> order{0, 1, 2, 3};
    do {
        for (const bool settled : {false, true}) {
            int ended = 0;
            auto world = std::make_unique<simulation>();
            // Kept by the handlers' own state, as are the responders that they keep.
            const auto implementation = std::make_shared<greeter_impl>();
            auto server =
                std::make_unique<futon::server>(futon::server_options{.listen = address, .runtime = world->runtime()});
            server->provide<Greeter>(implementation);
            server->start();
            auto client = std::make_unique<futon::client>(
                futon::client_options{.endpoints = address, .runtime = world->runtime()});
            const auto stub = client->stub<Greeter>();
            if (settled) world->get(stub.greet("ann"));
            auto kept = std::make_unique<futon::future<void>>(stub.never());
            stub.later("bob").handle([&](const futon::result<std::string>&) { ++ended; }).on_complete([&](auto) {
                ++ended;
            });
            stub.greet("eve", [&](const futon::result<std::string>&) { ++ended; });
            if (settled) world->run();
            stub.greet("eve", [&](const futon::result<std::string>&) { ++ended; });
            for (const int next : order) {
                if (next == 0) world.reset();
                if (next == 1) server.reset();
                if (next == 2) client.reset();
                if (next == 3) kept.reset();
            }
            CHECK(ended <= 4);
            CHECK(!stub.greet("x").get_result());
        }
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("simulation: a server that goes takes its handlers with it, before what they refer to") {
    simulation world;
    int ran = 0;
    {
        greeter_impl implementation;
        const auto greeted = implementation.greeted;
        futon::client client{{.endpoints = address, .runtime = world.runtime()}};
        futon::server server{{.listen = address, .runtime = world.runtime()}};
        server.provide<Greeter>(std::ref(implementation));
        server.start();
        world.get(client.stub<Greeter>().greet("connect"));
        client.stub<Greeter>().greet("x", [&](const auto&) { ++ran; });
    }
    world.run();
    CHECK(ran == 1);
}

}  // namespace
