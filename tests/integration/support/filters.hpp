// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A service to call through filters, filters that write down what passes them, and one that holds calls up.

#include "integration/support/served.hpp"

#include <futon/testing/simulation.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace futon_tests {

struct Parrot {
    std::string say(std::string word);
    std::string header(std::string key);
    int hold();
    void hint(std::string word);
    futon::stream<int> count(int to);
    int add_up(futon::stream<int> numbers);
};
FUTON_SERVICE(Parrot, (say, futon::idempotent), header, hold, hint, count, add_up)

struct parrot {
    std::string say(std::string word) {
        ++said;
        if (word == "fail") throw std::runtime_error{"it will not say that"};
        return word;
    }
    std::string header(futon::call_context& c, std::string key) {
        c.reply_headers().set("asked", key);
        return std::string{c.headers().get(key).value_or("absent")};
    }
    futon::future<int> hold() {
        return held.wait().then([] { return 7; });
    }
    void hint(std::string) { hints.add(); }
    futon::task<void> count(int to, futon::sink<int> into) {
        for (int i = 0; i < to; ++i) co_await into.send(i);
    }
    futon::task<int> add_up(futon::stream<int> numbers) {
        int sum = 0;
        while (auto next = co_await numbers.next()) sum += *next;
        co_return sum;
    }

    std::atomic<int> said{0};
    gate held;
    tally hints;
};

/// What filters saw, in order. Thread-safety: safe.
class diary {
public:
    void note(const std::string& line) {
        const std::lock_guard lock{mutex_};
        lines_ += (lines_.empty() ? "" : " ") + line;
    }
    /// And forgets it.
    [[nodiscard]] std::string read() {
        const std::lock_guard lock{mutex_};
        return std::exchange(lines_, {});
    }

private:
    std::mutex mutex_;
    std::string lines_;
};

/// Writes down that a call came by: "a>" on its way out, "<a" on its way back, "<a!" if it had failed.
struct witness {
    std::string name;
    std::shared_ptr<diary> into;

    void before(futon::filtered_call&) { into->note(name + ">"); }
    void after(futon::filtered_call&, futon::call_outcome& how) {
        into->note("<" + name + (how.succeeded() ? "" : "!"));
    }
};
/// Ends every call.
struct wall {
    futon::error why{futon::errc::unavailable, "a wall"};

    futon::decision before(futon::filtered_call&) { return why; }
};
/// Holds calls up until the test opens the gate.
struct turnstile {
    std::shared_ptr<gate> at = std::make_shared<gate>();

    futon::future<void> before(futon::filtered_call& call) { return at->wait().via(call.executor()); }
};

/// A server and a client in one simulated world.
struct filtered_world {
    explicit filtered_world(futon::client_filters on_client, futon::server_filters on_server = {},
                            const futon::provide_options& how = {}) {
        server.emplace(futon::server_options{
            .listen = "memory://parrot", .filters = std::move(on_server), .runtime = world.runtime()});
        server->provide<Parrot>(std::ref(serving), how);
        server->start();
        futon::client_options options;
        options.endpoints = "memory://parrot";
        options.filters = std::move(on_client);
        options.runtime = world.runtime();
        client.emplace(std::move(options));
        stub = client->stub<Parrot>();
    }

    futon::testing::simulation world;
    parrot serving;
    std::optional<futon::server> server;
    std::optional<futon::client> client;
    futon::stub<Parrot> stub;
};

}  // namespace futon_tests
