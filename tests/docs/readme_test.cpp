// SPDX-License-Identifier: Apache-2.0
// The code of README.md and README.zh.md.
#include <futon/futon.hpp>
#include <futon/testing/simulation.hpp>

#include "../examples/greeter.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// What the code under test printed, from whatever thread.
struct printed_lines {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;

    void add(std::string line) {
        const std::lock_guard lock{mutex};
        lines.push_back(std::move(line));
        changed.notify_all();
    }
    bool wait_for(const std::string& line) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, 60s, [&] { return std::find(lines.begin(), lines.end(), line) != lines.end(); });
    }
} printed;

void print(const std::string& line) { printed.add(line); }
void print(const Person& who) { print(who.name + " " + std::to_string(who.age)); }
template <class T>
void print(const futon::result<T>& got) {
    if (got) {
        print(*got);
    } else {
        print(got.error().describe());
    }
}

struct greeter_impl {
    std::string greet(std::string name) { return "hello " + name; }
    Person older(Person who, int years) { return {who.name, who.age + years}; }
    void log(std::string line) { print(line); }
};

// [handlers]
struct relay {
    futon::stub<Greeter> next;  // calls another server

    futon::future<std::string> greet(std::string name) {  // a chain of futures...
        return next.greet(name).then([](std::string text) { return text + "!"; });
    }
    futon::task<Person> older(Person who, int years) {  // ...or a coroutine
        co_return co_await next.older(who, years);
    }
    void log(futon::call_context& call, std::string line) {  // what is known about the call
        print(std::string{call.method()} + ": " + line);
    }
};
// [/handlers]

// [coroutines]
futon::task<void> in_a_task(futon::stub<Greeter> greeter) {  // run by spawn, sync_wait, or as a handler
    std::string t = co_await greeter.with(50ms).greet("zoe");
    print(t);
    Person tom{"tom", 1};
    Person o = co_await greeter.older(tom, 2);  // name structs and capturing lambdas first, see below
    print(o);
}

asio::awaitable<void> in_asio(futon::stub<Greeter> greeter) {  // on your own io_context
    std::string u = co_await greeter.greet("zoe", futon::use_awaitable);                // the value, or throws
    futon::result<std::string> w = co_await greeter.greet("zoe", asio::use_awaitable);  // any Asio completion token
    print(u);
    print(w);
}
// [/coroutines]

futon::task<void> safe_shapes(futon::stub<Greeter> greeter, std::string s) {
    // [safe_shapes]
    const futon::call_options by_user{.timeout = 50ms, .hash_key = "user-7"};
    Person tom{"tom", 1};  // 1. names of their own
    Person a = co_await greeter.with(by_user).older(tom, 2);

    auto call = greeter.greet("x").then([s](std::string g) { return g + s; });  // 2. the whole call on a line before
    std::string b = co_await std::move(call);

    Person c = co_await [&] { return greeter.older({"tom", 1}, 2); }();  // 3. a lambda that captures by reference
    // [/safe_shapes]
    CHECK(a.age == 3);
    CHECK(b == "hello x?");
    CHECK(c.age == 3);
}

TEST_CASE("docs: the README's client calls in every way") {
    futon::server server;
    server.provide<Greeter>(greeter_impl{});
    server.start();
    futon::client client{server.addresses()};
    auto greeter = client.stub<Greeter>();

    // [calls]
    std::string s = greeter.greet("ann").get();                        // blocks: the value, or throws rpc_error
    futon::result<std::string> r = greeter.greet("ann").get_result();  // blocks, without exceptions

    greeter.greet("bob")                                                // chain; nested futures flatten
        .then([=](std::string g) { return greeter.greet(g); })
        .recover(futon::errc::deadline_exceeded, [](auto&) { return std::string{"late"}; })
        .on_complete([](futon::result<std::string> got) { print(got); });

    greeter.greet("eve", [](futon::result<std::string> got) { print(got); });  // callback: one typed argument

    futon::result<void> queued = greeter.log("line", futon::oneway);  // no reply: queued, or why not

    auto both = futon::when_all(greeter.greet("x"), greeter.older({"tom", 1}, 2));  // all, or the first error
    auto [hello, tom] = std::move(both).get();

    auto v = greeter.with({.timeout = 50ms, .hash_key = "user-7"}).greet("x");  // per-call options
    v.cancel();                                                                 // reaches the handler
    // [/calls]

    CHECK(s == "hello ann");
    CHECK(r == s);
    CHECK(queued);
    CHECK(hello == "hello x");
    CHECK(tom.age == 3);
    CHECK(printed.wait_for("hello hello bob"));
    CHECK(printed.wait_for("hello eve"));
    CHECK(printed.wait_for("line"));

    // In virtual time: there nothing takes the 50 ms that a busy machine may need.
    futon::testing::simulation world;
    futon::server simulated{{.listen = "memory://greeter", .runtime = world.runtime()}};
    simulated.provide<Greeter>(greeter_impl{});
    simulated.start();
    futon::client near{{.endpoints = "memory://greeter", .runtime = world.runtime()}};
    world.get(in_a_task(near.stub<Greeter>()));
    world.get(safe_shapes(near.stub<Greeter>(), "?"));
    CHECK(printed.wait_for("hello zoe"));
    CHECK(printed.wait_for("tom 3"));
    printed.lines.clear();
    asio::io_context io;
    auto ended = asio::co_spawn(io, in_asio(greeter), asio::use_future);
    io.run();
    ended.get();
    CHECK(printed.lines == std::vector<std::string>{"hello zoe", "hello zoe"});
}

