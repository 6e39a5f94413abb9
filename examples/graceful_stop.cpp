// SPDX-License-Identifier: Apache-2.0
// A server that stops: calls in flight finish, later ones go elsewhere.
// expected output:
//   stopping
//   the call in flight: made by the first server
//   the first server has stopped
//   the next call: made by the second server
//   failed calls: 0
#include <futon/futon.hpp>

#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

struct Work {
    std::string make();
};
FUTON_SERVICE(Work, make)

struct quick_impl {
    std::string make() { return "made by the second server"; }
};

// Answers when it is told to.
struct slow_impl {
    void make(futon::responder<std::string> answer) { begun.set_value(std::move(answer)); }
    std::promise<futon::responder<std::string>> begun;
};

int main() {
    slow_impl slow;
    futon::server first;
    first.provide<Work>(std::ref(slow));
    first.start();
    futon::client client{first.addresses()};
    const auto work = client.stub<Work>();

    auto in_flight = work.make();
    auto answer = slow.begun.get_future().get();  // its handler has begun

    // Never blocks: stops accepting, tells the clients, and lets what is in flight finish for up to 20 s (drain_time).
    std::cout << "stopping\n";
    auto stopped = first.stop();

    answer("made by the first server");
    std::cout << "the call in flight: " << std::move(in_flight).get() << "\n";
    std::move(stopped).get();
    std::cout << "the first server has stopped\n";

    // Another one takes over its address. server.run() does the same on SIGINT and SIGTERM.
    futon::server second{first.addresses()};
    second.provide<Work>(quick_impl{});
    second.start();
    std::cout << "the next call: " << work.make().get() << "\n";
    std::cout << "failed calls: " << client.stats().failed << "\n";
    second.stop().get();
}
