// SPDX-License-Identifier: Apache-2.0
// Clients and servers on threads that are not theirs: shared runtimes, and an io_context that the user runs.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

// Runs a context on some threads until it has nothing to do.
class running {
public:
    running(asio::io_context& context, std::size_t threads) : busy_{asio::make_work_guard(context)} {
        for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([&context] { context.run(); });
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { finish(); }
    /// Returns when the context has run dry.
    void finish() {
        busy_.reset();
        for (auto& each : threads_)
            if (each.joinable()) each.join();
    }

private:
    asio::executor_work_guard<asio::io_context::executor_type> busy_;
    std::vector<std::thread> threads_;
};

futon::runtime on(asio::io_context& context) {
    futon::runtime_options options;
    options.log = [](const futon::log_record&) {};
    return futon::runtime{context, options};
}

TEST_CASE("runtime: a lent io_context, run by one thread and by four, carries a client and a server") {
    for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
        CAPTURE(threads);
        asio::io_context context;
        running pool{context, threads};
        auto serving = quiet_server();
        serving.runtime = on(context);
        auto calling = to({});
        calling.runtime = serving.runtime;
        calling.connections_per_endpoint = 3;
        auto service = std::make_shared<echo_service>();
        {
            echo_server at{serving};
            calling.endpoints = at.address();
            futon::client client{calling};
            std::vector<std::thread> callers;
            std::atomic<std::size_t> right{0};
            for (int t = 0; t < 3; ++t) {
                callers.emplace_back([&, stub = client.stub<Echo>()] {
                    std::vector<futon::future<std::int64_t>> calls;
                    for (int i = 0; i < 1000; ++i) calls.push_back(stub.echo(i));
                    for (int i = 0; i < 1000; ++i)
                        right += std::move(calls[static_cast<std::size_t>(i)]).get() == i ? 1u : 0u;
                });
            }
            for (auto& each : callers) each.join();
            CHECK(right == 3000);
            auto held = client.stub<Echo>().hold(1);
            REQUIRE(at.service->arrived.reaches(1));
            client.close();
            CHECK(error_of(std::move(held)) == futon::errc::client_closed);
            CHECK(soon([&] { return at.service->stopped() == 1; }));
            at.server.stop().get();
        }
        serving.runtime.reset();
        calling.runtime.reset();
        // Nothing of futon's keeps it busy any more.
        pool.finish();
    }
}

TEST_CASE("runtime: on a lent io_context, client and server may be destroyed at any time, in any order") {
    for (int round = 0; round < 20; ++round) {
        asio::io_context context;
        running pool{context, 4};
        auto serving = quiet_server();
        serving.runtime = on(context);
        auto at = std::make_unique<echo_server>(serving);
        auto calling = to(at->address());
        calling.runtime = serving.runtime;
        auto client = std::make_unique<futon::client>(calling);
        const auto stub = client->stub<Echo>();
        std::vector<futon::future<std::int64_t>> calls;
        for (int i = 0; i < 300; ++i) calls.push_back(i % 3 == 0 ? stub.hold(i) : stub.echo(i));
        if (round % 2 == 0) {
            client.reset();
            at.reset();
        } else {
            at.reset();
            client.reset();
        }
        for (auto& each : calls) {
            each.wait();
            static_cast<void>(std::move(each).get_result());
        }
        pool.finish();
    }
}

TEST_CASE("runtime: run() on a lent io_context is refused, since it would block the thread that should run it") {
    asio::io_context context;
    auto serving = quiet_server();
    serving.runtime = on(context);
    futon::server server{serving};
    server.provide<Echo>(std::make_shared<echo_service>());
    try {
        server.run();
        FAIL("it ran");
    } catch (const futon::rpc_error& e) {
        CHECK(e.detail() == futon::errc::would_deadlock);
    }
}

TEST_CASE("runtime: get() on a thread of a lent io_context is refused at once") {
    asio::io_context context;
    running pool{context, 1};
    echo_server at{quiet_server()};
    auto calling = to(at.address());
    calling.runtime = on(context);
    futon::client client{calling};
    const auto stub = client.stub<Echo>();
    std::promise<futon::error> refused;
    asio::post(context, [&] { refused.set_value(error_of(stub.echo(1))); });
    CHECK(refused.get_future().get() == futon::errc::would_deadlock);
}

TEST_CASE("runtime: a lent io_context that never runs, and is destroyed, leaves nothing behind") {
    for (const bool serves_too : {false, true}) {
        asio::io_context context;
        std::size_t called = 0;
        const auto token = std::make_shared<int>();
        std::vector<futon::future<std::int64_t>> calls;
        {
            const auto shared = on(context);
            std::optional<echo_server> at;
            auto calling = to("tcp://127.0.0.1:1");
            calling.runtime = shared;
            if (serves_too) {
                auto serving = quiet_server();
                serving.runtime = shared;
                at.emplace(serving);
                calling.endpoints = at->address();
            }
            futon::client client{calling};
            const auto stub = client.stub<Echo>();
            for (int i = 0; i < 10; ++i) calls.push_back(stub.echo(i));
            for (int i = 0; i < 10; ++i) stub.echo(i, [&, token](const futon::result<std::int64_t>&) { ++called; });
            auto ready = client.wait_ready(ceiling);
        }
        for (auto& each : calls) {
            REQUIRE(each.is_ready());
            CHECK(error_of(std::move(each)) == futon::errc::client_closed);
        }
        CHECK(called == 0);
    }
}

