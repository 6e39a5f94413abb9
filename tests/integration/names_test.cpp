// SPDX-License-Identifier: Apache-2.0
// What services are called, what is said about those that are missing, and which contracts fit each other.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

struct Farewell {
    std::string leave(std::string name);
};
FUTON_SERVICE_AS(Farewell, "com.example.Farewell:1.0", leave)

struct greeter {
    std::string word = "hello";
    std::string greet(std::string name) { return word + " " + name; }
};
struct farewell {
    std::string leave(std::string name) { return "bye " + name; }
};

TEST_CASE("server: several contracts share one server and one connection") {
    futon::server server{quiet_server()};
    server.provide<Greeter>(greeter{});
    server.provide<Farewell>(farewell{});
    server.start();
    futon::client client{to(server.addresses())};
    CHECK(client.stub<Greeter>().greet("ann").get() == "hello ann");
    CHECK(client.stub<Farewell>().leave("ann").get() == "bye ann");
    CHECK(client.stub<Farewell>({.version = "1.0"}).leave("ann").get() == "bye ann");
    CHECK(server.stats().accepted == 1);
}

TEST_CASE("server: one contract stands under several versions and unique ids at once") {
    futon::server server{quiet_server()};
    server.provide<Greeter>(greeter{"plain"});
    server.provide<Greeter>(greeter{"two"}, {.version = "2.0"});
    server.provide<Greeter>(greeter{"blue"}, {.unique_id = "blue"});
    server.provide<Greeter>(greeter{"two blue"}, {.version = "2.0", .unique_id = "blue"});
    server.start();
    futon::client client{to(server.addresses())};
    CHECK(client.stub<Greeter>().greet("x").get() == "plain x");
    CHECK(client.stub<Greeter>({.version = "2.0"}).greet("x").get() == "two x");
    CHECK(client.stub<Greeter>({.unique_id = "blue"}).greet("x").get() == "blue x");
    CHECK(client.stub<Greeter>({.version = "2.0", .unique_id = "blue"}).greet("x").get() == "two blue x");
}

TEST_CASE("server: a service that is missing is no_such_method, not executed, and lists what is offered") {
    futon::server server{quiet_server()};
    server.provide<Greeter>(greeter{}, {.version = "2.0"});
    server.provide<Farewell>(farewell{}, {.unique_id = "blue"});
    server.start();
    futon::client client{to(server.addresses())};
    for (int round = 0; round < 2; ++round) {
        const auto why = error_of(client.stub<Greeter>().greet("x"));
        CHECK(why == futon::errc::no_such_method);
        CHECK(why.ran() == futon::executed::no);
        CHECK(why.message() ==
              "there is no service 'Greeter' here; offered: 'Greeter:2.0', 'com.example.Farewell:1.0:blue'");
    }
    // The connection stays, for those who ask for what there is.
    CHECK(client.stub<Greeter>({.version = "2.0"}).greet("x").get() == "hello x");
    CHECK(client.stats().connects == 1);
}

TEST_CASE("server: a server without services says that it offers nothing") {
    futon::server server{quiet_server()};
    server.start();
    futon::client client{to(server.addresses())};
    CHECK(error_of(client.stub<Greeter>().greet("x")).message() ==
          "there is no service 'Greeter' here; offered: nothing");
}

TEST_CASE("server: names that are taken, late or unknown are refused where they are given") {
    const auto refused = [](auto&& provide) -> std::optional<futon::error> {
        try {
            provide();
        } catch (const futon::rpc_error& e) {
            return e.detail();
        }
        return std::nullopt;
    };
    futon::server server{quiet_server()};
    server.provide<Greeter>(greeter{});
    const auto twice = refused([&] { server.provide<Greeter>(greeter{}); });
    REQUIRE(twice);
    CHECK(*twice == futon::errc::already_satisfied);
    CHECK(twice->message().find("'Greeter'") != std::string::npos);

    const auto unknown = refused([&] {
        server.provide<Greeter>(greeter{}, {.version = "3", .methods = {{"great", futon::run_on::io}}});
    });
    REQUIRE(unknown);
    CHECK(*unknown == futon::errc::bad_arguments);
    CHECK(unknown->message().find("'Greeter:3' has no method 'great'") != std::string::npos);

    server.start();
    const auto late = refused([&] { server.provide<Farewell>(farewell{}); });
    REQUIRE(late);
    CHECK(*late == futon::errc::already_satisfied);
    const auto again = refused([&] { server.start(); });
    REQUIRE(again);
    CHECK(*again == futon::errc::already_satisfied);

    // What was refused left nothing behind.
    futon::client client{to(server.addresses())};
    CHECK(client.stub<Greeter>().greet("x").get() == "hello x");
    CHECK(error_of(client.stub<Greeter>({.version = "3"}).greet("x")).message().find("offered: 'Greeter'") !=
          std::string::npos);
}

}  // namespace

