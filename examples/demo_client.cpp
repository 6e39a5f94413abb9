// SPDX-License-Identifier: Apache-2.0
// The client of scripts/demo.sh: demo_client ADDRESS. Calls demo_server in each way and prints what happens.
#include "demo.hpp"

#include <futon/client.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

void section(const char* title) { std::cout << "\n" << title << "\n"; }
void line(const std::string& code, const std::string& outcome) {
    constexpr int width = 50;
    const bool fits = code.size() <= width;
    std::cout << "  " << std::left << std::setw(width) << code << (fits ? "" : "\n" + std::string(width + 2, ' ')) << "  "
              << outcome << "\n"
              << std::flush;
}
std::string text(const Person& who) { return who.name + ", " + std::to_string(who.age); }
std::string text(const futon::error& why) {
    return "error: " + why.message() + " [" + why.code().message() + ", executed: " + std::string{name(why.ran())} + "]";
}
template <class T>
std::string text(const futon::result<T>& got) {
    if (!got) return text(got.error());
    if constexpr (std::is_void_v<T>) {
        return "ok";
    } else if constexpr (std::is_arithmetic_v<T>) {
        return std::to_string(*got);
    } else {
        return *got;
    }
}

futon::task<void> futon_coroutine(futon::stub<Demo> demo) {
    const std::string hello = co_await demo.greet("zoe");
    line("co_await demo.greet(\"zoe\")", hello);
    const Person tom{"tom", 1};  // named first: g++ 12 destroys temporary structs in co_await expressions twice
    const Person older = co_await demo.older(tom, 2);
    line("co_await demo.older(tom, 2)", text(older));
    const futon::result<double> quotient = co_await futon::no_throw(demo.divide(1, 0));
    line("co_await futon::no_throw(demo.divide(1, 0))", text(quotient));
}

asio::awaitable<void> asio_coroutine(futon::stub<Demo> demo) {
    const std::string hello = co_await demo.greet("yan", futon::use_awaitable);
    line("co_await demo.greet(\"yan\", futon::use_awaitable)", hello);
    const futon::result<double> quotient = co_await demo.divide(1, 0, asio::use_awaitable);
    line("co_await demo.divide(1, 0, asio::use_awaitable)", text(quotient));
}

void call_in_every_way(const futon::stub<Demo>& demo) {
    section("Blocking");
    line("demo.greet(\"ann\").get()", demo.greet("ann").get());
    line("demo.older({\"tom\", 1}, 2).get()", text(demo.older({"tom", 1}, 2).get()));
    line("demo.greet(\"ann\").get_result()", text(demo.greet("ann").get_result()));

    section("A chain of futures");
    line("demo.greet(\"bob\").then([=](std::string hello) { return demo.greet(hello); })",
         demo.greet("bob").then([=](std::string hello) { return demo.greet(hello); }).get());

    section("A callback, on the client's I/O thread");
    std::promise<std::string> called;
    demo.greet("eve", [&](futon::result<std::string> got) { called.set_value(text(got)); });
    line("demo.greet(\"eve\", [](futon::result<std::string> r) { ... })", called.get_future().get());

    section("co_await in a futon::task");
    futon::sync_wait(futon_coroutine(demo));

    section("co_await in an asio::awaitable, on an io_context of the user's");
    asio::io_context io;
    auto ended = asio::co_spawn(io, asio_coroutine(demo), asio::use_future);
    io.run();
    ended.get();

    section("One-way");
    line("demo.log(\"a line\", futon::oneway)", text(demo.log("a line", futon::oneway)));

    section("Many at once");
    const auto [hello, person] = futon::when_all(demo.greet("x"), demo.older({"kim", 40}, 2)).get();
    line("futon::when_all(demo.greet(\"x\"), demo.older({\"kim\", 40}, 2))", hello + "; " + text(person));
    std::vector<futon::future<std::string>> calls;
    for (int i = 0; i < 1000; ++i) calls.push_back(demo.greet(std::to_string(i)));
    line("futon::when_all(std::move(a_thousand_calls)).get().back()", futon::when_all(std::move(calls)).get().back());
}

void options_and_errors(const futon::stub<Demo>& demo, const futon::client& client) {
    section("Options of a call");
    line("demo.with({.headers = {{\"user\", \"ann\"}}}).who_calls()",
         demo.with({.headers = {{"user", "ann"}}}).who_calls().get());
    line("demo.with({.timeout = 50ms}).slow(\"tea\", 1h)", text(demo.with({.timeout = 50ms}).slow("tea", 1h).get_result()));

    section("Errors are values, or exceptions");
    line("demo.divide(1, 0).get_result()", text(demo.divide(1, 0).get_result()));
    line("demo.fail(\"no luck\").get_result()", text(demo.fail("no luck").get_result()));
    try {
        demo.fail("no luck").get();
    } catch (const futon::rpc_error& e) {
        line("try { demo.fail(\"no luck\").get(); }", std::string{"caught "} + e.what());
    }
    line("demo.divide(1, 0).recover([] { return 0.0; })",
         text(demo.divide(1, 0).recover([] { return 0.0; }).get_result()));

    section("Cancellation reaches the handler");
    auto coffee = demo.slow("coffee", 1h);
    static_cast<void>(coffee.wait_for(50ms));
    coffee.cancel();
    line("coffee.cancel()", text(std::move(coffee).get_result()));

    section("The connection has survived all of that");
    const auto stats = client.stats();
    line("client.stats()", "calls: " + std::to_string(stats.calls) + ", failed: " + std::to_string(stats.failed) +
                               ", connections made: " + std::to_string(stats.connects));
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::cerr << "usage: demo_client ADDRESS\n";
        return 2;
    }
    futon::client client{argv[1]};
    client.wait_ready(10s).get();
    const auto demo = client.stub<Demo>();
    call_in_every_way(demo);
    options_and_errors(demo, client);
} catch (const std::exception& e) {
    std::cerr << "failed: " << e.what() << "\n";
    return 1;
}
