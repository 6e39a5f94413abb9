// SPDX-License-Identifier: Apache-2.0
// One call, seven ways to end it. Arguments, errors, deadlines and cancellation are the same in each.
// expected output:
//   1 get:        hello ann
//   2 get_result: hello bob
//   3 chain:      hello hello cid
//   4 callback:   hello dan
//   5 task:       hello eve
//   6 awaitable:  hello fay
//   7 one-way:    queued
#include <futon/futon.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <future>
#include <iostream>
#include <string>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

struct greeter_impl {
    std::string greet(std::string name) { return "hello " + name; }
};

futon::task<void> in_a_task(futon::stub<Greeter> greeter) {
    const std::string text = co_await greeter.greet("eve");  // the value, or throws
    std::cout << "5 task:       " << text << "\n";
}

asio::awaitable<void> in_an_awaitable(futon::stub<Greeter> greeter) {
    const std::string text = co_await greeter.greet("fay", futon::use_awaitable);
    std::cout << "6 awaitable:  " << text << "\n";
}

int main() {
    futon::server server;  // 127.0.0.1, on a port that the system chooses
    server.provide<Greeter>(greeter_impl{});
    server.start();

    futon::client client{server.addresses()};
    const auto greeter = client.stub<Greeter>();

    // Blocks: the value, or an rpc_error is thrown.
    std::cout << "1 get:        " << greeter.greet("ann").get() << "\n";

    // Blocks, without exceptions.
    const futon::result<std::string> got = greeter.greet("bob").get_result();
    std::cout << "2 get_result: " << (got ? *got : got.error().describe()) << "\n";

    // Goes on when the value is there; a stage that returns a future is flattened.
    std::cout << "3 chain:      "
              << greeter.greet("cid").then([=](std::string text) { return greeter.greet(text); }).get() << "\n";

    // Calls back, on the client's I/O thread, with one typed argument.
    std::promise<void> called;
    greeter.greet("dan", [&](futon::result<std::string> result) {
        std::cout << "4 callback:   " << *result << "\n";
        called.set_value();
    });
    called.get_future().wait();

    // Coroutines: futon's own, and those of Asio on an io_context of yours.
    futon::sync_wait(in_a_task(greeter));

    asio::io_context io;
    asio::co_spawn(io, in_an_awaitable(greeter), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    io.run();

    // No reply: says at once whether the call is on its way.
    const futon::result<void> sent = greeter.greet("gus", futon::oneway);
    std::cout << "7 one-way:    " << (sent ? "queued" : sent.error().describe()) << "\n";
}