TEST_CASE("docs: getting_started.md puts a server and a client into one process, and looks at errors") {
    // [in_process]
    futon::server server;  // 127.0.0.1, on a port that the system chooses
    server.provide<Greeter>(greeter_impl{});
    server.start();  // in the background; run() is for main()
    futon::client client{server.addresses()};
    auto greeter = client.stub<Greeter>();
    // [/in_process]
    printed.lines.clear();
    // [result]
    const futon::result<std::string> got = greeter.with({.timeout = 10s}).greet("ann").get_result();
    if (got) {
        print(*got);
    } else if (got.error() == futon::errc::deadline_exceeded) {
        print("took too long");
    } else {
        print(got.error().describe());  // e.g. "Greeter.greet: connect_failed: cannot connect to tcp://127.0.0.1:12200: ..."
    }
    // [/result]
    CHECK(printed.lines == std::vector<std::string>{"hello ann"});
}

TEST_CASE("docs: addresses and options are told apart") {
    const auto ports = [](const auto& server) { return server.addresses().size(); };
    // [addresses]
    futon::server one{"tcp://127.0.0.1:0"};
    futon::server two{{"tcp://127.0.0.1:0", "tcp://[::1]:0"}};
    futon::server with_options{{.listen = "tcp://127.0.0.1:0", .drain_time = 5s}};
    // [/addresses]
    one.start();
    with_options.start();
    CHECK(ports(one) == 1);
    CHECK(ports(two) == 0);
    CHECK(ports(with_options) == 1);
    // Each of these was ambiguous once with g++.
    futon::server listed{{.listen = {"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"}}};
    listed.start();
    CHECK(ports(listed) == 2);
    futon::client single{{.endpoints = "tcp://127.0.0.1:1"}};
    futon::client several{{.endpoints = {"tcp://127.0.0.1:1", "tcp://127.0.0.1:2"}}};
    futon::client copied{{.endpoints = listed.addresses()}};
    futon::server zero{{.drain_time = {}}};
    futon::client pair{{"tcp://127.0.0.1:1", "tcp://127.0.0.1:2"}};
}

TEST_CASE("docs: the README's handlers call another server") {
    futon::server server;
    server.provide<Greeter>(greeter_impl{});
    server.start();
    futon::client to_server{server.addresses()};
    futon::server front;
    front.provide<Greeter>(relay{to_server.stub<Greeter>()});
    front.start();
    futon::client client{front.addresses()};
    auto greeter = client.stub<Greeter>();
    CHECK(greeter.greet("ann").get() == "hello ann!");
    CHECK(greeter.older({"tom", 1}, 2).get().age == 3);
    greeter.log("line").get();
    CHECK(printed.wait_for("log: line"));
}

TEST_CASE("docs: the README's options make a service safe for an implementation without locks") {
    struct greeter_without_locks : greeter_impl {};
    futon::server server;
    // [one_at_a_time]
    server.provide<Greeter>(greeter_without_locks{}, {.serialised = true});
    // [/one_at_a_time]
    server.start();
    futon::client client{server.addresses()};
    CHECK(client.stub<Greeter>().greet("ann").get() == "hello ann");
}

}  // namespace
