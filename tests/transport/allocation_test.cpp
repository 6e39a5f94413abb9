// SPDX-License-Identifier: Apache-2.0
#include <futon/transport/connection.hpp>

#include "transport/support/connected.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace failing {
static thread_local bool always = false;

[[gnu::noinline]] static void* allocate(std::size_t size) noexcept {
    return always ? nullptr : std::malloc(size == 0 ? 1 : size);
}
// While it lives, this thread has no memory.
struct scope {
    scope() { always = true; }
    ~scope() { always = false; }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
};
}  // namespace failing

// Replaced for the whole program of these tests.
void* operator new(std::size_t size) {
    if (auto* memory = failing::allocate(size)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return failing::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace std::chrono_literals;

namespace {

using futon_tests::connected;
using futon_tests::placed_call;

TEST_CASE("connection: without memory it is closed all the same, as often as that is asked for") {
    connected both;
    both.at_right->holding = true;
    auto call = both.call("x");
    both.settle();
    const futon::error first{futon::errc::unavailable, "stopping"};
    const futon::error second{futon::errc::client_closed, "closed"};
    {
        const failing::scope none;
        both.left->close(first);
        both.left->close(second);
    }
    both.settle();
    CHECK(both.at_left->ends == 1);
    REQUIRE(both.at_left->last);
    CHECK(*both.at_left->last == futon::errc::unavailable);
    REQUIRE(call.outcome.is_ready());
    CHECK(std::move(call.outcome).get_result().error() == futon::errc::unavailable);
    both.left->close(second);
    both.settle();
    CHECK(both.at_left->ends == 1);
}

TEST_CASE("connection: without memory a drain ends it, and a cancel leaves the call to its answer") {
    connected both;
    both.at_right->holding = true;
    std::vector<placed_call> calls;
    for (int i = 0; i < 3; ++i) calls.push_back(both.call("x" + std::to_string(i)));
    both.settle();
    const futon::error why{futon::errc::unavailable, "stopping"};
    {
        // More than were kept from before for the next of their size.
        const failing::scope none;
        for (int i = 0; i < 100; ++i) both.router->cancel(*calls[0].call);
        for (int i = 0; i < 100; ++i) both.left->inspect([](const futon::detail::call&) {});
        for (int i = 0; i < 100; ++i) both.left->ask_load();
        both.left->drain(why);
    }
    both.settle();
    both.at_right->answer_held(*both.right);
    both.settle();
    CHECK(both.at_left->ends == 1);
    for (auto& each : calls) CHECK(each.outcome.is_ready());
}

}  // namespace
