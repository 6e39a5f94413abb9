// SPDX-License-Identifier: Apache-2.0
#include <futon/testing/fake.hpp>

#include <futon/futon.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::fake;
using futon::testing::simulation;

// A name, so that the address of a method can be told: those of unnamed namespaces would have to be defined.
namespace fake_test {

struct Person {
    std::string name;
    int age = 0;
    friend bool operator==(const Person&, const Person&) = default;
};

struct Greeter {
    std::string greet(std::string name);
    Person older(const Person& who, int years);
    std::size_t length(std::string_view text);
    void log(std::string line);
    // Of the same type as greet.
    std::string part(std::string name);
};
FUTON_SERVICE(Greeter, greet, older, length, log, part)

struct Market {
    futon::stream<int> count(int to);
    int sum(int start, futon::stream<int> numbers);
    futon::stream<std::string> chat(futon::stream<std::string> lines);
    futon::stream<int, std::string> load(int rows);
};
FUTON_SERVICE(Market, count, sum, chat, load)

}  // namespace fake_test

namespace {

using fake_test::Greeter;
using fake_test::Market;
using fake_test::Person;

TEST_CASE("fake: answers what it was given, and no_such_method for the rest, by a stub without a server") {
    fake<Greeter> greeter;
    greeter.on<&Greeter::greet>([](const std::string& name) { return "hi " + name; })
        .on<&Greeter::part>([](const std::string& name) { return "bye " + name; });
    const auto stub = greeter.stub();
    CHECK(stub.greet("ann").get() == "hi ann");
    CHECK(stub.part("ann").get() == "bye ann");
    const auto missing = stub.length("x").get_result();
    REQUIRE(!missing);
    CHECK(missing.error() == futon::errc::no_such_method);
    CHECK(missing.error().ran() == futon::executed::no);
    CHECK(missing.error().message() == "this fake of 'Greeter' has no answer for 'length': give it one with on<>()");
}

TEST_CASE("fake: its functions have all the forms that handlers have") {
    simulation world;
    fake<Greeter> greeter;
    const auto stub = greeter.stub(world);
    greeter.on<&Greeter::greet>(
        [](futon::call_context& call, const std::string& name) { return std::string{call.method()} + " " + name; });
    CHECK(world.get(stub.greet("ann")) == "greet ann");
    greeter.on<&Greeter::greet>([](std::string name) -> futon::task<std::string> {
        co_await futon::delay(20ms);
        co_return "late " + name;
    });
    CHECK(world.get(stub.greet("ann")) == "late ann");
    CHECK(world.elapsed() == 20ms);
    greeter.on<&Greeter::greet>([](const std::string&) -> futon::result<std::string> {
        return futon::error{futon::errc::unavailable, "closed"};
    });
    CHECK(world.get_result(stub.greet("ann")).error() == futon::errc::unavailable);
    std::optional<futon::responder<std::string>> held;
    greeter.on<&Greeter::greet>(
        [&](futon::responder<std::string> answer, const std::string&) { held.emplace(std::move(answer)); });
    auto pending = stub.greet("ann");
    world.run();
    REQUIRE(held);
    (*held)("now");
    CHECK(world.get(std::move(pending)) == "now");
    // A value that converts, and one that counts.
    greeter.on<&Greeter::greet>([n = 0](const std::string&) mutable { return ++n == 1 ? "first" : "again"; });
    CHECK(world.get(stub.greet("ann")) == "first");
    CHECK(world.get(stub.greet("ann")) == "again");
    greeter.on<&Greeter::greet>([](const std::string&) -> std::string { throw std::runtime_error{"broken"}; });
    CHECK(world.get_result(stub.greet("ann")).error() == futon::errc::remote_error);
    // Deadlines and cancels reach it.
    greeter.on<&Greeter::greet>(
        [&](futon::responder<std::string> answer, const std::string&) { held.emplace(std::move(answer)); });
    CHECK(world.get_result(stub.with({.timeout = 50ms}).greet("x")).error() == futon::errc::deadline_exceeded);
    CHECK(held->stop_requested());
}

TEST_CASE("fake: counts calls of each method, answered or not, and keeps their arguments") {
    fake<Greeter> greeter;
    greeter.on<&Greeter::older>([](Person who, int years) {
        who.age += years;
        return who;
    });
    const auto stub = greeter.stub();
    CHECK(stub.older({"tom", 1}, 2).get() == Person{"tom", 3});
    CHECK(stub.older({"eve", 5}, 1).get() == Person{"eve", 6});
    CHECK(!stub.length("four").get_result());
    CHECK(greeter.calls<&Greeter::older>() == 2);
    CHECK(greeter.calls<&Greeter::length>() == 1);
    CHECK(greeter.calls<&Greeter::greet>() == 0);
    CHECK(greeter.arguments<&Greeter::older>() ==
          std::vector<std::tuple<Person, int>>{{Person{"tom", 1}, 2}, {Person{"eve", 5}, 1}});
    const auto lengths = greeter.arguments<&Greeter::length>();
    REQUIRE(lengths.size() == 1);
    CHECK(std::get<0>(lengths[0]) == "four");
    greeter.forget_calls();
    CHECK(greeter.calls<&Greeter::older>() == 0);
    CHECK(greeter.arguments<&Greeter::older>().empty());
}

TEST_CASE("fake: is provided by a server as an implementation is, and changed while it serves") {
    simulation world;
    fake<Greeter> greeter;
    futon::server server{{.listen = "memory://greeter", .runtime = world.runtime()}};
    server.provide<Greeter>(greeter);
    server.provide<Greeter>(std::ref(greeter), {.version = "2"});
    server.start();
    futon::client client{{.endpoints = "memory://greeter", .runtime = world.runtime()}};
    const auto stub = client.stub<Greeter>();
    CHECK(world.get_result(stub.greet("ann")).error() == futon::errc::no_such_method);
    greeter.on<&Greeter::greet>([](const std::string& name) { return "hi " + name; });
    CHECK(world.get(stub.greet("ann")) == "hi ann");
    CHECK(world.get(client.stub<Greeter>({.version = "2"}).greet("ann")) == "hi ann");
    CHECK(stub.log("line", futon::oneway).has_value());
    world.run();
    CHECK(greeter.calls<&Greeter::log>() == 1);
    CHECK(greeter.calls<&Greeter::greet>() == 3);
}

TEST_CASE("fake: several fakes of one contract live in one world, and end in any order with it") {
    for (const bool world_first : {false, true}) {
        auto world = std::make_unique<simulation>();
        std::optional<fake<Greeter>> one{std::in_place};
        std::optional<fake<Greeter>> two{std::in_place};
        one->on<&Greeter::greet>([](const std::string&) { return "one"; });
        two->on<&Greeter::greet>([](const std::string&) { return "two"; });
        const auto first = one->stub(*world);
        const auto second = two->stub(*world);
        CHECK(world->get(first.greet("")) == "one");
        CHECK(world->get(second.greet("")) == "two");
        auto pending = first.greet("");
        if (world_first) world.reset();
        one.reset();
        if (world) {
            CHECK(world->get_result(first.greet("")).error() == futon::errc::client_closed);
            CHECK(world->get(second.greet("")) == "two");
        }
    }
}

futon::task<void> count_to(int to, futon::sink<int> out) {
    for (int i = 1; i <= to; ++i) co_await out.send(i);
}

TEST_CASE("fake: a method that gives a stream may have a sink, return a stream, fail behind its items, have a result") {
    simulation world;
    fake<Market> market;
    const auto stub = market.stub(world);
    market.on<&Market::count>(&count_to);
    CHECK(world.get(stub.count(3).collect(10)) == std::vector{1, 2, 3});
    CHECK(world.get(stub.count(1000).collect(1000)).back() == 1000);

    market.on<&Market::count>([](int to) {
        auto [in, out] = futon::make_stream<int>(4);
        static_cast<void>(in.try_send(to));
        in.close();
        return std::move(out);
    });
    CHECK(world.get(stub.count(7).collect(10)) == std::vector{7});

    market.on<&Market::count>([](int to, futon::sink<int> out) -> futon::task<void> {
        co_await out.send(to);
        throw futon::rpc_error{futon::error{futon::errc::unavailable, "closed"}};
    });
    auto broken = stub.count(1);
    CHECK(world.get(broken.next()) == 1);
    CHECK(world.get_result(broken.next()).error() == futon::errc::unavailable);

    market.on<&Market::load>([](futon::call_context&, int rows, futon::sink<int> out) -> futon::task<std::string> {
        co_await out.send(rows);
        co_return "loaded";
    });
    auto loading = stub.load(5);
    CHECK(world.get(loading.next()) == 5);
    CHECK(!world.get(loading.next()));
    CHECK(world.get(loading.result()) == "loaded");
    CHECK(market.calls<&Market::count>() == 4);
    CHECK(market.arguments<&Market::count>().back() == std::tuple{1});
}

TEST_CASE("fake: a method that takes a stream reads it, and its other arguments are kept") {
    simulation world;
    fake<Market> market;
    const auto stub = market.stub(world);
    market.on<&Market::sum>([](int start, futon::stream<int> numbers) -> futon::task<int> {
        while (auto each = co_await numbers.next()) start += *each;
        co_return start;
    });
    auto [in, out] = futon::make_stream<int>(8);
    auto total = stub.sum(10, std::move(out));
    for (int i = 1; i <= 3; ++i) CHECK(in.try_send(i));
    in.close();
    CHECK(world.get(std::move(total)) == 16);
    CHECK(market.arguments<&Market::sum>() == std::vector<std::tuple<int>>{{10}});

    market.on<&Market::chat>([](futon::stream<std::string> lines, futon::sink<std::string> to) -> futon::task<void> {
        while (auto line = co_await lines.next()) co_await to.send("you said " + *line);
    });
    auto [say, said] = futon::make_stream<std::string>(8);
    auto heard = stub.chat(std::move(said));
    CHECK(say.try_send("hello"));
    CHECK(world.get(heard.next()) == "you said hello");
    CHECK(say.try_send("bye"));
    say.close();
    CHECK(world.get(heard.next()) == "you said bye");
    CHECK(!world.get(heard.next()));
}

TEST_CASE("fake: a method with streams and without an answer is no_such_method, and takes its streams with it") {
    simulation world;
    fake<Market> market;
    const auto stub = market.stub(world);
    auto numbers = stub.count(3);
    CHECK(world.get_result(numbers.next()).error() == futon::errc::no_such_method);
    auto [in, out] = futon::make_stream<int>(8);
    CHECK(world.get_result(stub.sum(1, std::move(out))).error() == futon::errc::no_such_method);
    world.run();
    CHECK(in.is_cancelled());
    auto [say, said] = futon::make_stream<std::string>(8);
    auto heard = stub.chat(std::move(said));
    CHECK(world.get_result(heard.next()).error() == futon::errc::no_such_method);
    CHECK(market.calls<&Market::chat>() == 1);
}

TEST_CASE("fake: a reader that goes away stops the function, and a function that goes on is cancelled with its world") {
    auto world = std::make_unique<simulation>();
    fake<Market> market;
    int stopped = 0;
    market.on<&Market::count>([&](int, futon::sink<int> to) -> futon::task<void> {
        const std::stop_callback told{to.stop_token(), [&] { ++stopped; }};
        for (int i = 0;; ++i) co_await to.send(i);
    });
    {
        auto endless = market.stub(*world).count(0);
        CHECK(world->get(endless.next()) == 0);
        CHECK(world->get(endless.next()) == 1);
        CHECK(stopped == 0);
    }
    world->run();
    CHECK(stopped == 1);
    auto another = market.stub(*world).count(0);
    CHECK(world->get(another.next()) == 0);
    market = {};
    world.reset();
    CHECK(stopped == 2);
}

}  // namespace