// Two ages of one service, as two programs would compile them.
namespace {
namespace old_age {
struct Person {
    std::string name;
    std::int16_t age = 0;
};
struct People {
    Person older(Person who, std::int16_t years);
    std::vector<Person> twins(Person who);
    std::int8_t narrow(std::int64_t n);
    std::string changed(std::string s);
};
FUTON_SERVICE(People, older, twins, narrow, changed)
struct people {
    Person older(Person who, std::int16_t years) {
        who.age = static_cast<std::int16_t>(who.age + years);
        return who;
    }
    std::vector<Person> twins(Person who) { return {who, who}; }
    std::int8_t narrow(std::int64_t n) { return static_cast<std::int8_t>(n); }
    std::string changed(std::string s) { return s; }
};
}  // namespace old_age

namespace new_age {
struct Person {
    std::string name;
    std::int64_t age = 0;
    std::string email = "none";
    std::optional<int> score{};
};
struct People {
    Person older(Person who, std::int64_t years);
    std::vector<Person> twins(Person who);
    std::int64_t narrow(std::int64_t n);
    std::string changed(std::string s, int times);
    std::string added();
};
FUTON_SERVICE(People, older, twins, narrow, changed, added)
struct people {
    Person older(Person who, std::int64_t years) {
        who.age += years;
        who.email += "!";
        return who;
    }
    std::vector<Person> twins(Person who) { return {who, who}; }
    std::int64_t narrow(std::int64_t n) { return n; }
    std::string changed(std::string s, int) { return s; }
    std::string added() { return "added"; }
};
}  // namespace new_age

TEST_CASE("service: a newer client calls an older server: wider integers and trailing fields fit") {
    served<old_age::People> at{old_age::people{}};
    auto people = at.client->stub<new_age::People>();
    const auto tom = people.older({"tom", 41, "tom@example.com", 7}, 1).get();
    CHECK(tom.name == "tom");
    CHECK(tom.age == 42);
    CHECK(tom.email == "none");  // The older side never saw it.
    CHECK(tom.score == std::nullopt);
    const auto both = people.twins({"ann", 1}).get();
    REQUIRE(both.size() == 2);
    CHECK(both[1].name == "ann");
    CHECK(people.narrow(-3).get() == -3);
}

TEST_CASE("service: an older client calls a newer server: the fields that it lacks have their defaults there") {
    served<new_age::People> at{new_age::people{}};
    auto people = at.client->stub<old_age::People>();
    const auto tom = people.older({"tom", 41}, 1).get();
    CHECK(tom.name == "tom");
    CHECK(tom.age == 42);
    CHECK(people.twins({"ann", 1}).get().size() == 2);
}

TEST_CASE("service: a value that the narrower side cannot hold fails its own call alone") {
    served<old_age::People> older{old_age::people{}};
    const auto argument = error_of(older.client->stub<new_age::People>().older({"tom", 100'000}, 1));
    CHECK(argument == futon::errc::bad_arguments);
    CHECK(argument.ran() == futon::executed::no);
    CHECK(argument.message() == "argument 1: 100000 is out of range for i16 at [1]");

    served<new_age::People> newer{new_age::people{}};
    auto people = newer.client->stub<old_age::People>();
    const auto reply = error_of(people.narrow(1000));
    CHECK(reply == futon::errc::bad_reply);
    CHECK(reply.ran() == futon::executed::yes);
    CHECK(reply.where() == "People.narrow at " + newer.server.addresses()[0].text());
    CHECK(newer.client->stats().failed == 1);
    CHECK(newer.client->stats().succeeded == 0);
    CHECK(people.narrow(100).get() == 100);
    CHECK(newer.client->stats().connects == 1);
}

TEST_CASE("service: a method that an older server lacks is no_such_method and lists those that it has") {
    served<old_age::People> at{old_age::people{}};
    const auto why = error_of(at.client->stub<new_age::People>().added());
    CHECK(why == futon::errc::no_such_method);
    CHECK(why.ran() == futon::executed::no);
    CHECK(why.message() == "the service 'People' has no method 'added'; it has: older, twins, narrow, changed");
}

TEST_CASE("service: a method whose shape changed is version_mismatch with both signatures, and only that one") {
    served<old_age::People> at{old_age::people{}};
    auto people = at.client->stub<new_age::People>();
    const auto why = error_of(people.changed("x", 1));
    CHECK(why == futon::errc::version_mismatch);
    CHECK(why.ran() == futon::executed::no);
    CHECK(why.message() == "People.changed does not fit in the number of parameters, 2 and 1: the caller has (str,i32)->str, the "
                           "server has (str)->str");
    CHECK(people.narrow(5).get() == 5);
    CHECK(at.client->stats().connects == 1);
}

}  // namespace
