// SPDX-License-Identifier: Apache-2.0
// The end of a server: handlers that run, answers that come too late, and who waits for whom.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

// Blocks its thread in `hold` until told to go on; `echo` awaits something that never comes.
class blocking_service {
public:
    futon::future<std::int64_t> echo(std::int64_t) {
        began.add();
        const std::lock_guard lock{mutex_};
        never_.emplace_back();
        return never_.back().get_future();
    }
    futon::task<std::string> text(std::string s) {
        began.add();
        auto waiting = echo(1);
        try {
            co_await std::move(waiting);
        } catch (const futon::rpc_error&) {
            gave_up.add();
            throw;
        }
        co_return s;
    }
    std::int64_t hold(futon::call_context& context, std::int64_t n) {
        began.add();
        if (soon([&] { return context.stop_requested(); })) gave_up.add();
        return n;
    }
    void note(std::int64_t) {}

    tally began;
    tally gave_up;

private:
    std::mutex mutex_;
    std::vector<futon::promise<std::int64_t>> never_;
};

TEST_CASE("server: destroyed while handlers run on its pool, it waits for them; their callers hear connection_lost") {
    auto service = std::make_shared<blocking_service>();
    std::vector<futon::future<std::int64_t>> calls;
    std::optional<futon::client> client;
    {
        futon::server server{quiet_server()};
        server.provide<Echo>(service);
        server.start();
        client.emplace(to(server.addresses()));
        for (int i = 0; i < 8; ++i) calls.push_back(client->stub<Echo>().hold(i));
        REQUIRE(service->began.reaches(8));
    }
    CHECK(service->gave_up.count() == 8);
    for (auto& each : calls) {
        auto got = std::move(each).get_result();
        REQUIRE(!got.has_value());
        CHECK(got.error() == futon::errc::connection_lost);
        CHECK(got.error().ran() == futon::executed::maybe);
    }
    CHECK(service.use_count() == 1);
}

TEST_CASE("server: destroyed while futures and coroutines are pending, they are cancelled and let go") {
    for (int round = 0; round < 10; ++round) {
        auto service = std::make_shared<blocking_service>();
        std::optional<futon::client> client;
        std::vector<futon::future<std::int64_t>> futures;
        std::vector<futon::future<std::string>> tasks;
        {
            futon::server server{quiet_server()};
            server.provide<Echo>(service);
            server.start();
            client.emplace(to(server.addresses()));
            auto stub = client->stub<Echo>();
            for (int i = 0; i < 20; ++i) {
                futures.push_back(stub.echo(i));
                tasks.push_back(stub.text("x"));
            }
            REQUIRE(service->began.reaches(60));
        }
        for (auto& each : tasks) CHECK(error_of(std::move(each)) == futon::errc::connection_lost);
        CHECK(service->gave_up.reaches(20));
        // `echo` is idempotent, so it was tried again where nobody listens.
        for (auto& each : futures) {
            const auto why = error_of(std::move(each));
            CHECK(why.is(futon::cond::unavailable));
            CHECK(why.ran() == futon::executed::maybe);
        }
        CHECK(soon([&] { return service.use_count() == 1; }));
    }
}

TEST_CASE("server: responders that outlive their server may still answer") {
    auto service = std::make_shared<echo_service>();
    std::optional<futon::client> client;
    futon::future<std::int64_t> call;
    {
        futon::server server{quiet_server()};
        server.provide<Echo>(service);
        server.start();
        client.emplace(to(server.addresses()));
        call = client->stub<Echo>().hold(1);
        REQUIRE(service->arrived.reaches(1));
    }
    CHECK(service->stopped() == 1);
    service->release();
    CHECK(error_of(std::move(call)) == futon::errc::connection_lost);
    CHECK(service.use_count() == 1);
}

// Destroys its server from inside a handler.
struct suicidal {
    std::shared_ptr<std::optional<futon::server>> own;
    std::int64_t echo(std::int64_t n) {
        own->reset();
        return n;
    }
    std::string text(std::string s) { return s; }
    void hold(futon::responder<std::int64_t> answer, std::int64_t n) {
        own->reset();
        answer(n);
    }
    void note(std::int64_t) {}
};

TEST_CASE("server: destroyed by a handler on its own I/O thread or pool, nothing hangs and the caller hears") {
    for (int round = 0; round < 20; ++round) {
        for (const bool on_pool : {true, false}) {
            CAPTURE(on_pool);
            auto own = std::make_shared<std::optional<futon::server>>(std::in_place, quiet_server());
            (*own)->provide<Echo>(suicidal{own});
            (*own)->start();
            futon::client client{to((*own)->addresses())};
            auto stub = client.stub<Echo>();
            auto kept = stub.text("still there").get();
            auto got = on_pool ? stub.with({.timeout = 5s}).echo(1).get_result() : stub.hold(1).get_result();
            if (!got) CHECK(got.error().is(futon::cond::unavailable));
            CHECK(soon([&] { return own.use_count() == 1 || own.use_count() == 2; }));
        }
    }
}

TEST_CASE("server: stop() from inside a handler lets that handler answer") {
    struct stopper : blocking_service {
        futon::server* server = nullptr;
        std::int64_t hold(std::int64_t n) {
            static_cast<void>(server->stop());
            return n;
        }
    };
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        stopper service;
        futon::server server{quiet_server()};
        service.server = &server;
        server.provide<Echo>(std::ref(service), {.run_on = place});
        server.start();
        futon::client client{to(server.addresses())};
        CHECK(client.stub<Echo>().hold(7).get() == 7);
        server.stop().get();
        CHECK(server.stats().connections == 0);
    }
}

TEST_CASE("server: get() inside a handler on an I/O thread is refused at once, on the pool it works") {
    struct nested : blocking_service {
        std::optional<futon::stub<Echo>> next;
        std::string text(std::string s) {
            auto got = next->text(s).get_result();
            return got ? *got : std::string{name(static_cast<futon::errc>(got.error().code().value()))};
        }
    };
    echo_server last{quiet_server()};
    auto shared = futon::runtime{};
    auto options = to(last.address());
    options.runtime = shared;
    futon::client onward{options};
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        nested service;
        service.next = onward.stub<Echo>();
        auto how = quiet_server();
        how.runtime = shared;
        futon::server server{how};
        server.provide<Echo>(std::ref(service), {.run_on = place});
        server.start();
        futon::client client{to(server.addresses())};
        CHECK(client.stub<Echo>().text("x").get() == (place == futon::run_on::io ? "would_deadlock" : "x"));
    }
}

TEST_CASE("server: one that was never started, and one that could not listen, end quietly") {
    {
        futon::server idle{quiet_server()};
        idle.provide<Echo>(std::make_shared<echo_service>());
    }
    echo_server at{quiet_server()};
    auto same = quiet_server();
    same.listen = at.address();
    futon::server second{same};
    try {
        second.start();
        FAIL("two servers on one address");
    } catch (const futon::rpc_error& e) {
        CHECK(e.detail() == futon::errc::listen_failed);
        CHECK(e.detail().message().find(at.address_text()) != std::string::npos);
    }
}

}  // namespace
