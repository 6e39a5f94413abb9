// SPDX-License-Identifier: Apache-2.0
// A server that stops: what it has is answered, what comes goes elsewhere, and nothing is lost on the way.

#include "integration/support/child_process.hpp"
#include "integration/support/served.hpp"

#include <futon/cluster/round_robin.hpp>
#include <futon/registry/memory_registry.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/wait.h>

using namespace futon_tests;

namespace {

TEST_CASE("server: stop() lets calls in flight finish, and clients move on to another server") {
    echo_server leaving{quiet_server()};
    echo_server staying{quiet_server()};
    auto calling = to({std::vector{leaving.server.addresses()[0], staying.server.addresses()[0]}});
    calling.balancer = futon::round_robin{};
    futon::client client{calling};
    const auto stub = client.stub<Echo>();
    CHECK(soon([&] {
        stub.echo(1).get();
        return client.stats().connections == 2;
    }));
    std::vector<futon::future<std::int64_t>> held;
    for (int i = 0; i < 10; ++i) held.push_back(stub.hold(i));
    REQUIRE(leaving.service->arrived.reaches(5));
    REQUIRE(staying.service->arrived.reaches(5));

    auto stopped = leaving.server.stop();
    const auto before = staying.server.stats().calls;
    for (int i = 0; i < 100; ++i) CHECK(stub.text("x").get() == "x");
    CHECK(staying.server.stats().calls == before + 100);
    CHECK_FALSE(stopped.is_ready());

    leaving.service->release();
    std::move(stopped).get();
    CHECK(leaving.server.stats().connections == 0);
    CHECK(leaving.server.stats().in_flight == 0);
    staying.service->release();
    for (int i = 0; i < 10; ++i) CHECK(std::move(held[static_cast<std::size_t>(i)]).get() == i);
    CHECK(client.stats().failed == 0);
}

TEST_CASE(
    "server: stopped in the middle of thousands of calls, none fails while another server is there, none runs twice") {
    struct counting : echo_service {
        std::string text(std::string s) {
            seen.add();
            const std::lock_guard lock{mutex};
            twice = twice || !all.insert(s).second;
            return s;
        }
        tally seen;
        std::mutex mutex;
        std::set<std::string> all;
        bool twice = false;
    };
    for (int round = 0; round < 10; ++round) {
        counting service;
        std::vector<std::unique_ptr<futon::server>> servers;
        std::vector<futon::endpoint> addresses;
        for (int i = 0; i < 2; ++i) {
            servers.push_back(std::make_unique<futon::server>(quiet_server()));
            servers.back()->provide<Echo>(std::ref(service), {.run_on = futon::run_on::io});
            servers.back()->start();
            addresses.push_back(servers.back()->addresses()[0]);
        }
        futon::client client{to(addresses)};
        const auto stub = client.stub<Echo>();
        std::vector<futon::future<std::string>> calls;
        for (int i = 0; i < 5000; ++i) calls.push_back(stub.text(std::to_string(i)));
        REQUIRE(service.seen.reaches(static_cast<std::size_t>(round) * 400));
        auto stopped = servers[0]->stop();
        for (int i = 0; i < 5000; ++i) {
            auto got = std::move(calls[static_cast<std::size_t>(i)]).get_result();
            CHECK_MESSAGE(got.has_value(), got.error().describe());
        }
        std::move(stopped).get();
        CHECK_FALSE(service.twice);
        CHECK(service.all.size() == 5000);
        servers.clear();
    }
}

TEST_CASE("server: alone, a stopped one refuses later calls as not executed") {
    echo_server at{quiet_server()};
    auto options = to(at.address());
    options.retry.max_attempts = 1;
    futon::client client{options};
    const auto stub = client.stub<Echo>();
    auto held = stub.hold(1);
    REQUIRE(at.service->arrived.reaches(1));
    auto stopped = at.server.stop();
    CHECK(soon([&] { return client.stats().connections == 0; }));
    const auto why = error_of(stub.echo(1));
    CHECK(why.is(futon::cond::unavailable));
    CHECK(why.ran() == futon::executed::no);
    at.service->release();
    CHECK(std::move(held).get() == 1);
    std::move(stopped).get();
}

TEST_CASE("server: with no time to stop, or when it is over, calls in flight are cut") {
    for (const auto drain : {futon::duration{0}, futon::duration{30ms}}) {
        echo_server at{quiet_server()};
        futon::client client{to(at.address())};
        auto held = client.stub<Echo>().hold(1);
        REQUIRE(at.service->arrived.reaches(1));
        at.server.stop(drain).get();
        const auto why = error_of(std::move(held));
        CHECK(why.is(futon::cond::unavailable));
        CHECK(why.ran() == futon::executed::maybe);
        CHECK(at.service->stopped() == 1);
    }
}

TEST_CASE("server: stop() may be repeated, shortened, ignored, and called before start") {
    {
        echo_server at{quiet_server()};
        futon::client client{to(at.address())};
        auto held = client.stub<Echo>().hold(1);
        REQUIRE(at.service->arrived.reaches(1));
        auto first = at.server.stop(1h);
        auto second = at.server.stop(1h);
        static_cast<void>(at.server.stop(futon::duration{0}));
        std::move(first).get();
        std::move(second).get();
        CHECK_FALSE(std::move(held).get_result().has_value());
        at.server.stop().get();
    }
    futon::server idle{quiet_server()};
    idle.provide<Echo>(std::make_shared<echo_service>());
    idle.stop().get();
}

TEST_CASE("server: started after stop() it says that it has been stopped and what to do, and run() returns") {
    const auto refused = [](futon::server& which) -> std::string {
        try {
            which.start();
        } catch (const futon::rpc_error& e) {
            CHECK(e.detail() == futon::errc::already_satisfied);
            return e.detail().message();
        }
        return "nothing";
    };
    const auto registry = futon::memory_registry{};
    auto options = quiet_server();
    options.registry = registry;
    futon::server never{options};
    never.provide<Echo>(std::make_shared<echo_service>());
    never.stop().get();
    CHECK(refused(never).find("has been stopped, for good: make a new one") != std::string::npos);
    never.run();
    CHECK(never.addresses().empty());

    echo_server at{quiet_server()};
    CHECK(refused(at.server).find("was started before") != std::string::npos);
    futon::client client{to(at.address())};
    auto held = client.stub<Echo>().hold(1);
    REQUIRE(at.service->arrived.reaches(1));
    auto stopped = at.server.stop(1h);
    CHECK(refused(at.server).find("has been stopped, for good: make a new one") != std::string::npos);
    at.service->release();
    std::move(stopped).get();
    CHECK(std::move(held).get() == 1);
    CHECK(refused(at.server).find("has been stopped, for good: make a new one") != std::string::npos);
    at.server.run();
}

TEST_CASE("server: its address is free as soon as it has stopped, for as many as it had") {
    const temporary_path path;
    auto options = quiet_server();
    options.listen = futon::endpoints{std::vector<std::string>{"tcp://127.0.0.1:0", "unix://" + path.text()}};
    std::vector<futon::endpoint> bound;
    for (int i = 0; i < 5; ++i) {
        echo_server at{options};
        bound = at.server.addresses();
        REQUIRE(bound.size() == 2);
        CHECK(at.server.port() == bound[0].port);
        for (const auto& each : bound) {
            futon::client client{to(each)};
            CHECK(client.stub<Echo>().echo(i).get() == i);
        }
        options.listen = bound;
        at.server.stop().get();
        echo_server next{options};
        CHECK(next.server.addresses() == bound);
    }
}

// What the child does with signals is what `run()` is for.
struct progress {
    std::atomic<int> up;
    std::atomic<int> ended;
};

struct slow_to_answer : echo_service {
    std::int64_t hold(futon::call_context& context, std::int64_t n) {
        arrived.add();
        // Until the last signal.
        static_cast<void>(soon([&] { return context.stop_requested(); }));
        return n;
    }
};

TEST_CASE("child: a server in the foreground" * doctest::skip()) {
    const auto address = told("FUTON_TEST_ADDRESS");
    if (address.empty()) return;
    shared_memory<progress> shared{told("FUTON_TEST_RECORD")};
    auto options = quiet_server();
    options.listen = address;
    options.stop_on_signals = told("FUTON_TEST_SIGNALS") != "off";
    if (!options.stop_on_signals) std::signal(SIGTERM, SIG_DFL);  // Not the test framework's.
    options.drain_time = 1h;
    futon::server server{options};
    auto service = std::make_shared<slow_to_answer>();
    server.provide<Echo>(service);
    server.start();
    shared->up = 1;
    server.run();
    shared->ended = 1;
}

struct foreground {
    explicit foreground(const std::string& signals = "on") {
        process.emplace(
            "child: a server in the foreground",
            std::vector<std::string>{"FUTON_TEST_ADDRESS=unix://" + path.text(), "FUTON_TEST_RECORD=" + shared.path(),
                                     "FUTON_TEST_SIGNALS=" + signals});
        up = soon([&] { return shared->up.load() == 1; });
        client.emplace(to("unix://" + path.text()));
        CHECK(client->stub<Echo>().echo(1).get() == 1);
    }
    temporary_path path;
    shared_memory<progress> shared;
    std::optional<child_process> process;
    std::optional<futon::client> client;
    bool up = false;
};

TEST_CASE("server: run() returns on SIGTERM and on SIGINT, when nothing is in flight") {
    for (const int signal : {SIGTERM, SIGINT}) {
        foreground child;
        REQUIRE(child.up);
        child.process->kill(signal);
        const int status = child.process->wait();
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        CHECK(child.shared->ended == 1);
    }
}

TEST_CASE("server: the first signal drains, the second ends at once") {
    foreground child;
    REQUIRE(child.up);
    auto held = child.client->stub<Echo>().hold(1);
    CHECK(child.client->stub<Echo>().text("x").get() == "x");
    child.process->kill(SIGTERM);
    // The goodbye shows that the first was seen; the call in flight goes on.
    CHECK(soon([&] { return child.client->stats().connections == 0; }));
    CHECK_FALSE(held.is_ready());
    child.process->kill(SIGTERM);
    const int status = child.process->wait();
    CHECK(WIFEXITED(status));
    CHECK(child.shared->ended == 1);
    CHECK(error_of(std::move(held)).is(futon::cond::unavailable));
}

TEST_CASE("server: with stop_on_signals off, a signal does what it does by default") {
    foreground child{"off"};
    REQUIRE(child.up);
    child.process->kill(SIGTERM);
    const int status = child.process->wait();
    CHECK(WIFSIGNALED(status));
    CHECK(child.shared->ended == 0);
}

}  // namespace