TEST_CASE("runtime: a lent io_context that stops in the middle, and is destroyed, leaves nothing behind") {
    for (int round = 0; round < 20; ++round) {
        const auto token = std::make_shared<int>();
        {
            asio::io_context context;
            echo_server at{quiet_server()};
            auto serving = quiet_server();
            serving.runtime = on(context);
            echo_server stopped{serving};
            auto calling = to({std::vector{at.server.addresses()[0], stopped.server.addresses()[0]}});
            calling.runtime = serving.runtime;
            futon::client client{calling};
            const auto stub = client.stub<Echo>();
            std::thread runs{[&] { context.run(); }};
            for (int i = 0; i < 200; ++i) stub.hold(i, [token](const futon::result<std::int64_t>&) {});
            // At either of them: the first that is connected may get all.
            REQUIRE(soon([&] {
                return at.service->arrived.count() + stopped.service->arrived.count() >=
                       static_cast<std::size_t>(round);
            }));
            context.stop();
            runs.join();
        }
        CHECK(token.use_count() == 1);
    }
}

// Calls that a server has, of a client on `context`, which nobody runs by itself.
struct left_behind {
    explicit left_behind(asio::io_context& context) {
        auto calling = to(at.address());
        calling.runtime = on(context);
        client.emplace(calling);
        const auto stub = client->stub<Echo>();
        const auto count = [this, stub](const futon::result<std::int64_t>& how) {
            if (!how && how.error() == futon::errc::client_closed) ++called;
            stub.echo(0, [this](const futon::result<std::int64_t>& then) {
                if (!then && then.error() == futon::errc::client_closed) ++called_after;
            });
        };
        for (int i = 0; i < calls; ++i) {
            stub.hold(i, count);
            plain.push_back(stub.hold(i));
            chained.push_back(stub.hold(i).then([](std::int64_t x) { return x; }).recover([](const futon::error& why) {
                return why == futon::errc::client_closed ? std::int64_t{-1} : std::int64_t{-2};
            }));
        }
        REQUIRE(soon([&] {
            context.restart();
            context.poll();
            return at.service->arrived.count() == 3 * calls;
        }));
    }

    static constexpr int calls = 10;
    echo_server at{quiet_server()};
    std::optional<futon::client> client;
    std::vector<futon::future<std::int64_t>> plain;
    std::vector<futon::future<std::int64_t>> chained;
    int called = 0;
    int called_after = 0;  // For calls that those made.
};

TEST_CASE("runtime: what a client leaves behind on a lent io_context ends when that runs, and all of it before it is dry") {
    asio::io_context context;
    left_behind made{context};
    made.client.reset();
    CHECK(made.called == 0);
    context.restart();
    context.run();
    CHECK(made.called == made.calls);
    CHECK(made.called_after == made.calls);
    for (auto& each : made.plain) {
        REQUIRE(each.is_ready());
        CHECK(error_of(std::move(each)) == futon::errc::client_closed);
    }
    for (auto& each : made.chained) {
        REQUIRE(each.is_ready());
        CHECK(std::move(each).get() == -1);
    }
}

TEST_CASE("runtime: where a lent io_context is destroyed instead, what a client left behind is destroyed uncalled") {
    int called = 0;
    const auto token = std::make_shared<int>();
    {
        asio::io_context context;
        left_behind made{context};
        for (int i = 0; i < 10; ++i)
            made.client->stub<Echo>().hold(i, [&, token](const futon::result<std::int64_t>&) { ++called; });
        made.client.reset();
        CHECK(made.called == 0);
        for (const auto& each : made.plain) CHECK_FALSE(each.is_ready());
    }
    CHECK(called == 0);
    CHECK(token.use_count() == 1);
}

TEST_CASE("runtime: one, shared by clients and servers, ends with the last of them") {
    for (int round = 0; round < 10; ++round) {
        std::optional<futon::runtime> shared{std::in_place};
        auto serving = quiet_server();
        serving.runtime = shared;
        auto at = std::make_unique<echo_server>(serving);
        serving.runtime.reset();
        auto calling = to(at->address());
        calling.runtime = shared;
        auto one = std::make_unique<futon::client>(calling);
        auto two = std::make_unique<futon::client>(calling);
        calling.runtime.reset();
        shared.reset();
        CHECK(one->stub<Echo>().echo(1).get() == 1);
        one.reset();
        CHECK(two->stub<Echo>().echo(2).get() == 2);
        auto held = two->stub<Echo>().hold(3);
        REQUIRE(at->service->arrived.reaches(1));
        if (round % 2 == 0) {
            at.reset();
            CHECK(error_of(std::move(held)).is(futon::cond::unavailable));
            two.reset();
        } else {
            two.reset();
            CHECK(error_of(std::move(held)) == futon::errc::client_closed);
            at.reset();
        }
    }
}

}  // namespace
