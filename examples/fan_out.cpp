// SPDX-License-Identifier: Apache-2.0
// Many calls at once: all of them, the first of them, and what happens to the rest.
// expected output:
//   squares: 0 1 4 9 16 25 36 49
//   both:    3 and 16
//   first:   number 1 answered 25
//   failed:  7 is not a number that I like
#include <futon/futon.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;

struct Maths {
    int add(int a, int b);
    int square(int number);
    int square_later(int number, std::chrono::milliseconds after);
};
FUTON_SERVICE(Maths, add, square, square_later)

struct maths_impl {
    int add(int a, int b) { return a + b; }
    int square(int number) {
        if (number == 7 && picky) throw std::runtime_error{"7 is not a number that I like"};
        return number * number;
    }
    futon::future<int> square_later(int number, std::chrono::milliseconds after) {
        return futon::delay(after).then([=] { return number * number; });
    }
    bool picky = false;
};

int main() {
    futon::server server;
    server.provide<Maths>(maths_impl{});
    server.provide<Maths>(maths_impl{.picky = true}, {.unique_id = "picky"});
    server.start();
    futon::client client{server.addresses()};
    const auto maths = client.stub<Maths>();

    // [all]
    // All of a list, in its order. They share one connection, and are answered in any order.
    std::vector<futon::future<int>> calls;
    for (int number = 0; number < 8; ++number) calls.push_back(maths.square(number));
    std::cout << "squares:";
    for (const int square : futon::when_all(std::move(calls)).get()) std::cout << " " << square;
    std::cout << "\n";

    // All of a few, of any types: a tuple.
    const auto [sum, square] = futon::when_all(maths.add(1, 2), maths.square(4)).get();
    std::cout << "both:    " << sum << " and " << square << "\n";
    // [/all]

    // The first of several; the others are cancelled, on the server too.
    const auto first = futon::when_any(maths.square_later(4, 10min), maths.square_later(5, 1ms)).get();
    std::cout << "first:   number " << first.index << " answered " << *first.outcome << "\n";

    // One error fails all at once, and cancels the rest.
    const auto picky = client.stub<Maths>({.unique_id = "picky"});
    const auto failed = futon::when_all(picky.square_later(6, 10min), picky.square(7)).get_result();
    std::cout << "failed:  " << failed.error().message() << "\n";
}
