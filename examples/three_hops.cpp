// SPDX-License-Identifier: Apache-2.0
// A request through three services: its baggage and its deadline go along, and giving it up reaches the last one.
// expected output:
//   last:   works for acme, within the caller's minute
//   caller: gave up: cancelled
//   last:   was told to stop
//   audit:  is not bound to the request
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <stop_token>
#include <string>

using namespace std::chrono_literals;

struct Hop {
    std::string ask(std::string what);
};
FUTON_SERVICE(Hop, ask)

struct Audit {
    void write(std::string line);
};
FUTON_SERVICE(Audit, write)

// [hops]
struct first_hop {
    futon::stub<Hop> next;
    futon::stub<Audit> audit;
    futon::future<std::string> ask(std::string what) {
        // Apart from the request: no deadline of its, not cancelled with it.
        futon::detached([&] { return audit.write(what); }).detach();
        return next.ask(what);
    }
};
struct second_hop {
    futon::stub<Hop> next;
    asio::awaitable<std::string> ask(std::string what) { co_return co_await next.ask(what, futon::use_awaitable); }
};
struct last_hop {
    std::promise<void>& begun;
    std::promise<void>& stopped;
    futon::task<std::string> ask(futon::call_context& call, std::string what) {
        const std::stop_callback told{call.stop_token(), [this] { stopped.set_value(); }};
        std::cout << "last:   works for " << call.baggage("tenant").value_or("nobody");
        std::cout << (call.time_left() <= 1min ? ", within the caller's minute\n" : "\n");
        begun.set_value();
        co_await futon::delay(10min);  // throws when the request is given up
        co_return what;
    }
};
// [/hops]

struct audit_impl {
    std::promise<bool>& bound;
    void write(futon::call_context& call, std::string) { bound.set_value(call.time_left() <= 1min); }
};

int main() {
    std::promise<void> begun;
    std::promise<void> stopped;
    std::promise<bool> bound;

    futon::server audit_server;
    audit_server.provide<Audit>(audit_impl{bound});
    audit_server.start();
    futon::server last_server;
    last_server.provide<Hop>(last_hop{begun, stopped});
    last_server.start();
    futon::client to_audit{{.endpoints = audit_server.addresses(), .timeout = 10min}};
    futon::client to_last{{.endpoints = last_server.addresses(), .timeout = 10min}};

    futon::server second_server;
    second_server.provide<Hop>(second_hop{to_last.stub<Hop>()});
    second_server.start();
    futon::client to_second{{.endpoints = second_server.addresses(), .timeout = 10min}};

    futon::server first_server;
    first_server.provide<Hop>(first_hop{to_second.stub<Hop>(), to_audit.stub<Audit>()});
    first_server.start();
    futon::client client{{.endpoints = first_server.addresses(), .timeout = 10min}};
    const auto hop = client.stub<Hop>();

    // [call]
    auto call = futon::with_context({.baggage = {{"tenant", "acme"}}, .timeout = 1min},
                                    [&] { return hop.ask("tea"); });
    begun.get_future().wait();
    call.cancel();
    // [/call]
    const auto got = std::move(call).get_result();
    std::cout << "caller: gave up: " << got.error().code().message() << "\n";
    stopped.get_future().wait();
    std::cout << "last:   was told to stop\n";
    std::cout << "audit:  " << (bound.get_future().get() ? "is bound" : "is not bound") << " to the request\n";
}
