// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::future;
using futon::with_context;
using futon_tests::quiet_server;
using futon_tests::to;

namespace {

const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Last {
    std::string seen();
    std::int64_t left();
};
FUTON_SERVICE(Last, seen, left)

struct Middle {
    std::string by_stage(std::string mark);
    std::string by_task(std::string mark);
    std::string by_awaitable(std::string mark);
    std::string by_value(std::string mark);
    bool detached_left();
};
FUTON_SERVICE(Middle, by_stage, by_task, by_awaitable, by_value, detached_left)

std::string shown(const futon::context* here) {
    if (!here) return "nothing";
    return std::string{here->trace_parent()} + "|" + std::string{here->baggage("user").value_or("-")} + "|" +
           std::string{here->baggage("hop").value_or("-")};
}
std::string seen_here() { return shown(futon::current_context().get()); }

struct last {
    std::string seen(futon::call_context& from) { return shown(&from); }
    std::int64_t left(futon::call_context& from) { return from.deadline() == futon::no_deadline ? -1 : 1; }
};

// Each sees the context before and after it waited for something else, and then what its own call brought to the last.
struct middle {
    futon::stub<Last> next;

    future<std::string> by_stage(std::string mark) {
        return next.left().then([next = next, mark](std::int64_t) {
            const auto here = seen_here();
            return with_context({.baggage = {{"hop", mark}}}, [&] { return next.seen(); })
                .then([here](std::string there) { return here + " " + there + " " + seen_here(); });
        });
    }
    futon::task<std::string> by_task(std::string mark) {
        co_await next.left();
        const auto here = seen_here();
        auto call = with_context({.baggage = {{"hop", mark}}}, [&] { return next.seen(); });
        const auto there = co_await std::move(call);
        co_return here + " " + there + " " + seen_here();
    }
    asio::awaitable<std::string> by_awaitable(std::string mark) {
        co_await next.left(futon::use_awaitable);
        const auto here = seen_here();
        auto call = with_context({.baggage = {{"hop", mark}}}, [&] { return next.seen(); });
        const auto there = co_await std::move(call)(futon::use_awaitable);
        co_return here + " " + there + " " + seen_here();
    }
    std::string by_value(std::string mark) {
        const auto here = seen_here();
        const auto there = with_context({.baggage = {{"hop", mark}}}, [&] { return next.seen().get(); });
        return here + " " + there + " " + seen_here();
    }
    // What is begun apart from the request has only the call's own deadline.
    future<bool> detached_left() {
        auto apart = futon::detached([&] { return next.with({.timeout = futon::duration::max()}).left(); });
        auto within = next.with({.timeout = futon::duration::max()}).left();
        return futon::when_all(std::move(apart), std::move(within))
            .then([](std::tuple<std::int64_t, std::int64_t> both) {
                return std::get<0>(both) == -1 && std::get<1>(both) == 1;
            });
    }
};

struct three_hops {
    three_hops() {
        far.provide<Last>(last{});
        far.start();
        to_far.emplace(to(far.addresses()));
        near.provide<Middle>(middle{to_far->stub<Last>()});
        near.start();
        client.emplace(to(near.addresses()));
        stub = client->stub<Middle>();
    }
    futon::server far{quiet_server()};
    std::optional<futon::client> to_far;
    futon::server near{quiet_server()};
    std::optional<futon::client> client;
    futon::stub<Middle> stub;
};

using method = future<std::string> (*)(const futon::stub<Middle>&, std::string);
const method all_kinds[] = {
    [](const futon::stub<Middle>& to, std::string mark) { return to.by_stage(std::move(mark)); },
    [](const futon::stub<Middle>& to, std::string mark) { return to.by_task(std::move(mark)); },
    [](const futon::stub<Middle>& to, std::string mark) { return to.by_awaitable(std::move(mark)); },
    [](const futon::stub<Middle>& to, std::string mark) { return to.by_value(std::move(mark)); }};

TEST_CASE("context: the trace and the baggage follow a request through every kind of handler, and over the wire") {
    three_hops at;
    for (const auto call : all_kinds) {
        const auto got = with_context({.trace_parent = parent, .baggage = {{"user", "ann"}}}, [&] {
                             return call(at.stub, "2");
                         }).get();
        CHECK(got == parent + "|ann|- " + parent + "|ann|2 " + parent + "|ann|-");
        CHECK(call(at.stub, "x").get() == "|-|- |-|x |-|-");
    }
    CHECK_FALSE(futon::current_context());
}

TEST_CASE("context: requests that are worked on at once never see each other's") {
    three_hops at;
    std::vector<std::pair<std::string, future<std::string>>> calls;
    for (int i = 0; i < 400; ++i) {
        const auto user = "u" + std::to_string(i);
        auto call = with_context({.baggage = {{"user", user}}}, [&] { return all_kinds[i % 3](at.stub, "h" + user); });
        calls.emplace_back("|" + user + "|- |" + user + "|h" + user + " |" + user + "|-", std::move(call));
    }
    for (auto& [expected, call] : calls) CHECK(std::move(call).get() == expected);
}

TEST_CASE("context: what a handler begins detached has not the request's deadline") {
    three_hops at;
    CHECK(at.stub.detached_left().get());
}

struct Kept {
    void keep();
};
FUTON_SERVICE(Kept, keep)

TEST_CASE("context: the one of a call that was answered at once may outlive the call, its connection and its server") {
    futon::context_ptr kept;
    {
        struct keeper {
            void keep() { *into = futon::current_context(); }
            futon::context_ptr* into;
        };
        futon::server server{quiet_server()};
        server.provide<Kept>(keeper{&kept}, {.run_on = futon::run_on::io});
        server.start();
        futon::client client{to(server.addresses())};
        with_context({.trace_parent = parent, .baggage = {{"user", "ann"}}}, [&] {
            return client.stub<Kept>().keep();
        }).get();
    }
    REQUIRE(kept);
    CHECK(shown(kept.get()) == parent + "|ann|-");
    CHECK_FALSE(kept->stop_requested());
    CHECK_FALSE(kept->stop_token().stop_requested());
    kept->request_stop();
    CHECK(kept->stop_token().stop_requested());
}

TEST_CASE("context: a context of its own bounds the calls made under it") {
    three_hops at;
    auto late = with_context({.timeout = 0s}, [&] { return at.stub.by_stage("x"); });
    CHECK(std::move(late).get_result().error() == futon::errc::deadline_exceeded);
}

}  // namespace
