// SPDX-License-Identifier: Apache-2.0
// A service in a world of one thread and virtual time: a slow network, a broken one, a dependency that is a fake.
// expected output:
//   at 0 ms:     ann has 3 letters
//   at 20 ms:    ann has 3 letters, over a slow network
//   at 520 ms:   the call's time ran out: the network is silent
//   at 520 ms:   bob has 3 letters, over a new connection
//   at 2520 ms:  a slow service took 2 s, which cost the test nothing
//   asked:       ann ann bob eve
#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <string>
#include <tuple>

using namespace std::chrono_literals;

namespace letters {

struct Counter {
    int count(std::string word);
};
FUTON_SERVICE(Counter, count)

struct Desk {
    std::string describe(std::string word);
};
FUTON_SERVICE(Desk, describe)

// The service under test; it asks another one.
struct desk_impl {
    futon::stub<Counter> counter;
    futon::future<std::string> describe(const std::string& word) {
        return counter.count(word).then([word](int count) { return word + " has " + std::to_string(count) + " letters"; });
    }
};

}  // namespace letters

using letters::Counter;
using letters::Desk;

int main() {
    futon::testing::simulation world;
    const auto say = [&](const std::string& what) {
        const auto now = std::to_string(world.elapsed() / 1ms) + " ms:";
        std::cout << "at " << std::left << std::setw(10) << now << what << '\n';
    };

    futon::testing::fake<Counter> counter;
    counter.on<&Counter::count>([](const std::string& word) { return static_cast<int>(word.size()); });

    futon::server server{{.listen = "memory://desk", .runtime = world.runtime()}};
    server.provide<Desk>(letters::desk_impl{counter.stub(world)});
    server.start();
    futon::client client{{.endpoints = "memory://desk", .runtime = world.runtime()}};
    const auto desk = client.stub<Desk>();

    say(world.get(desk.describe("ann")));

    world.faults("memory://desk", {.delay = 10ms});
    say(world.get(desk.describe("ann")) + ", over a slow network");

    world.faults("memory://desk", {.drop = true});
    const auto lost = world.get_result(desk.with({.timeout = 500ms}).describe("lost"));
    say(std::string{lost.error() == futon::errc::deadline_exceeded ? "the call's time ran out" : "?"} + ": the network is silent");

    world.cut("memory://desk");
    world.faults("memory://desk", {});
    say(world.get(desk.describe("bob")) + ", over a new connection");

    counter.on<&Counter::count>([](std::string) -> futon::task<int> {
        co_await futon::delay(2s);
        co_return 0;
    });
    world.get(desk.describe("eve"));
    say("a slow service took 2 s, which cost the test nothing");

    std::cout << "asked:      ";
    for (const auto& [word] : counter.arguments<&Counter::count>()) std::cout << ' ' << word;
    std::cout << '\n';
}
