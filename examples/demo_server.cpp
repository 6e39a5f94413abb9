// SPDX-License-Identifier: Apache-2.0
// The server of scripts/demo.sh: demo_server [--listen ADDRESS]. Ends on SIGTERM.
#include "demo.hpp"

#include <futon/server.hpp>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <iostream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

namespace {

// Handlers run on several threads at once: one write a line.
void say(std::string text) {
    text += '\n';
    std::cout << text << std::flush;
}

// Each method answers in another of the ways that a handler may choose from.
struct demo_impl {
    // A value. May block: it runs on a pool.
    std::string greet(std::string name) { return "hello " + name; }

    // An Asio coroutine, on the I/O thread.
    asio::awaitable<Person> older(Person who, int years) {
        asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
        co_await timer.async_wait(asio::use_awaitable);
        who.age += years;
        co_return who;
    }

    // A value or an error.
    futon::result<double> divide(double a, double b) {
        if (b == 0) return futon::error{make_error_code(std::errc::invalid_argument), "the divisor is zero"};
        return a / b;
    }

    // A coroutine of futon's, told when the caller gives up.
    futon::task<std::string> slow(futon::call_context& call, std::string what, std::chrono::milliseconds after) {
        const std::stop_callback told{call.stop_token(), [what] { say("slow(" + what + "): the caller gave up"); }};
        co_await futon::delay(after);
        co_return what;
    }

    // The circumstances of the call.
    std::string who_calls(futon::call_context& call) {
        const auto user = call.headers().get("user").value_or("somebody");
        return std::string{user} + (call.peer().starts_with("tcp://127.") ? ", from this machine" : ", from afar");
    }

    // An answer later, from any thread. Exceptions reach the caller as errors.
    void fail(futon::responder<void> answer, std::string why) {
        std::thread{[answer = std::move(answer), why]() mutable {
            answer(futon::error{futon::errc::remote_error, why});
        }}.detach();
    }

    void log(std::string line) { say("log: " + line); }
};

}  // namespace

int main(int argc, char** argv) try {
    const bool has_address = argc == 3 && std::string_view{argv[1]} == "--listen";
    futon::server server{has_address ? argv[2] : "tcp://127.0.0.1:12200"};
    server.provide<Demo>(demo_impl{});
    server.start();
    say("listening on " + server.addresses().front().text());
    server.run();

    const auto stats = server.stats();
    say("stopped; calls: " + std::to_string(stats.calls) + ", connections: " + std::to_string(stats.accepted));
} catch (const futon::rpc_error& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
