// SPDX-License-Identifier: Apache-2.0
// The code of docs/async.md: handlers that answer later, and calls back to the caller; what is counted and reported.
#include "async_shop.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace async_docs;

namespace {

// [kinds]
struct Desk {
    double plain(std::string item);
    double as_result(std::string item);
    double as_future(std::string item);
    double as_task(std::string item);
    double as_awaitable(std::string item);
    double by_responder(std::string item);
};
FUTON_SERVICE(Desk, plain, as_result, as_future, as_task, as_awaitable, by_responder)

struct desk_impl {
    futon::stub<Shop> shop;
    std::function<void(futon::responder<double>)> keep;

    double plain(std::string item) { return shop.price(item).get(); }  // may block: runs on the pool
    futon::result<double> as_result(std::string) { return futon::error{futon::errc::unavailable, "closed"}; }
    futon::future<double> as_future(std::string item) {  // these must not block: they run on the I/O thread
        return shop.price(item).then([](double price) { return 2 * price; });
    }
    futon::task<double> as_task(std::string item) { co_return 2 * co_await shop.price(item); }
    asio::awaitable<double> as_awaitable(std::string item) { co_return 2 * co_await shop.price(item, futon::use_awaitable); }
    void by_responder(futon::responder<double> answer, std::string) { keep(std::move(answer)); }
};
// [/kinds]

TEST_CASE("docs: a handler may return a value, a result, a future, a task, an awaitable, or answer later") {
    open_shop at;
    std::vector<futon::responder<double>> kept;
    tally arrived;
    futon::server server;
    server.provide<Desk>(desk_impl{at.shop, [&](futon::responder<double> answer) {
                                       kept.push_back(std::move(answer));
                                       arrived.add();
                                   }});
    server.start();
    futon::client client{server.addresses()};
    const auto desk = client.stub<Desk>();
    CHECK(desk.plain("tea").get() == 3.75);
    CHECK(desk.as_result("tea").get_result().error().message() == "closed");
    CHECK(desk.as_future("tea").get() == 7.5);
    CHECK(desk.as_task("tea").get() == 7.5);
    CHECK(desk.as_awaitable("tea").get() == 7.5);

    auto answered = desk.by_responder("tea");
    REQUIRE(arrived.reaches(1));
    // [responder]
    futon::responder<double>& answer = kept.front();  // kept from the handler; from any thread
    answer(3.75);                                     // or an error: answer(futon::error{...})
    // [/responder]
    CHECK(std::move(answered).get() == 3.75);

    auto dropped = desk.by_responder("tea");
    REQUIRE(arrived.reaches(2));
    kept.clear();
    CHECK(std::move(dropped).get_result().error() == futon::errc::broken_promise);
}

// [run_to_end]
struct Bank {
    void transfer(int cents);
    int balance();
};
FUTON_SERVICE(Bank, (transfer, futon::run_to_end), balance)
// [/run_to_end]

struct bank_impl {
    tally begun{};
    std::mutex mutex{};
    int sum = 0;
    std::optional<futon::promise<void>> gate{};

    futon::task<void> transfer(int cents) {
        auto opened = gate.emplace().get_future();
        begun.add();
        co_await std::move(opened);
        sum += cents;
    }
    futon::future<int> balance() { return futon::make_ready(sum); }
};

TEST_CASE("docs: a method with run_to_end is not stopped by a caller that gives up") {
    bank_impl impl;
    futon::server server{{.io_threads = 1}};
    server.provide<Bank>(std::ref(impl), {.run_on = futon::run_on::io});
    server.start();
    futon::client client{server.addresses()};
    const auto bank = client.stub<Bank>();
    auto call = bank.transfer(100);
    REQUIRE(impl.begun.reaches(1));
    call.cancel();
    CHECK(std::move(call).get_result().error() == futon::errc::cancelled);
    CHECK(bank.balance().get() == 0);  // behind the cancel, on the same connection
    impl.gate->set_value();
    while (bank.balance().get() != 100) {
    }
}

// [both_ways]
struct Visitor {  // what each client provides
    bool confirm(std::string question);
};
FUTON_SERVICE(Visitor, confirm)

struct Door {
    std::string remove(std::string file);
};
FUTON_SERVICE(Door, remove)

struct door_impl {
    futon::task<std::string> remove(futon::call_context& call, std::string file) {
        auto visitor = call.caller<Visitor>();  // a stub of whoever called; may be kept
        bool sure = co_await visitor.confirm("remove " + file + "?");
        co_return sure ? "removed" : "left alone";
    }
};
// [/both_ways]

TEST_CASE("docs: a handler calls back whoever called it") {
    futon::server server;
    server.provide<Door>(door_impl{});
    server.start();
    // [provide]
    struct visitor_impl {
        bool confirm(std::string question) { return question == "remove notes?"; }
    };
    futon::client client{server.addresses()};
    client.provide<Visitor>(visitor_impl{});  // before the first call
    auto door = client.stub<Door>();
    std::string outcome = door.remove("notes").get();
    // [/provide]
    CHECK(outcome == "removed");
    CHECK(door.remove("photos").get() == "left alone");

    futon::client silent{server.addresses()};
    CHECK(silent.stub<Door>().remove("notes").get_result().error() == futon::errc::no_such_method);
}

TEST_CASE("docs: failures that nobody sees are reported once, cancelled ones are not") {
    tally reported;
    // [hook]
    futon::runtime threads{{.on_unhandled_error = [&](const futon::error& why) {
        std::clog << "nobody saw: " << why.describe() << "\n";  // from any thread; must not block
        reported.add();
    }}};
    // [/hook]
    open_shop at{{.runtime = threads}};
    auto& shop = at.shop;
    static_cast<void>(shop.price("gold"));  // dropped
    REQUIRE(reported.reaches(1));
    {
        auto call = shop.slow("x");
        REQUIRE(at.impl.begun.reaches(1));
        auto& client = *at.client;
        // [pending]
        std::string pending = client.dump_pending().get();  // a line for each call that is under way
        auto problems = client.stats().threads;             // unhandled_errors, rejected_continuations, would_deadlock
        // [/pending]
        CHECK(pending.find("Shop.slow at tcp://127.0.0.1:") == 0);
        CHECK(pending.find(", for a future that nobody waits for, by the stub of async_shop.hpp:") != std::string::npos);
        CHECK(problems.unhandled_errors == 1);
        call.cancel();
    }
    CHECK(at.impl.stopped.reaches(1));
    CHECK(reported.count() == 1);
    static_cast<void>(shop.price("gold").get_result());
    CHECK(reported.count() == 1);
    CHECK(at.client->stats().failed == 3);
}

}  // namespace
