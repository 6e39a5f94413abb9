// SPDX-License-Identifier: Apache-2.0
// The code of docs/async.md: cancellation, deadlines, context.
#include "async_shop.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

using namespace async_docs;

namespace {

TEST_CASE("docs: a call is cancelled through its future, a stage, a handle, and by a deadline") {
    open_shop at;
    auto& shop = at.shop;
    int expected = 0;
    const auto is_stopped = [&] { return at.impl.stopped.reaches(++expected); };
    {
        auto call = shop.slow("x");
        REQUIRE(at.impl.begun.reaches(expected + 1));
        // [cancel]
        auto order = std::move(call)
            .then([=](std::string item) { return shop.price(item); })
            .then([](double price) { return 2 * price; });
        futon::cancel_handle handle = order.get_cancel_handle();  // for other threads, and for after order was moved on

        order.cancel();  // the call, or whatever the chain is at: here and on the server
        auto why = std::move(order).get_result().error();  // cancelled
        handle.cancel();                                   // too late: does nothing
        // [/cancel]
        CHECK(why == futon::errc::cancelled);
        CHECK(is_stopped());
    }
    {
        // [timeouts]
        auto short_call = shop.with({.timeout = 50ms}).slow("x");  // the deadline of the call: the server knows it
        auto short_wait = shop.slow("x").timeout(50ms);            // of a chain up to here: on expiry it is cancelled
        auto or_else = shop.slow("x").timeout(50ms, "nothing");    // and has a value instead
        // [/timeouts]
        CHECK(std::move(short_call).get_result().error() == futon::errc::deadline_exceeded);
        CHECK(std::move(short_wait).get_result().error().message() ==
              "not ready within .timeout(50 ms), waiting for Shop.slow");
        auto tea = shop.price("tea");
        tea.wait();
        auto both = futon::when_all(std::move(tea), shop.slow("x")).timeout(50ms);
        CHECK(std::move(both).get_result().error().message() ==
              "not ready within .timeout(50 ms), waiting for 1 of 2 inputs (#1 Shop.slow)");
        CHECK(std::move(or_else).get() == "nothing");
    }
}

// Three services in a row; each passes the call on to the next.
struct Hop {
    std::string ask(std::string what);
};
FUTON_SERVICE(Hop, ask)

struct Audit {
    std::string write(std::string line);
};
FUTON_SERVICE(Audit, write)

// [hops]
struct first_hop {
    futon::stub<Hop> next;
    futon::future<std::string> ask(std::string what) { return next.ask(what); }
};
struct second_hop {
    futon::stub<Hop> next;
    futon::task<std::string> ask(std::string what) { co_return co_await next.ask(what); }
};
struct third_hop {
    tally& begun;
    tally& stopped;
    futon::task<std::string> ask(futon::call_context& call, std::string what) {
        if (what == "who") co_return std::string{call.baggage("tenant").value_or("nobody")};
        const std::stop_callback told{call.stop_token(), [this] { stopped.add(); }};
        begun.add();
        co_await futon::delay(10min);  // throws when the call is cancelled
        co_return what;
    }
};
// [/hops]

template <class Contract>
struct station {
    template <class Implementation>
    explicit station(Implementation impl) {
        server.template provide<Contract>(std::move(impl));
        server.start();
        client.emplace(server.addresses());
        stub = client->template stub<Contract>();
    }
    futon::server server{};
    std::optional<futon::client> client{};
    futon::stub<Contract> stub{};
};

TEST_CASE("docs: cancelling reaches the innermost of three handlers, and baggage arrives there") {
    tally begun;
    tally stopped;
    station<Hop> third{third_hop{begun, stopped}};
    station<Hop> second{second_hop{third.stub}};
    station<Hop> first{first_hop{second.stub}};
    auto& hop = first.stub;

    auto call = hop.ask("wait");
    REQUIRE(begun.reaches(1));
    call.cancel();
    CHECK(std::move(call).get_result().error() == futon::errc::cancelled);
    CHECK(stopped.reaches(1));

    // A deadline does the same; the innermost handler may not even have begun.
    CHECK(hop.with({.timeout = 50ms}).ask("wait").get_result().error() == futon::errc::deadline_exceeded);
    CHECK((begun.count() < 2 || stopped.reaches(2)));

    // [with_context]
    auto who = futon::with_context({.trace_parent = futon::make_trace_parent(), .baggage = {{"tenant", "acme"}}},
                                   [&] { return hop.ask("who"); });
    // [/with_context]
    CHECK(std::move(who).get() == "acme");
    CHECK(hop.ask("who").get() == "nobody");
}

struct audit_impl {
    tally& opened;
    std::string write(futon::call_context& call, std::string line) {
        opened.add();
        return line + (call.stop_requested() ? " too late" : "");
    }
};

// [detached]
struct buying {
    futon::stub<Audit> audit;
    futon::future<std::string> ask(std::string what) {
        futon::detached([&] { return audit.write("asked for " + what); }).detach();  // goes on, whatever the caller does
        return futon::delay(10min).then([=] { return what; });
    }
};
// [/detached]

TEST_CASE("docs: what is detached outlives the call that began it") {
    tally written;
    station<Audit> audit{audit_impl{written}};
    station<Hop> shop{buying{audit.stub}};
    for (int round = 1; round <= 10; ++round) {
        auto call = shop.stub.ask("tea");
        REQUIRE(written.reaches(round));
        call.cancel();
        CHECK(std::move(call).get_result().error() == futon::errc::cancelled);
    }
}

// [shared_call]
class cached_hop {  // many ask for the same at once, one call is made; an error stays as an answer does
public:
    explicit cached_hop(futon::stub<Audit> from) : from_{std::move(from)} {}
    futon::future<std::string> ask(std::string what) {
        const std::lock_guard lock{mutex_};
        auto& answer = answers_[what];
        if (!answer.valid()) answer = futon::detached([&] { return from_.write(what); }).share();
        return answer.then([](const std::string& text) { return text; });
    }

private:
    futon::stub<Audit> from_;
    std::mutex mutex_;
    std::map<std::string, futon::shared_future<std::string>> answers_;
};
// [/shared_call]

struct audit_that_waits {
    tally& asked;
    std::optional<futon::responder<std::string>>& kept;
    void write(futon::responder<std::string> answer, std::string) {
        kept = std::move(answer);
        asked.add();
    }
};

TEST_CASE("docs: a shared call that is detached outlives the first of those who wait for it") {
    tally asked;
    std::optional<futon::responder<std::string>> kept;
    station<Audit> audit{audit_that_waits{asked, kept}};
    station<Hop> shop{std::make_shared<cached_hop>(audit.stub)};
    auto first = shop.stub.ask("tea");
    REQUIRE(asked.reaches(1));
    first.cancel();
    CHECK(std::move(first).get_result().error() == futon::errc::cancelled);
    auto second = shop.stub.ask("tea");
    (*kept)("tea at 3.75");
    CHECK(std::move(second).get() == "tea at 3.75");
    CHECK(asked.count() == 1);
}

}  // namespace
